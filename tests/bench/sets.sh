#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `in $set`, numbers that are not in it: nanoseconds of a lookup with and without the Bloom filter (3 hash functions), by
# BPF_PROG_TEST_RUN in one run. Wall time, because it is cache misses that the filter avoids, and instructions do not show
# those. On this machine's kernel if it lets us load programs, else in a virtual machine.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
sizes=(1000 10000 20000 50000 100000 500000 1000000)
where="this machine's kernel"

lines=$("$build/tests/bench/sets" "$build/tests/bench/sets.bpf.o" "${sizes[@]}")
rc=$?
if [ $rc = 3 ]; then
	where='a virtual machine'
	limit=900
	run_vm sets --no-kdump --disk 0 --mem 2G --copy "$build/tests/bench/sets" --copy "$build/tests/bench/sets.bpf.o" -- \
		./sets sets.bpf.o "${sizes[@]}"
	lines=$(cat "$dir/command.log")
fi
check "measured" same 0 "$rc"

declare -A elsewhere=([50000]=15 [100000]=25 [500000]=180 [1000000]=200)
echo "# on $where; gain: how many more lookups are done in the same time"
printf '# %8s %12s %12s %8s %16s\n' members 'plain, ns' 'filter, ns' gain 'gain elsewhere'
while read -r members plain filtered; do
	gain=$(awk "BEGIN { printf \"%.0f\", 100 * ($plain / $filtered - 1) }")
	printf '# %8s %12s %12s %7s%% %15s%%\n' "$members" "$plain" "$filtered" "$gain" "${elsewhere[$members]:--}"
	# where agent/members.c puts a filter in front it must pay
	[ "$members" -lt 20000 ] || check "$members members: the filter pays" test "$gain" -gt 0
done <<<"$lines"
echo "1..$tests"
