#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limits.sh - what is large but allowed compiles; what is too large ends in an error that points at the place.
set -u
cd "$(dirname "$0")/../.." || exit 99
deadfall=${BUILD:-build}/deadfall
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

# try WHAT STATUS PATTERN FILE: compiling ends with the status and says the pattern ('' for nothing)
try() {
	local status
	n=$((n + 1))
	timeout 120 "$deadfall" compile --btf "${btf:-tests/data/kernel.btf}" "$4" -o "$dir/out.o" >"$dir/said" 2>&1
	status=$?
	if [ $status = "$2" ] && { [ -z "$3" ] || grep -q -- "$3" "$dir/said"; }; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1: status $status"
		cut -c1-200 "$dir/said" | head -n 5 | sed 's/^/# /'
		bad=1
	fi
}

# rule WHERE [KEY]
rule() {
	printf 'deadfall: 1\nrule: r\nevents:\n  e:\n    probe: kprobe:inode_put\n    where: %s\n    key: %s\n' "$1" "${2:-arg.inode}"
	printf 'match: {event: e}\non_match: [log: x]\n'
}

# join N SEPARATOR FORMAT: the format with 1 .. N in it
join() {
	awk -v n="$1" -v sep="$2" -v f="$3" 'BEGIN { for (i = 1; i <= n; i++) { printf "%s", (i > 1 ? sep : ""); printf f, i } }'
}

# events N
events() {
	printf 'deadfall: 1\nrule: r\nevents:\n'
	join "$1" '' '  e%d: {probe: kprobe:inode_put, key: arg.inode, where: arg.inode->i_ino != 7}\n'
	printf 'match: {event: e1}\non_match: [log: x]\n'
}

events 64 >"$dir/events"
try "64 events in a rule" 0 '' "$dir/events"
events 256 >"$dir/events"
try "256 events in a rule" 0 '' "$dir/events"
events 2000 >"$dir/events"
try "2000 events: an error" 1 'error\[limit\]: a rule has 1 to' "$dir/events"

rule 'arg.inode->i_ino != 0' "[$(join 8 ', ' 'arg.inode->i_ino + %d')]" >"$dir/key"
try "a key of 8 parts" 0 '' "$dir/key"
rule 'arg.inode->i_ino != 0' "[$(join 9 ', ' 'arg.inode->i_ino + %d')]" >"$dir/key"
try "a key of 9 parts: an error" 1 'error\[limit\]' "$dir/key"

for i in $(seq 1000); do
	echo "---"
	rule "arg.inode->i_ino == $i" | sed "s/^rule: r/rule: r$i/"
done >"$dir/many"
try "1000 rules in one set" 0 '' "$dir/many"
sed 's/^match:/context: {last: 2, keys: 8}\n&/' "$dir/many" >"$dir/few"
said 'memory: .* at once, .* at most (budget 64.0 MB' "1000 rules of few keys keep the usual budget" --btf tests/data/kernel.btf "$dir/few"

# Every level of && and || whose left side may be unknown has a word on the stack.
deep=$(awk 'BEGIN { for (i = 0; i < 60; i++) printf "%s(arg.inode->i_ino == %d %s ", "", i, i % 2 ? "||" : "\\&\\&"; printf "cpu == 1"; for (i = 0; i < 60; i++) printf ")" }' | sed 's/\\&/\&/g')
rule "$deep" >"$dir/deep"
try "too much stack: an error at the line" 1 'deep:6:.*error\[too-big\]: this needs more stack' "$dir/deep"
rule "$(join 200 ' || ' "arg.inode->i_sb->s_inodes.next$(printf '%20s' '' | sed 's/ /->next/g') == (void *)%d")" >"$dir/long"
try "too long for a jump: an error at the event" 1 'long:4:.*error\[too-big\]: this is so long that a BPF jump' "$dir/long"
rule "$(join 300 ' || ' 'arg.inode->i_ino == %d')" >"$dir/long"
try "300 alternatives" 0 '' "$dir/long"
long=$(join 250 ' || ' 'arg.file->f_inode->i_sb->s_flags == %d')
for i in $(seq 20); do
	echo "---"
	rule "$long" arg.file | sed "s/^rule: r/rule: r$i/; s/inode_put/vfs_fsync/"
