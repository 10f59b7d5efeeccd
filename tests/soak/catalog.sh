#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The planted bugs of rules/catalog/, each five times as a dump whose report is compared with what the plant noted, and
# five times armed without the bug. RUNS=1 for less; BUGS="session leak" for some.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
# shellcheck source=tests/vm/catalog-lib
. tests/vm/catalog-lib

for bug in ${BUGS:-$scen_bugs $generic_bugs}; do
	for ((run = 1; run <= ${RUNS:-5}; run++)); do
		start_dump "$bug" "$bug-$run"
		test_dump "$bug" "$bug-$run"
		case $bug in
		leak | work) calm "$bug" "$bug-calm-$run" ok slow ;;
		journal) calm "$bug" "$bug-calm-$run" ok read ;;
		wait) calm "$bug" "$bug-calm-$run" ok slow never ;;
		*) calm "$bug" "$bug-calm-$run" ok ;;
		esac
	done
done
echo "1..$tests"
