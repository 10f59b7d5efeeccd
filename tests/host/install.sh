#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` installs works from where it lies: the commands, the units, the completion; `make uninstall` leaves nothing.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# complete_words WORD...: what the completion offers for the last of them.
complete_words() {
	PATH=$root/bin:$PATH bash -c '
		. "$1/share/bash-completion/completions/deadfall" || exit
		shift
		COMP_WORDS=(deadfall "$@") COMP_CWORD=$#
		_deadfall && printf "%s\n" "${COMPREPLY[@]}"' bash "$root" "$@"
}

offers() {
	local want=$1
	shift
	complete_words "$@" | grep -qxF -- "$want" || { complete_words "$@"; return 1; }
}

offers_only() {
	local want=$1
	shift
	[ "$(complete_words "$@" | tr '\n' ' ')" = "$want " ] || { complete_words "$@"; return 1; }
}

# Strings that begin with the folder of the sources; in which files.
names_its_folder() {
	local f
	for f in "$root"/bin/* "$root/lib/deadfall/deadfall.so" "$build/runtime.bpf.o"; do
		strings -a "$f" | awk -v folder="$PWD" -v file="$f" '$0 == folder || index($0, folder "/") == 1 { print file ": " $0 }'
	done
}

nothing_left() {
	[ -z "$(find "$root" -type f)" ] || { find "$root" -type f; return 1; }
}

check "make install" make -s install BUILD="$build" PREFIX="$root"
check "the command runs from there" sh -c "'$root/bin/deadfall' help | grep -q '^deadfall $(cat VERSION)'"
check "it is the same whatever folder it was built in" same "" "$(names_its_folder)"
check "the extension of crash is there" test -s "$root/lib/deadfall/deadfall.so"
check "the rules are there" test -s "$root/share/deadfall/rules/widget-freed-twice.yaml"
check "links in the docs lead to files that are installed" sh -c "cd '$root/share/doc/deadfall' && grep -ohE '\]\(docs/[a-z-]+\.md' README.md |
	sed 's/..//' | sort -u | while read -r f; do test -s \"\$f\" || { echo \"\$f\"; exit 1; }; done"
if command -v systemd-analyze >/dev/null; then
	check "systemd understands the units" systemd-analyze verify --man=no "$root"/lib/systemd/system/deadfall.service "$root"/lib/systemd/system/deadfall-kdump.service
fi
check "the units name the installed command" grep -q "^ExecStart=$root/bin/deadfall kdump setup" "$root/lib/systemd/system/deadfall-kdump.service"
check "completion: commands" offers_only "report" rep
check "completion: subcommands" offers doctor kdump ""
check "completion: all of them" offers forget kdump fo
check "completion: of dumps" offers prune dumps p
check "completion: options" offers --beside kdump setup --b
check "completion: options of a command alone" offers_only "--dry-run" run --dry
check "completion: values" offers perfetto report --format p
check "completion: files of rules" offers "$root/share/deadfall/rules/widget-freed-twice.yaml" check "$root/share/deadfall/rules/widget-f"
check "make uninstall" make -s uninstall PREFIX="$root"
check "leaves nothing" nothing_left
echo "1..$tests"
