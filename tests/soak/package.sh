#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: built by Debian's tools, installed on a Debian 12, at work there, and removed without a trace.
set -u
# shellcheck source=tests/vm/kdump-lib
. "$(dirname "$0")/../vm/kdump-lib"
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"

dir=$build/tests/$test
rm -rf "$dir"
mkdir -p "$dir/payload"
disk=$(realpath -m "$dir/disk.img")

check "make deb" contrib/debian/build "$dir/deb"
cp "$dir"/deb/deadfall_*.deb "$dir/payload/deadfall.deb" || exit 1
cp rules/catalog/kernel-hung-task.yaml "$dir/payload/"
nothing_left() {
	says left '^status left 0' && without says left /
}

tests/vm/debian-vm disk "$disk" || { echo 'Bail out! no Debian image'; exit 1; }
cat >"$dir/payload/run" <<'END'
step() { name=$1; shift; echo "== $name"; "$@"; echo "status $name $?"; }
step install dpkg -i /payload/deadfall.deb
step version deadfall help
step enabled systemctl is-enabled deadfall deadfall-kdump
step beside deadfall kdump setup --beside
cp /payload/kernel-hung-task.yaml /etc/deadfall/rules.d/
echo 'KDUMP_SETUP="--beside"' >>/etc/default/deadfall
step start systemctl start deadfall
step list deadfall list
step remove dpkg -r deadfall
step hook ls /etc/systemd/system/kdump-tools-dump.service.d/deadfall.conf
step left sh -c 'dpkg -P deadfall >/dev/null 2>&1; find /usr /etc -name "*deadfall*" -not -path "/etc/deadfall*"'
END
in_slot tests/vm/debian-vm run "$disk" "$dir/payload" "$(realpath "$dir")" 900
tr -d '\r' <"$dir/command.log" >"$dir/clean.log" && mv "$dir/clean.log" "$dir/command.log"
check "it installs with what Debian 12 has" says install '^status install 0'
check "the command is there" says version '^deadfall [0-9]'
check "nothing is armed and no crash kernel loaded by installing it" says enabled '^disabled'
check "beside kdump-tools it works" says beside '^status beside 0'
check "the service arms the rules" says start '^status start 0'
check "they are there" says list '^[^ ]*kernel-hung-task'
check "it can be removed" says remove '^status remove 0'
check "and takes its hook along" says hook 'No such file'
check "nothing is left" nothing_left
rm -f "$disk"
echo "1..$tests"
