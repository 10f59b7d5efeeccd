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
# Leaks, and sizes from damaged headers given to malloc, are libkdumpfile's own. A status of its own tells what a sanitizer
# found from a report that is refused.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:exitcode=99 UBSAN_OPTIONS=exitcode=99
unset MAKEFLAGS MAKELEVEL MFLAGS

make -s -j"$(nproc)" VARIANT=san BUILD="$san" "$san/deadfall" mangle || exit 99

# A report that tells what fired, or says why not; never a signal, never a hang.
report_of() {
	local rc=0
	timeout -k 5 60 "$san/deadfall" report "$1" >"$scratch/out" 2>"$scratch/err" || rc=$?
	[ "$rc" -le 1 ] && { [ -s "$scratch/out" ] || [ -s "$scratch/err" ]; } &&
		! grep -qE 'ERROR: AddressSanitizer|runtime error' "$scratch/err" && return
	echo "status $rc"
	tail -n 30 "$scratch/out" "$scratch/err"
	return 1
}

# dump_at LEVEL [makedumpfile's option]: a smaller dump of the same crash.
dump_at() {
	small=$scratch/$kernel.level$1${2-}
	if [ -n "${2-}" ]; then
		makedumpfile "$2" -c -d "$1" "$dir/vmcore" >"$small" 2>"$scratch/err"
	else
		makedumpfile -c -d "$1" "$dir/vmcore" "$small" >"$scratch/err" 2>&1
	fi || { cat "$scratch/err"; return 1; }
}

fires_at_level() {
	dump_at "$@" && "$deadfall" report --format json "$small" >"$scratch/json" || return 1
	jq -c '{rule, kernel: .kernel.release, unreadable}' "$scratch/json"
	jq -e --arg k "$kernel." '(.kernel.release | startswith($k)) and .rule == "asked-twice" and .unreadable == [] and
		([.context[].step] | index("a") and index("b")) and .stacks[0].user' "$scratch/json"
}

# Where slab pages are taken for user pages (docs/kdump.md), what is gone is told; or there was luck.
says_what_is_gone() {
	dump_at "$@" && "$deadfall" report --format json "$small" >"$scratch/json" || return 1
	jq -c '{rule, kernel: .kernel.release, unreadable}' "$scratch/json"
	jq -e --arg k "$kernel." '(.kernel.release | startswith($k)) and (.unreadable != [] or .rule == "asked-twice")' \
		"$scratch/json"
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

# What crash prints with the namelist from the dump is what it prints with the debug package. Accepted: sys names another
# file, and both it and ps find more tasks (with the debug package sleeping ones are missing, see patch_pid() in
# kdump/compat.c).
crash_agrees() {
	local n c bad=0
	printf '!echo @%s\n%s\n' sys sys bt bt bt-a 'bt -a' log log files files mod mod bpf bpf struct \
		'struct task_struct.pid,comm,tgid,mm init_task' task 'task -R comm,pid,flags,start_time' file 'struct file' \
		inode 'struct -o inode' ps ps extend "extend $PWD/$build/deadfall.so" deadfall deadfall context 'deadfall -c' \
		events 'deadfall -e' json 'deadfall -j' >"$scratch/commands"
	for n in "$debug" "$scratch/namelist"; do
		timeout -k 5 600 crash -s "$n" "$dir/vmcore" <"$scratch/commands" >"$scratch/crash.${n##*/}" 2>&1
	done
	for c in sys bt bt-a log files mod bpf struct task file inode ps deadfall context events json; do
		for n in vmlinux namelist; do
			awk -v m="@$c" '$0 == m { on = 1; next } /^@/ { on = 0 } on && !/^ +(KERNEL|TASKS): /' "$scratch/crash.$n" |
				tr -s ' ' >"$scratch/$n.part"
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

# In full mode crash 8.0.2 faults with this file.
crash_minimal() {
	printf '%s\n' "extend $PWD/$build/deadfall.so" deadfall 'deadfall -c' 'deadfall -j' |
		timeout -k 5 600 crash -s --minimal --kaslr=auto "$debug" "$dir/vmcore" >"$scratch/crash.out" 2>&1
	grep -q '^VERDICT: asked-twice: asked for' "$scratch/crash.out" && grep -q 'ask (b) ' "$scratch/crash.out" &&
		grep -q '"rule": "asked-twice"' "$scratch/crash.out" || { tail -n 30 "$scratch/crash.out"; return 1; }
}

drgn_agrees() {
	"$deadfall" report --format json "$dir/vmcore" >"$scratch/json" &&
		timeout -k 5 300 tests/soak/drgn-agrees "$dir/vmcore" "$debug" "$scratch/namelist" "$scratch/json" "$@"
}

RANDOM=1
for kernel in 6.12 6.1; do
	run_vm "$kernel" --kernel $kernel --copy "$build/vm/ask" --rule tests/vm/rules/asked-twice.yaml -- \
		'deadfall kdump setup --level 1 >/dev/null; /root/ask wait & sleep 1; /root/ask $$; /root/ask $$; sleep 60'
	check "$kernel: the rule fired and the dump was saved" same 10 "$rc"
	[ -s "$dir/vmcore" ] || continue
	for level in 1 17 23; do
		check "$kernel: level $level tells what fired" fires_at_level $level
	done
	if [ $kernel = 6.12 ]; then
		check "$kernel: level 31 tells what is gone" says_what_is_gone 31
	else
		check "$kernel: level 31 tells what fired" fires_at_level 31
	fi
	debug=$(contrib/vm/kernel --debug $kernel)
	"$deadfall" vmlinux "$dir/vmcore" -o "$scratch/namelist" >/dev/null
	if [ $kernel = 6.1 ]; then
		check "$kernel: drgn with the debug package agrees: symbols, members, values, stacks" drgn_agrees stacks
		check "$kernel: crash prints the same as with the debug package" crash_agrees
	else
		check "$kernel: deadfall.so in crash --minimal with the debug package" crash_minimal
		# drgn 0.0.22 does not know the unwind table in this debug package, crash 8.0.2 faults with it
		check "$kernel: drgn with the debug package agrees: symbols, members, values, stacks" drgn_agrees
	fi
	check "$kernel: flattened tells what fired" fires_at_level 23 -F
	small=$scratch/$kernel.level23
	check "$kernel: truncated at 100 points" truncated
	check "$kernel: 1,000 noisy pages of the file" noisy_pages
	check "$kernel: 1,000 reports with damaged or missing pages of those that are read" mangled
done

echo "1..$tests"
