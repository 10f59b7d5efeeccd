#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The planted bugs of rules/catalog/: all rules are loaded as one set and only write down. First every plant runs without
# its bug, and in the variants that look like it: nothing may match, though the probes see them. Then each bug: its rule
# alone matches, and what the report of the running kernel says is what the plant noted. Two of them as dumps; all as dumps: tests/soak/catalog.sh.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/catalog-lib
. tests/vm/catalog-lib

scen_options=()
for bug in $scen_bugs; do scen_options+=(--rule "rules/catalog/$(rule_for "$bug").yaml"); done
for rule in refcount-warn list-corruption; do scen_options+=(--rule "rules/catalog/kernel-$rule.yaml"); done

controls='for how in "session ok 20" "ref ok 10" "leak ok" "leak slow" "wait ok" "wait slow" "list ok 10"; do
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

# unseen NAMES: no event but these, a pattern, is without a hit after the controls.
unseen() {
	jq -e --arg but "^($1)$" '[.[].events[] | select((.event | test($but) | not) and .hit == 0)] == []' "$dir/out/controls.json" ||
		{ jq -c '.[].events[]' "$dir/out/controls.json"; return 1; }
}

counters_clean() {
	jq -e '[.[].events[] | .full + .nomem + .raced + .evicted + .nmi + .key_unknown] | add == 0' "$dir/status.json"
}

start_scen() {
	start_vm "scen-$1" --kernel "$1" "${scen_options[@]}" --module "$2" --no-kdump --run-args '--dry-run --memory 256M' -- \
		"$controls; $(bugs $scen_bugs)"
}

test_scen() {
	wait_vm "scen-$1"
	check "$1: all plants ran" same 0 "$rc"
	check "$1: no plant matches without its bug" same '' "$(fires controls)"
	check "$1: every probe saw them" unseen "deadline|oops|warn"
	check "$1: nothing was lost" counters_clean
	for bug in $scen_bugs; do
		judge "$bug" "$dir/out/$bug.json"
	done
	check "$1: each rule matched its own bug only; a request that is not answered is told from a lost wake-up" same \
		'kernel-list-corruption 1 kernel-refcount-warn 2 scen-leak-unregister 1 scen-list-double-add 1 scen-lost-wakeup 1 scen-never-answered 1 scen-ref-double-put 1 scen-ref-released-while-registered 1 scen-session-stale-timer 1 ' \
		"$(fires status-never)"
}

generic_options=(--rule rules/catalog/kernel-irqs-off.yaml)
generic_limits='--set kernel-irqs-off.limit=10s'
for bug in $generic_bugs; do
	generic_options+=(--rule "$(rule_file "$bug")")
	generic_limits+=" $(limits_for "$bug")"
done

generic_runs() {
	local bug how
	for how in 'fsync ok' 'journal ok' 'journal read' 'slow ok' 'hung ok' 'oom ok' 'fds ok' 'kv ok' 'work ok'; do
		echo "echo '== $how'; $(plant ${how% *} ${how#* })"
	done
	echo "deadfall status --json >/var/crash/out/controls.json"
	for bug in $generic_bugs; do
		echo "echo '== $bug bug'; $(plant "$bug" bug)
			deadfall report /proc/kcore --rule $(rule_for "$bug") --format json >/var/crash/out/$bug.json"
	done
	echo "deadfall status --json >/var/crash/out/bugs.json"
}

start_generic() {
	start_vm generic "${generic_options[@]}" --no-kdump --run-args "--dry-run --brake 100 --memory 256M $generic_limits" "${guest_options[@]}" -- \
		"mkdir -p /var/crash/out; $(generic_runs)"
}

test_generic() {
	wait_vm generic
	check "generic: all plants ran" same 0 "$rc"
	check "generic: nothing matches without its bug" same '' "$(fires controls)"
	check "generic: every probe saw them" unseen 'deadline|abort|failed|bad_io|mismatch|victim|late'
	for bug in $generic_bugs; do
		case $bug in fsync) nth=3 ;; slow) nth=4 ;; *) nth=-1 ;; esac
		judge "$bug" "$dir/out/$bug.json" $nth
	done
}

# By a clock that counts instructions, so that the machine below does not take part.
start_irqs() {
	start_vm irqs --rule rules/catalog/kernel-irqs-off.yaml --module "$build/vm/scen.ko" --no-kdump --run-args '--dry-run --brake 100' \
		--smp 1 --qemu-args '-icount shift=0,sleep=off -rtc clock=vm' -- '
		mkdir -p /var/crash/out; sleep 1
		for i in 1 2 3 4 5; do echo irqs ok >/proc/scen; sleep 0.1; done
		deadfall status --json >/var/crash/out/controls.json
		echo irqs bug >/proc/scen; sleep 0.1
		deadfall report /proc/kcore --format json >/var/crash/out/irqs.json'
}

test_irqs() {
	wait_vm irqs
	check "irqs: the plant ran" same 0 "$rc"
	check "irqs: nothing matches at 1 ms" same '' "$(fires controls)"
	judge irqs "$dir/out/irqs.json"
}

start_generic
start_scen 6.12 "$build/vm/scen.ko"
start_scen 6.1 "$build/vm-6.1/scen.ko"
start_irqs
start_dump session dump-session
start_dump wait dump-wait
test_generic
test_scen 6.12
test_scen 6.1
test_irqs
test_dump session dump-session
test_dump wait dump-wait
echo "1..$tests"
