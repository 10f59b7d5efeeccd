#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The planted bugs of rules/catalog/: all rules are loaded as one set and only write down. First every plant runs without
# its bug, and in the variants that look like it: nothing may match, though the probes see them. Then each bug: its rule
# alone matches, and what the report of the running kernel says is what the plant noted. The same as dumps: tests/soak.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/catalog-lib
. tests/vm/catalog-lib

scen_options=()
for bug in $scen_bugs; do scen_options+=(--rule "rules/catalog/$(rule_for "$bug").yaml"); done
for rule in rules/catalog/kernel-*.yaml; do scen_options+=(--rule "$rule"); done

controls='mkdir -p /var/crash/out
	for how in "session ok 20" "ref ok 10" "leak ok" "leak slow" "wait ok" "wait slow" "list ok 10"; do
		echo "$how" >/proc/scen &
	done
	wait
	deadfall status --json >/var/crash/out/controls.json'

bugs() {
	local bug
	for bug in "$@"; do
		echo "(echo '$bug bug $(scen_args "$bug")' >/proc/scen)
			deadfall report /proc/kcore --rule $(rule_for "$bug") --format json >/var/crash/out/$bug.json"
	done
	# shellcheck disable=SC2016
	echo 'echo wait never >/proc/scen; deadfall status --json >/var/crash/out/status-never.json'
}

# fires FILE: "RULE N" of each rule that has matched.
fires() {
	jq -r '.[].rules[] | select(.fires > 0) | "\(.rule) \(.fires)"' "$dir/out/$1.json" | sort | tr '\n' ' '
}

all_seen() {
	jq -e '[.[].events[] | select(.event | IN("deadline", "oops", "warn") | not) | select(.hit == 0)] == []' "$dir/out/controls.json" ||
		{ jq -c '.[].events[]' "$dir/out/controls.json"; return 1; }
}

counters_clean() {
	jq -e '[.[].events[] | .full + .nomem + .raced + .evicted + .nmi + .key_unknown] | add == 0' "$dir/status.json"
}

test_scen() {
	run_vm "scen-$1" --kernel "$1" "${scen_options[@]}" --module "$2" --no-kdump --run-args --dry-run -- \
		"$controls; $(bugs $scen_bugs)"
	check "$1: all plants ran" same 0 "$rc"
	check "$1: no plant matches without its bug" same '' "$(fires controls)"
	check "$1: every probe saw them" all_seen
	check "$1: nothing was lost" counters_clean
	for bug in $scen_bugs; do
		judge "$bug" "$dir/out/$bug.json"
	done
	check "$1: each rule matched its own bug only; a request that is not answered is told from a lost wake-up" same \
		'kernel-list-corruption 1 kernel-refcount-warn 2 scen-leak-unregister 1 scen-list-double-add 1 scen-lost-wakeup 1 scen-never-answered 1 scen-ref-double-put 2 scen-ref-released-while-registered 1 scen-session-stale-timer 1 ' \
		"$(fires status-never)"
}

test_scen 6.12 "$build/vm/scen.ko"
test_scen 6.1 "$build/vm-6.1/scen.ko"
dump session dump-session
dump wait dump-wait
echo "1..$tests"
