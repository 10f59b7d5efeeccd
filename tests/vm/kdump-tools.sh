#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Beside Debian's kdump-tools, on a real Debian with systemd: its crash kernel saves our capsule first, then its own dump;
# nobody's crash kernel is replaced without being asked. All as `make install` installs it, with its services.
# Takes long.
set -u
# In this order: what a part of the output says is asked more often than what status.json does.
# shellcheck source=tests/vm/kdump-lib
. "$(dirname "$0")/kdump-lib"
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

work=$build/tests/$test
mkdir -p "$work"
disk=$(realpath "$work/disk.img")

write_rule() {
	cat >"$1" <<-'END'
		deadfall: 1
		rule: beside
		events:
		  rename:
		    probe: kprobe:vfs_rename
		    key: arg.rd->old_dentry->d_inode
		    fields: {name: str(arg.rd->old_dentry->d_name.name)}
		    keep: [kstack]
		match: {sequence: [first: rename, second: rename], within: 60s}
		on_match: [panic: "renamed twice: {first.name}, {second.name}"]
		guard: {kdump: required, max_panics: 5 per 24h}
	END
}

# boot NAME SCRIPT: the machine, with all its services; SCRIPT runs in it.
boot() {
	dir=$work/$1
	rm -rf "$dir"
	mkdir -p "$dir/payload"
	make -s install BUILD="$build" DESTDIR="$dir/payload/root" >/dev/null
	write_rule "$dir/payload/beside.yaml"
	printf '%s\n' "$2" >"$dir/payload/run"
	in_slot tests/vm/debian-vm run "$disk" "$dir/payload" "$(realpath "$dir")" "${limit:-600}"
	tr -d '\r' <"$dir/command.log" | sed 's/\x1b\[[0-9;]*m//g' >"$dir/clean.log" && mv "$dir/clean.log" "$dir/command.log"
	rm -f "$dir/payload.img"
}

test_crash() {
	boot crash '
		step() { name=$1; shift; echo "== $name"; "$@"; echo "status $name $?"; }
		cp -a /payload/root/. /; systemctl daemon-reload
		step foreign-doctor deadfall kdump doctor
		step foreign-status deadfall kdump status
		step refused deadfall kdump setup
		step still cat /sys/kernel/kexec_crash_loaded
		deadfall run /payload/beside.yaml >/tmp/foreign 2>&1 & pid=$!; until grep -q "^armed" /tmp/foreign; do sleep 0.5; done
		kill -INT $pid; wait $pid; sed "s/^/foreign-run: /" /tmp/foreign
		step beside deadfall kdump setup --beside
		step beside-status deadfall kdump status
		step beside-doctor deadfall kdump doctor
		rm /etc/systemd/system/kdump-tools-dump.service.d/deadfall.conf
		step unhooked-doctor deadfall kdump doctor
		step unhooked-run deadfall run /payload/beside.yaml
		deadfall kdump setup --beside --quiet
		step reload kdump-config reload
		step reloaded deadfall kdump status
		step watchdog sh -c "exec 3>/dev/watchdog0; deadfall kdump doctor | grep watchdog; echo V >&3"
		mkdir -p /etc/deadfall/rules.d; cp /payload/beside.yaml /etc/deadfall/rules.d/
		echo "KDUMP_SETUP=\"--beside --max-dumps 5\"" >/etc/default/deadfall
		systemctl enable --quiet deadfall deadfall-kdump
		step service systemctl start deadfall
		step service-status systemctl status --no-pager deadfall
		sync; echo x >/tmp/a; mv /tmp/a /tmp/b; mv /tmp/b /tmp/c; sleep 60; echo it did not crash'
	check "the doctor is not content with its crash kernel alone" says foreign-doctor '^FAIL owner +it is of kdump-tools: it takes no capsule'
	check "and says what to do" says foreign-doctor 'setup --beside'
	check "status says whose it is, and what that means" says foreign-status '^crash kernel  kdump-tools: no capsule'
	check "setup does not replace it" says refused '^status refused 3'
	check "but names both ways" says refused '\-\-beside .*--replace'
	check "what was loaded is still loaded" says still '^1'
	check "run warns" command_said '^foreign-run: deadfall run: warning: the crash kernel is that of kdump-tools: no capsule'
	check "--beside uses its crash kernel" says beside '^status beside 0'
	check "at a level that is safe for this kernel" says beside 'makedumpfile -d 23'
	check "status: our capsule first, then its dump" says beside-status '^crash kernel  kdump-tools: our capsule first'
	check "the doctor says ready" says beside-doctor '^ready'
	check "the doctor: hook taken away" says unhooked-doctor '^FAIL capsule'
	check "nothing is armed then" says unhooked-run '^status unhooked-run 3'
	check "kdump-tools may load its crash kernel anew" says reloaded '^ready'
	check "the doctor: a watchdog that nobody would feed" says watchdog '^FAIL watchdog'
	check "the service sets kdump up and arms the rule" says service '^status service 0'
	check "systemctl status shows so" says service-status 'Status: "armed beside: 1 rule'
	check "in the crash kernel ours runs first" console 'deadfall: capsule done'
	check "then kdump-tools saves its dump" console 'saved vmcore in /var/crash'
	echo "# capsule: $(console 'deadfall: crash kernel up' | sed 's/.*deadfall: //'); $(console 'capsule done' | sed 's/.*deadfall: //')"
}

