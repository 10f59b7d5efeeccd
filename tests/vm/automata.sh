#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random rules on random events: the engines in the kernel and the reference in rules/sim/ say the same of each event.
# A bounded part, other rules every day; `make soak` has 10,000 sequences.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

figures() {
	tr -d '\r' <"$dir/command.log" | grep '^automata ' | tail -n 1
}

seed=${SEED:-$(date +%j)}
run_vm random --no-kdump --smp 1 --module "$build/vm/inject.ko" --copy "$build/vm/automata" -- "./automata $seed 3 12 4"
check "seed $seed: no differences" sh -c "[ $rc = 0 ] || { tr -d '\r' <'$dir/command.log' | tail -n 60; exit 1; }"
check "all were run: $(figures)" sh -c "tr -d '\r' <'$dir/command.log' | grep -q '^automata 36 sequences 144 .* differences 0'"
check "something was there to see" sh -c "tr -d '\r' <'$dir/command.log' | grep -Eq ' deadlines [1-9][0-9]* verdicts [1-9][0-9]+ '"
check "no complaints of the kernel" holds '.splats == []'
echo "1..$tests"
