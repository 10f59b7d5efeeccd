#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a match does besides a panic: log, signal, stop, set; flags that other rules read; sets of numbers, from a file
# and added while armed. Once armed, once as a dry run, on both kernels.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '# uids\n0  # root\n0x1000\n' >"$work/numbers"

# shellcheck disable=SC2016
commands='
	mkdir /tmp/before
	touch /tmp/a; mv /tmp/a /tmp/b
	mkdir /tmp/after /tmp/after2
	sh -c "exec busybox rmdir /tmp/before"; echo "rmdir ended with $?"
	touch /tmp/c /tmp/d
	(busybox rm /tmp/c; true)
	deadfall set "watched+=$$"; echo "set ended with $?"
	deadfall set unknown+=1
	deadfall set watched=1
	busybox rm /tmp/d
	deadfall set "watched-=$$"; echo "taken out with $?"
	deadfall set "watched-=$$"; echo "again with $?"
	touch /tmp/e; busybox rm /tmp/e; true'

logged() {
	same "$2" "$(grep -c "$how: rule $1 " "$dir/deadfall.log")"
}

said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

hits() {
	same "$2" "$(jq -r ".[0].events[] | select(.rule == \"$1\") | .hit" "$dir/status.json")"
}

# actions KERNEL MODE SIGNALLED
actions() {
	local args=()
	how=matched
	[ "$2" = armed ] || { args=(--run-args --dry-run) how='would have fired'; }
	run_vm "$1-$2" --kernel "$1" --no-kdump "${args[@]}" --rule tests/vm/rules/actions.yaml --copy "$work/numbers" -- "$commands"
	check "$1, $2: the machine is fine afterwards" same 0 "$rc"
	check "$1, $2: a match is logged" logged sets-flag 1
	check "$1, $2: a flag is 0 before, and read by another rule" logged reads-flag 2
	check "$1, $2: a rule that stops matches once" logged stops 1
	check "$1, $2: signal" said "^rmdir ended with $3"
	check "$1, $2: no set of that name" said "no set 'unknown'"
	check "$1, $2: a set is told from a parameter" said "'watched' is a set, no parameter: watched\+=N adds"
	check "$1, $2: no complaints of the kernel" holds '.splats == []'
}

for kernel in 6.12 6.1; do
	actions $kernel armed 143
	check "$kernel: a member is added while armed" said '^set ended with 0'
	check "$kernel: 'in' sees it, until it is taken out" hits asks-sets 1
	check "$kernel: a member is taken out" said '^taken out with 0'
	check "$kernel: and is none any more" said '^again with 1'
done
actions 6.12 dry 0
echo "1..$tests"
