#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `deadfall check`: one rule and 1,000 rules, the best of several runs. The kernel's types are those of the running kernel.
set -u
cd "$(dirname "$0")/../.." || exit 99
build=${BUILD:-build}
n=0

# best N: milliseconds for the types and for the rest
best() {
	local i
	for i in 1 2 3 4 5 6 7; do
		"$build/tests/bench/check" "$1" || echo failed
	done | sort -g -k2 | head -n 1
}

# within WHAT FOUND LIMIT UNIT
within() {
	n=$((n + 1))
	if awk "BEGIN { exit !($2 <= $3) }"; then
		echo "ok $n - $1: $2 $4, wanted at most $3 $4"
	else
		echo "not ok $n - $1: $2 $4, wanted at most $3 $4"
	fi
}

if [ ! -r /sys/kernel/btf/vmlinux ]; then
	echo "not ok 1 - nothing measured: this kernel has no BTF"
	exit 1
fi

rules=$(mktemp --suffix .yaml)
trap 'rm -f "$rules"' EXIT

# whole: milliseconds of the whole command, the best of several runs
whole() {
	local start end
	for _ in 1 2 3 4 5 6 7; do
		start=$EPOCHREALTIME
		"$build/deadfall" check --memory 1G "$rules" >/dev/null || echo 99999
		end=$EPOCHREALTIME
		echo $(((${end/./} - ${start/./}) / 1000))
	done | sort -n | head -n 1
}

for count in 1 1000; do
	read -r types rest < <(best $count)
	"$build/tests/bench/check" $count "$rules"
	echo "# $count rules: types $types ms, the rest $rest ms, the whole command $(whole) ms"
	within "$count rules, all but the types, each" "$(awk "BEGIN { print $rest / $count }")" 1 ms
	within "$count rules, memory" "$(command time -f %M "$build/deadfall" check --memory 1G "$rules" 2>&1 >/dev/null)" 32768 KB
	[ $count = 1 ] && within "deadfall check of one rule" "$(whole)" 60 ms
done
echo "1..$n"
