#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a probe costs, in guest instructions: a machine under QEMU's -icount, where a nanosecond is an instruction and the
# same is measured however busy the host is. Baselines (the unprobed call, programs that do nothing, bpftrace) come from
# the same boot. Targets are those of Linux 6.12.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bench-rules"
limit=1500

# rules NAME: a file of rules from stdin
rules() {
	cat >"$scratch/bench-rules/$1.yaml"
}

# looks NAME PROBE CONDITION: one event with a condition that is false, or always true
looks() {
	cat <<-R
	---
	deadfall: 1
	rule: $1
	about: Nothing happens.
	events:
	  ask: {probe: "$2", where: $3}
	match: {event: ask}
	on_match: [log: never]
	R
}

# waits NAME EVENT EVENT: a sequence whose first event is what is measured, and whose second never comes
waits() {
	cat <<-R
	deadfall: 1
	rule: $1
	about: A process group is asked for, then a session.
	events:
	  ask: {$2}
	  never: {$3}
	match: {sequence: [a: ask, b: never]}
	on_match: [log: never]
	R
}

# twice NAME: the second event of a sequence, which completes it; the verdict is cooling down
twice() {
	cat <<-R
	deadfall: 1
	rule: $1
	about: A process group is asked for twice.
	events:
	  ask: {probe: "kprobe:__x64_sys_getpgid", key: arg.regs->di}
	match: {sequence: [a: ask, b: ask], cooldown: 1h}
	on_match: [log: never]
	R
}

ask=kprobe:__x64_sys_getpgid
other=kprobe:__x64_sys_getsid
for kind in kprobe fentry; do
	looks miss "$kind:__x64_sys_getpgid" 'arg.regs == 4660' | rules "$kind-miss"
	looks miss "$kind:__x64_sys_getpgid" 'arg.regs->di == 12345' | rules "$kind-miss-read"
	looks miss "$kind:__x64_sys_getpgid" 'arg.regs->di == 12345' | rules "$kind-miss-read-zero"
	for key in arg.regs 'arg.regs->di'; do
		name=$kind-hit$([ $key = arg.regs ] || echo -read)
		waits hit "probe: '$kind:__x64_sys_getpgid', key: $key" "probe: '$kind:__x64_sys_getsid', key: $key" | rules "$name"
	done
done
waits hit "probe: '$ask', key: arg.regs, keep: [kstack]" "probe: '$other', key: arg.regs" | rules kprobe-hit-stack
twice twice | rules kprobe-twice
looks miss 'usdt:/root/calls:bench:site' 'arg0 == 12345' | rules usdt-miss
waits hit "probe: 'usdt:/root/calls:bench:site', key: arg0" "probe: '$other', key: arg.regs->di" | rules usdt-hit
for i in $(seq 64); do looks "miss-$i" $ask "arg.regs->di == $((12345 + i))"; done | rules many-on-one

# one rule on the function, and 1 or 1,000 on others; then only the 1,000
mapfile -t functions < <("$build/deadfall" probes '__x64_sys_*' --btf "$(contrib/vm/kernel 6.12)" 2>/dev/null |
	sed -n 's/^kprobe:\(__x64_sys_[a-z0-9_]*\)(struct pt_regs \* regs).*/\1/p' | grep -v -e getpgid -e exit -e sigreturn)
others() {
	for i in $(seq "$1"); do looks "other-$i" "kprobe:${functions[i % ${#functions[@]}]}" "arg.regs == $i"; done
}
{ looks miss $ask 'arg.regs == 4660'; others 1; } | rules among-1
{ looks miss $ask 'arg.regs == 4660'; others 1000; } | rules among-1000
others 1000 | rules only-others

run_vm events --no-kdump --disk 0 --smp 1 --mem 2G --accel tcg --qemu-args '-icount shift=0,sleep=off -rtc clock=vm' \
	--copy "$build/tests/bench/calls" --copy tests/bench/events-guest --copy "$scratch/bench-rules" --with bpftrace \
	-- sh ./events-guest
grep '^#' "$dir/command.log"

declare -A at
while read -r name ns; do at[$name]=$ns; done < <(grep -E '^[a-z0-9_-]+ [0-9.]+$' "$dir/command.log")

# more FIGURE BASELINE: the difference
more() {
	awk "BEGIN { printf \"%.0f\", ${at[$1]:-99999999} - ${at[$2]:-0} }"
}

# figure WHAT FOUND [LIMIT]: a line of the table; with LIMIT a test
figure() {
	if [ $# = 2 ]; then
		printf '# %-84s %6s\n' "$1" "$2"
		return
	fi
	tests=$((tests + 1))
	if [ "$2" -le "$3" ]; then printf 'ok %d' $tests; else printf 'not ok %d' $tests; fi
	printf ' - %-80s %6s, wanted at most %s\n' "$1" "$2" "$3"
}

check "the machine measured" same 0 "$rc"
multi=empty-kprobe_multi
figure "an empty kprobe_multi program, over the unprobed call" "$(more $multi syscall)"
figure "an empty fentry program, over the unprobed call" "$(more empty-fentry syscall)"
figure "an empty uprobe program, over the unprobed site" "$(more empty-uprobe site)"
figure "kprobe_multi, filter miss, over an empty program" "$(more kprobe-miss $multi)" 40
figure "kprobe_multi, filter miss with one dereference, over an empty program" "$(more kprobe-miss-read $multi)" 115
figure "kprobe_multi, the same where the value is 0" "$(($(more kprobe-miss-read-zero syscall0) - $(more $multi syscall)))"
figure "kprobe_multi, hit + state + full list, over the unprobed call" "$(more kprobe-hit syscall)" 1000
figure "the same, its key read by a dereference" "$(more kprobe-hit-read syscall)" 1000
figure "kprobe_multi, + kernel stack" "$(more kprobe-hit-stack kprobe-hit)" 2000
figure "kprobe_multi, a step that completes a sequence, over the unprobed call" "$(more kprobe-twice syscall)"
figure "fentry, filter miss, over an empty program" "$(more fentry-miss empty-fentry)"
figure "fentry, filter miss with one dereference, over an empty program" "$(more fentry-miss-read empty-fentry)"
figure "fentry, hit + state + full list, over the unprobed call" "$(more fentry-hit syscall)" 1000
figure "the same, its key read by a dereference" "$(more fentry-hit-read syscall)" 1000
figure "USDT, filter miss, over an empty program" "$(more usdt-miss empty-uprobe)"
figure "USDT, hit + state + full list, over an empty program" "$(more usdt-hit empty-uprobe)"
one=$(more kprobe-miss-read syscall)
[ -n "${at[kprobe-miss-read]:-}" ] || one=0 # what is not known is no limit
figure "64 rules on one function, each a miss with a dereference; one is $one" "$(more many-on-one syscall)" $((64 * one - 1))
figure "1,000 rules on other functions: more than with 1 rule on another" "$(more among-1000 among-1)" 2
figure "1,000 rules on other functions, none on this one" "$(more only-others syscall)" 2
figure "bpftrace, filter miss, over the unprobed call" "$(more bpftrace-miss syscall)"
figure "bpftrace, filter miss with one dereference, over the unprobed call" "$(more bpftrace-miss-read syscall)"
figure "bpftrace, a count in a map, over the unprobed call" "$(more bpftrace-hit syscall)"
echo "# the unprobed call ${at[syscall]:-?} instructions, the unprobed site ${at[site]:-?}; all are instructions per call"
echo "1..$tests"
