#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The planted bugs of rules/catalog/, each five times as a dump whose report is compared with what the plant noted, and
# five times, on one machine, armed without the bug. RUNS=1 for less; BUGS="session leak" for some.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
# shellcheck source=tests/vm/catalog-lib
. tests/vm/catalog-lib

bugs=${BUGS:-$scen_bugs $generic_bugs} runs=${RUNS:-5}

# controls BUG: the ways to run the plant without its bug, as often as the bug.
controls() {
	local how run
	case $1 in
	leak | work) how='ok slow' ;;
	journal) how='ok read' ;;
	wait) how='ok slow never' ;;
	*) how=ok ;;
	esac
	for ((run = 1; run <= runs; run++)); do echo "$how"; done
}

for ((run = 1; run <= runs; run++)); do
	for bug in $bugs; do
		start_dump "$bug" "$bug-$run"
		test_dump "$bug" "$bug-$run"
	done
done
for bug in $bugs; do
	# shellcheck disable=SC2046
	calm "$bug" "$bug-calm" $(controls "$bug")
done
echo "1..$tests"
