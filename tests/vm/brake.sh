#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The brake: a set whose probes take too much of a CPU is disarmed and detached, and says so; a quiet one is not.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

says() {
	sed -n "/^== $1\$/,/^== /p" "$dir/command.log" | tr -d '\r' | grep -E -- "$2" || { cat "$dir/command.log"; return 1; }
}

# shellcheck disable=SC2016
run_vm brake --no-kdump --rule tests/vm/rules/hot.yaml --run-args '--dry-run --brake 2' \
	--copy tests/vm/rules/two-on-one.yaml -- '
	deadfall run --dry-run two-on-one.yaml >/tmp/quiet 2>&1 & quiet=$!
	until grep -q armed /tmp/quiet; do sleep 0.2; [ -d /proc/$quiet ] || break; done
	dd if=/dev/zero of=/dev/null bs=1 & busy=$!
	n=0; until deadfall status | grep -q brake || [ $n -ge 40 ]; do sleep 1; n=$((n + 1)); done
	echo "== status"; deadfall status
	seen() { deadfall status | sed -n "s/.* any *seen \([0-9]*\) .*/\1/p"; }
	sleep 2; before=$(seen); sleep 1; echo "== after"; echo "more: $(($(seen) - before))"
	kill $busy
	echo "== arm"; deadfall arm hot; echo "status $?"
	echo "== quiet"; cat /tmp/quiet; deadfall list
	kill -TERM $quiet; wait $quiet; echo "agent $?"; echo "== end"'
check "the machine is fine afterwards" same 0 "$rc"
check "the hot set says that it was stopped" grep -E '^brake: the probes of hot took [0-9.]+ % of a CPU' "$dir/deadfall.log"
check "status says so" says status 'the brake has let go of its probes: they took'
check "its probes are gone" says after '^more: 0$'
check "it cannot be armed again" says arm '^status 3$'
check "and why is said" says arm 'the brake has let go of its probes'
check "the quiet set was let alone" sh -c "! sed -n '/^== quiet/,/^== end/p' '$dir/command.log' | grep -q brake:"
check "and ends in order" says quiet '^agent 0'
check "no complaints of the kernel" holds '.splats == []'
echo "1..$tests"
