#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 1,000 rules of two probes each in one set, loaded at once on both kernels: each sees the one event that is its own. How
# much memory they take and how long loading does is printed. A set that is more than a program may be is an error that
# says what to do.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Reads of odd sizes and writes of even ones, and a function that other tasks call all the time.
for i in $(seq 1000); do
	[ $((i % 2)) = 1 ] && function=vfs_read || function=vfs_write
	cat <<-END
	---
	deadfall: 1
	rule: many-$i
	events:
	  own:
	    probe: kprobe:$function
	    where: arg.count == $i && task.comm == "df-many"
	    key: arg.file
	    fields: {pos: arg.file->f_pos}
	    keep: [kstack]
	  other: {probe: "kprobe:d_lookup", where: 'task.comm == "x$i"', key: arg.parent}
	match: {event: own}
	context: {last: 2, keys: 8}
	on_match: [log: "rule $i"]
	END
done >"$work/many.yaml"

each_once() {
	same 1000 "$(jq '[.[].rules[] | select(.fires == 1)] | length' "$dir/status.json")"
}

for kernel in 6.12 6.1; do
	limit=1800 run_vm "$kernel" --kernel "$kernel" --mem 2G --no-kdump --run-args --dry-run --rule "$work/many.yaml" \
		--copy "$build/vm/many" -- './many 1000; sed -n "s/^MemAvailable: */available: /p" /proc/meminfo;
		sleep 1'
	check "$kernel: 1,000 rules load at once" same 0 "$rc"
	check "$kernel: each has seen its own event, and no other's" each_once
	echo "# $kernel: $(jq -c .ms "$dir/result.json") ms; $(grep available "$dir/command.log" | tr -d '\r') of 2 GB"
done

# Conditions of 300 reads each: together more instructions than a program may have.
alternatives=$(awk 'BEGIN { for (i = 0; i < 300; i++) printf "%sarg.file->f_inode->i_ino == %d", (i ? " || " : ""), i }')
for i in $(seq 220); do
	printf -- '---\ndeadfall: 1\nrule: long-%s\nevents:\n  e:\n    probe: kprobe:vfs_read\n    where: %s\nmatch: {event: e}\non_match: [log: x]\n' \
		"$i" "$alternatives"
done >"$work/long.yaml"
too_long() {
	"$build/deadfall" compile --btf tests/data/kernel.btf "$work/long.yaml" -o "$work/long.o" 2>&1 |
		grep 'error\[too-big\]: the set needs [0-9]* instructions, BPF allows 1000000; load the rules in several sets'
}
check "a set of more than a million instructions is an error" too_long
echo "1..$tests"
