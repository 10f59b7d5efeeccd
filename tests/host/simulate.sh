#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# simulate.sh - tests/sim/NAME: what `deadfall simulate` makes of a rule and events, to the letter. Each kind of match has
# one; the events that end a match, and those that just do not, are in events.json with the number of matches expected.
#
# REGOLD=1 writes what is printed now and shows what that changed.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
deadfall=$(cd "$top" && realpath "${BUILD:-build}")/deadfall
new=$(mktemp)
trap 'rm -f "$new"' EXIT
n=0 bad=0

result() {
	n=$((n + 1))
	if "${@:2}" >&2; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		bad=1
	fi
}

for dir in "$top"/tests/sim/*/; do
	cd "$dir" || exit 99
	name=$(basename "$dir")
	"$deadfall" simulate --btf "$top/tests/data/kernel.btf" rule.yaml events.json >"$new" 2>&1
	echo "exit status $?" >>"$new"
	if [ -n "${REGOLD:-}" ] && ! cmp -s expect "$new"; then
		diff -u expect "$new" 2>/dev/null
		cp "$new" expect
	fi
	result "$name" diff -u expect "$new"
	case $name in err.*) want=1 ;; *) want=0 ;; esac
	result "$name: exit status" grep -qx "exit status $want" "$new"
done

for kind in event sequence missing rate balance lifecycle latency change population overlap origin automaton; do
	result "$kind has a test" test -e "$top/tests/sim/$kind/expect"
done

cd "$top/tests/sim" || exit 99
btf=(--btf "$top/tests/data/kernel.btf")
"$deadfall" simulate "${btf[@]}" --json sequence/rule.yaml sequence/events.json >"$new"
result "--json" jq -e '.[0].rule == "r" and [.[0].fires[].key] == ["0x1", "0x6", "0x7"] and
	[.[0].fires[0].steps[].step] == ["a", "b", "c"] and (.[0].unmatched | length) == 5' "$new"
"$deadfall" simulate "${btf[@]}" --set least=2 flags/rule.yaml flags/events.json >"$new" 2>&1
result "--set changes a parameter" grep -q "rule 'asks' matched 2 times, not 1 as expected" "$new"
"$deadfall" simulate "${btf[@]}" --set lest=2 flags/rule.yaml flags/events.json >"$new" 2>&1
result "--set of an unknown one says which there are" grep -q "no parameter 'lest'; there are: asks.least" "$new"
"$deadfall" simulate "${btf[@]}" flags/rule.yaml >"$new" 2>&1
result "no events: usage, 2" test $? = 2
"$deadfall" simulate --btf /nonexistent sequence/rule.yaml sequence/events.json >"$new" 2>&1
result "no types: 3" test $? = 3
exit $bad
