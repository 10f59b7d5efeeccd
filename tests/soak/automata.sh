#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 10,080 random sequences of events on 5,040 random rules: engines and reference say the same (tests/vm/automata.c).
set -u
limit=3300
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"

seed=${SEED:-$(date +%s)}
run_vm random --no-kdump --smp 1 --module "$build/vm/inject.ko" --copy "$build/vm/automata" -- "./automata $seed 84 60 2"
tr -d '\r' <"$dir/command.log" | grep '^automata ' | sed 's/^/# /'
check "seed $seed: no differences" sh -c "[ $rc = 0 ] || { tr -d '\r' <'$dir/command.log' | tail -n 60; exit 1; }"
check "all were run" sh -c "tr -d '\r' <'$dir/command.log' | grep -q '^automata 5040 sequences 10080 .* differences 0'"
check "no complaints of the kernel" holds '.splats == []'
echo "1..$tests"