done >"$dir/long"
try "20 rules of 250 alternatives: none has to jump over others" 0 '' "$dir/long"
loops() {
	printf 'deadfall: 1\nrule: r\nevents:\n'
	join "$1" '' '  e%d: {probe: kprobe:inode_put, where: "any(b, arg.inode->i_bytes, b == 1)"}\n'
	printf 'match: {event: e1}\non_match: [log: x]\n'
}
loops 150 >"$dir/loops"
try "150 loops" 0 '' "$dir/loops"
loops 250 >"$dir/loops"
try "250 loops: an error" 1 'error\[too-big\]: the set.s code at kprobe probes has [0-9]* functions, BPF allows 200' "$dir/loops"
# several N FORMAT: that many rules with the condition
several() {
	for i in $(seq "$1"); do
		echo "---"
		rule "$2" | sed "s/^rule: r/rule: r$i/"
	done
}

# told WHAT PATTERN FILE [MEMORY]: check, which makes the code of one rule at a time, says it of the whole set
told() {
	n=$((n + 1))
	"$deadfall" check --memory "${4:-1G}" --btf tests/data/kernel.btf "$3" >"$dir/said" 2>&1
	if grep -q -- "$2" "$dir/said"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		head -n 5 "$dir/said" | cut -c1-200 | sed 's/^/# /'
		bad=1
	fi
}
several 1000 'arg.inode->i_ino == 1' | sed 's/^match:/context: {last: 2, keys: 8}\n&/' >"$dir/many"
told "check: 1,000 rules of few keys keep the usual budget" "^memory: .* at once, .* at most (budget 64.0 MB" "$dir/many" 64M
several 60 "any(b, arg.inode->i_bytes, b == 1) || any(b, arg.inode->i_bytes, b == 2) || $(join 2 ' || ' 'any(b, arg.inode->i_table[0], b == %d)')" >"$dir/many"
told "check: 240 loops in 60 rules: an error" "error\[too-big\]: the set.s code at kprobe probes has [0-9]* functions" "$dir/many"
several 60 "$(join 100 ' || ' 'arg.inode->i_sb->s_inodes.next->next == (void *)%d')" >"$dir/many"
told "check: 6,000 alternatives may be too much: a warning" "warning\[too-big\]: the set.s code at kprobe probes may be too much for the kernel.s verifier" "$dir/many"
several 150 "$(join 100 ' || ' 'arg.inode->i_sb->s_inodes.next->next == (void *)%d')" >"$dir/many"
told "check: 15,000 are: an error" "error\[too-big\]: the set.s code at kprobe probes is too much for the kernel.s verifier" "$dir/many"
several 200 "arg.inode->i_ino == 7 && task.comm like \"db*\"" | sed "s/'/\"/g" >"$dir/many"
told "check: 200 plain rules are not" "^200 rules checked" "$dir/many"
several 100 "'kstack has \"vfs_write\"'" >"$dir/many"
told "check: 100 rules that look at the stack are not" "^100 rules checked" "$dir/many"
rule "$(join 20000 ' + ' '%d') == 1" >"$dir/long"
try "20000 operands: an error" 1 'error\[limit\]' "$dir/long"
rule "$(printf '%*s' 300 '' | tr ' ' '(')1$(printf '%*s' 300 '' | tr ' ' ')') == 1" >"$dir/nest"
try "300 parentheses: an error" 1 'error\[limit\]' "$dir/nest"
rule "task.comm == \"$(printf '%*s' 5000 '' | tr ' ' x)\"" >"$dir/text"
try "a text of 5000 characters: an error" 1 'error\[' "$dir/text"
printf 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, *b]\n' >"$dir/laughs"
try "aliases: an error" 1 'error\[' "$dir/laughs"
awk 'BEGIN { for (i = 0; i < 100; i++) printf "[" }' >"$dir/brackets"
try "100 lists in each other: an error" 1 'error\[' "$dir/brackets"

if [ -r /sys/kernel/btf/vmlinux ]; then
	btf=/sys/kernel/btf/vmlinux
	printf 'deadfall: 1\nrule: r\nevents: {e: {probe: "kprobe:*", key: task.tid}}\nmatch: {event: e}\non_match: [log: x]\n' >"$dir/glob"
	try "a glob over all functions of a kernel" 0 '' "$dir/glob"
	n=$((n + 1))
	found=$("$deadfall" probes '*' 2>/dev/null | wc -l)
	if [ "$found" -ge 30000 ]; then
		echo "ok $n - which are $found"
	else
		echo "not ok $n - which are only $found"
		bad=1
	fi
fi
echo "1..$n"
exit $bad