test_after() {
	boot after '
		step() { name=$1; shift; echo "== $name"; "$@"; echo "status $name $?"; }
		step boot-status systemctl status --no-pager --full deadfall deadfall-kdump
		systemctl stop deadfall
		step dumps deadfall dumps
		deadfall dumps --json >/tmp/dumps; echo "== json"; cat /tmp/dumps; echo "status json"
		step show deadfall dumps show 20
		step report-capsule deadfall report /var/crash/deadfall/*-beside/capsule
		step report-dump deadfall report "$(sed -n "s/ *\"vmcore\": \"\(.*\)\",*/\1/p" /tmp/dumps)"
		step replace deadfall kdump setup --replace
		step replaced deadfall kdump status
		step replaced-doctor deadfall kdump doctor
		systemctl restart kdump-tools
		step taken-back deadfall kdump doctor
		step taken-back-run deadfall run /payload/beside.yaml
		step beside-again deadfall kdump setup --beside
		step forgotten deadfall kdump status'
	check "at the next boot kdump is set up by itself" says boot-status 'the crash kernel of kdump-tools is loaded'
	check "and the rule, which crashed the machine soon after a boot, only logs" says boot-status "rule 'beside' only logs: its last panic"
	check "as systemctl status says" says boot-status 'Status: "armed beside: 1 rule .1 only logs.'
	check "dumps lists the capsule with kdump-tools' dump" says dumps '-beside +complete vmcore [0-9]+ MB +capsule [0-9]+ kB'
	check "dumps show names the file" says show '^vmcore +[0-9]+ MB  /var/crash/.*/dump\.[0-9]{12}'
	check "the report opens the capsule" says report-capsule 'renamed twice: a, b'
	check "the report opens kdump-tools' dump" says report-dump 'renamed twice: a, b'
	check "--replace loads ours" says replaced '^crash kernel  deadfall'
	check "with a warning that it will not stay" says replace 'kdump-tools is installed and will load its crash kernel over ours'
	check "the doctor says so, too" says replaced-doctor '^warn owner .*kdump-tools will load its own'
	check "when kdump-tools takes the place back, the doctor sees it" says taken-back '^FAIL owner +ours was replaced by a crash kernel of kdump-tools'
	check "and nothing is armed" says taken-back-run '^status taken-back-run 3'
	check "--beside makes it ready again" says beside-again '^status beside-again 0'
}

tests/vm/debian-vm disk "$disk" || { echo 'Bail out! no Debian image'; exit 1; }
test_crash
test_after
rm -f "$disk"
echo "1..$tests"
