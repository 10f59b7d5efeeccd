#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The report from full and partial, damaged and truncated dumps, built with sanitizers; crash and drgn with our namelist
# beside the debug package's. One crash for each kernel, dumped whole; makedumpfile makes the smaller ones of it here.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
PATH=$PATH:/usr/sbin:/sbin
deadfall=$build/deadfall
san=$build-san
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export ASAN_OPTIONS=detect_leaks=0	# libkdumpfile's own
unset MAKEFLAGS MAKELEVEL MFLAGS

make -s -j"$(nproc)" VARIANT=san BUILD="$san" "$san/deadfall" mangle || exit 99
cat >"$scratch/rule.yaml" <<'R'
deadfall: 1
rule: asked-twice
about: One process group is asked for twice.
events:
  ask: {probe: "kprobe:__x64_sys_getpgid", key: arg.regs->di, keep: [kstack, pin]}
match: {sequence: [a: ask, b: ask]}
on_match:
  - panic: "asked for {key:d} twice: first by {a.task}, now by {b.task}"
R
printf '#include <stdlib.h>\n#include <unistd.h>\nint main(int n, char **v) { return getpgid(atoi(v[n - 1])) < 0; }\n' >"$scratch/ask.c"
${CC:-gcc} -static -O1 -o "$scratch/ask" "$scratch/ask.c"

# A report that tells what fired, or says why not; never a signal, never a hang.
report_of() {
	local rc=0
	timeout -k 5 60 "$san/deadfall" report "$1" >"$scratch/out" 2>"$scratch/err" || rc=$?
	[ "$rc" -le 1 ] && { [ -s "$scratch/out" ] || [ -s "$scratch/err" ]; } && return
	echo "status $rc"
	tail -n 30 "$scratch/out" "$scratch/err"
	return 1
}

fires_at_level() {
	"$deadfall" report --format json "$scratch/$1" >"$scratch/json" || return 1
	jq -c '{rule, unreadable}' "$scratch/json"
	jq -e '.rule == "asked-twice" and ([.context[].step] | index("a") and index("b")) and .stacks[0].user' "$scratch/json"
}

truncated() {
	local size i
	size=$(stat -c %s "$small")
	cp "$small" "$scratch/cut"
	for i in $(seq 100 -1 1); do
		# from the end to the beginning: one copy is enough
		truncate -s $((size * (i - 1) / 100 + (RANDOM * 32768 + RANDOM) % (size / 100))) "$scratch/cut"
		report_of "$scratch/cut" || { echo "cut at $(stat -c %s "$scratch/cut")"; return 1; }
	done
}

# 1,000 pages of the file, ten at a time, and undone again.
noisy_pages() {
	local pages i j at
	pages=$(($(stat -c %s "$small") / 4096))
	cp "$small" "$scratch/noisy"
	for i in $(seq 1 100); do
		at=()
		for j in 1 2 3 4 5 6 7 8 9 10; do
			# the first pages, with headers and descriptors, as often as all others
			at[j]=$(((RANDOM * 32768 + RANDOM) % (j % 2 ? 200 : pages)))
			head -c 4096 /dev/urandom | dd of="$scratch/noisy" bs=4096 conv=notrunc status=none seek="${at[j]}"
		done
		report_of "$scratch/noisy" || { echo "run $i: pages ${at[*]}"; return 1; }
		for j in "${at[@]}"; do
			dd if="$small" of="$scratch/noisy" bs=4096 conv=notrunc status=none skip="$j" seek="$j" count=1
		done
	done
}

mangled() {
	timeout 1800 "$san/tests/mangle" "$dir/vmcore" 1000 "$RANDOM"
}

# What crash prints with the namelist from the dump is what it prints with the debug package. sys names the file and has
# the uptime wrong (no line table, from which crash takes HZ); ps has more tasks: the debug package's finds those that run.
crash_agrees() {
	local n c bad=0
	printf '!echo @%s\n%s\n' bt bt bt-a 'bt -a' log log files files mod mod bpf bpf struct \
		'struct task_struct.pid,comm,tgid,mm init_task' file 'struct file' inode 'struct -o inode' ps ps >"$scratch/commands"
	for n in "$debug" "$scratch/namelist"; do
		timeout -k 5 600 crash -s "$n" "$dir/vmcore" <"$scratch/commands" >"$scratch/crash.${n##*/}" 2>&1
	done
	for c in bt bt-a log files mod bpf struct file inode ps; do
		for n in vmlinux namelist; do
			awk -v m="@$c" '$0 == m { on = 1; next } /^@/ { on = 0 } on' "$scratch/crash.$n" | tr -s ' ' >"$scratch/$n.part"
		done
		echo "$c: $(wc -l <"$scratch/vmlinux.part") lines"
		[ -s "$scratch/vmlinux.part" ] || bad=1
		if [ "$c" = ps ]; then
			[ "$(wc -l <"$scratch/namelist.part")" -ge "$(wc -l <"$scratch/vmlinux.part")" ] || bad=1
		else
			diff "$scratch/vmlinux.part" "$scratch/namelist.part" || bad=1
		fi
	done
	return $bad
}

drgn_agrees() {
	"$deadfall" report --format json "$dir/vmcore" >"$scratch/json" &&
		timeout -k 5 300 tests/soak/drgn-agrees "$dir/vmcore" "$debug" "$scratch/namelist" "$scratch/json" "$@"
}

RANDOM=1
for kernel in 6.12 6.1; do
	run_vm "$kernel" --kernel $kernel --copy "$scratch/ask" --rule "$scratch/rule.yaml" -- \
		'deadfall kdump setup --level 1 >/dev/null; sleep 1; /root/ask $$; /root/ask $$; sleep 60'
	check "$kernel: the rule fired and the dump was saved" same 10 "$rc"
	for level in 1 17 23 31; do
		makedumpfile -c -d $level "$dir/vmcore" "$scratch/level$level" >/dev/null 2>&1
		check "$kernel: level $level tells what fired" fires_at_level "level$level"
	done
	small=$scratch/level31
	debug=$(contrib/vm/kernel --debug $kernel)
	"$deadfall" vmlinux "$dir/vmcore" -o "$scratch/namelist" >/dev/null
	if [ $kernel = 6.1 ]; then
		check "$kernel: drgn with the debug package agrees: symbols, members, values, stacks" drgn_agrees stacks
		check "$kernel: crash prints the same as with the debug package" crash_agrees
	else	# drgn 0.0.22 does not know this kernel's unwind entries, crash 8.0.2 faults with its debug package
		check "$kernel: drgn with the debug package agrees: symbols, members, values" drgn_agrees
	fi
	makedumpfile -F -c -d 31 "$dir/vmcore" >"$scratch/flat" 2>/dev/null
	check "$kernel: flattened tells what fired" fires_at_level flat
	rm -f "$scratch/flat"
	check "$kernel: truncated at 100 points" truncated
	check "$kernel: 1,000 noisy pages of the file" noisy_pages
	check "$kernel: 1,000 reports with damaged or missing pages of those that are read" mangled
done

echo "1..$tests"
