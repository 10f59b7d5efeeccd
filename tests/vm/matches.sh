#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# matches.sh - every kind of match on injected events: how often each rule fires, and that nothing was lost.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

# RULE KEY-COMMANDS: what is written to /proc/inject; "sleep MS" in between
workload=$(mktemp)
trap 'rm -f "$workload"' EXIT
cat >"$workload" <<'END'
# event: one of two has the value
a 101 7; a 101 8
# sequence: complete; broken by d; out of order; too late; the latest start wins
a 201; b 201; c 201
a 202; b 202; d 202; c 202
b 203; a 203; c 203
a 204; b 204; ms 400; c 204
a 205; ms 400; a 205; b 205; c 205
# guard: 5 > 1 + 1; 2 is not
a 301 1; b 301 5
a 302 1; b 302 2
# missing: b in time; never; late
a 401; b 401
a 402
a 403; ms 500; b 403
# rate: 4 in a window; 3 and 1 in two
a 501; a 501; a 501; a 501
a 502; a 502; a 502; ms 400; a 502
# balance: below zero; leak at the end; balanced
b 601
a 602; a 602; b 602; c 602
a 603; b 603; c 603
# owner: 2 puts what 1 got
a 701 1; b 701 2
a 702 1; b 702 1
a 703 5; a 703 6; a 703 6; b 703 6; b 703 7
# lifecycle: double free; use after free; stale use; address reused rightly; free of what was never allocated, and again
a 801 1; b 801; b 801
a 802 1; c 802 1; b 802; c 802 1
a 803 1; b 803; a 803 2; c 803 1
a 804 1; c 804 1; b 804; a 804 2; c 804 2; b 804
b 805; b 805
# latency
a 901; ms 300; b 901
a 902; b 902
# change: 1 to 2 unannounced, and that to 3; written
a 1001 1; a 1001 1; a 1001 2; a 1001 3
a 1002 1; b 1002; a 1002 2
# population: 4 live at once; never more than 3
a 1101; a 1102; a 1103; b 1101; a 1104; b 1104; a 1105; a 1106
# group: three of group 1, two of group 2, one of group 1 died before
a 1201 1; a 1202 1; b 1202; a 1203 1; a 1204 2; a 1205 2; a 1206 1
# overlap: the same thread may nest
a 1301; a 1301; b 1301; b 1301
# automaton: a twice; d after c; deadline; in time
a 1401 1; a 1401 2
a 1404 4; c 1404; d 1404 5
a 1402 3; c 1402
a 1403; c 1403; b 1403
# times, every
a 1501; a 1501
a 1502; a 1502; a 1502
a 1601; a 1602; a 1603; a 1604
# owner: 5 never puts
a 1701 5; a 1701 6; b 1701 6; c 1701
# histories of the rule and of a CPU
d 1801; d 1802; d 1803; d 1804; d 1805; d 1806; d 1807; b 1808
d 1901; d 1902; d 1903; d 1904; d 1905; d 1906; d 1907; b 1908
# generations: after a birth the mark was never there
b 2001 7; c 2001; d 2001 8; a 2001 9; d 2001 8
END
script=$(mktemp)
sed '/^#/d' "$workload" | tr ';' '\n' | sed 's/^ *//; s/^/echo "/; s/$/" >\/proc\/inject/' >"$script"
{
	echo '(echo "a 1350" >/proc/inject) & wait; echo "a 1350" >/proc/inject; echo "b 1350" >/proc/inject; sleep 1'
} >>"$script"

fires() {
	same "$2" "$(jq -r --arg rule "$1" '[.[].rules[] | select(.rule == $rule) | .fires] | add' "$dir/status.json")"
}

counters_clean() {
	jq -e '[.[].events[] | .full + .nomem + .raced + .nmi + .key_unknown] | add == 0' "$dir/status.json"
}

# why FILTER: of the rules and events in the status
why() {
	jq -e "$1" "$dir/status.json"
}

expect='m1-event 1
m2-sequence 2
m3-guard 1
m4-missing 2
m5-rate 1
m6-balance 2
m7-owner 2
m8-lifecycle 5
m9-latency 1
m10-change 2
m11-population 1
m12-group 1
m13-overlap 1
m14-automaton 3
m15-times 1
m16-every 4
m17-holder 1
m18-of-rule 1
m19-of-cpu 1
m20-generations 2'

run_vm events --module "$build/vm/inject.ko" --rule tests/vm/rules/matches.yaml --no-kdump --run-args --dry-run \
	--copy "$script:/root/events" -- 'sh ./events; deadfall status
	deadfall report /proc/kcore --rule m7-owner --format json >/var/crash/out/owner.json
	deadfall report /proc/kcore --rule m8-lifecycle --format json >/var/crash/out/lifecycle.json
	deadfall report /proc/kcore --rule m1-event --format json >/var/crash/out/event.json
	deadfall report /proc/kcore --rule m8-lifecycle
	deadfall report /proc/kcore --rule m17-holder --format json >/var/crash/out/holder.json
	deadfall report /proc/kcore --rule m17-holder
	deadfall report /proc/kcore --rule m18-of-rule --format json >/var/crash/out/of-rule.json
	deadfall report /proc/kcore --rule m19-of-cpu --format json >/var/crash/out/of-cpu.json'
check "the workload ends well" same 0 "$rc"
while read -r rule n; do
	check "$rule fires $n times" fires "$rule" "$n"
done <<<"$expect"
check "nothing was lost" counters_clean
check "the log has the message, filled in" grep -q 'rule m1-event .*: a 0x7 of key 101, 101, in inject_a, m1-event by sh$' "$dir/deadfall.log"
check "... and the report" holds '.match.reason == "a 0x7 of key 101, 101, in inject_a, m1-event by sh"' out/event.json
check "an earlier step of the name of the event that fired is meant, else that event" same "a 1 d ?;a 3 d ?;a 4 d 5" \
	"$(sed -n 's/.*rule m14-automaton .*: \(a .*\)/\1/p' "$dir/deadfall.log" | sort | paste -sd ';')"
check "histories of CPUs and of the rule are no keys" holds '([.live_keys[] | select(.rule == "m18-of-rule" or .rule == "m19-of-cpu")
	| .key] | unique | length) == 16 and ([.automata[] | select(.rule == "m18-of-rule")] | length) == 1' out/event.json
check "the log says what a lifecycle detected" same "freed again; used after it was freed; used as what it was before; freed, and never \
allocated; freed again" "$(sed -n 's/.*rule m8-lifecycle at event [^ ]* (\([^)]*\)).*/\1/p' "$dir/deadfall.log" | paste -sd ';' | sed 's/;/; /g')"
check "... and its message" grep -q ': m8-lifecycle: 802, used after it was freed$' "$dir/deadfall.log"
check "... and so does the report" holds '.match.detected == "double_free" and .match.reason == "m8-lifecycle: 805, freed again" and
	([.verdicts[] | select(.rule == "m8-lifecycle") | .detected] | index("use_after_free") and index("stale_use") and index("unknown_free"))' out/lifecycle.json
check "... on its page as well" grep -q '^  match    lifecycle, complete with event free: freed again (double_free)' "$dir/command.log"
check "what an earlier generation did is no step" same "marked with 7;marked with ?" \
	"$(sed -n 's/.*rule m20-generations .*: \(marked with .*\)/\1/p' "$dir/deadfall.log" | paste -sd ';')"
check "a change is one from the value before, also after another one" same "from 1 to 2;from 2 to 3" \
	"$(sed -n 's/.*rule m10-change .*: changed \(from .*\)/\1/p' "$dir/deadfall.log" | paste -sd ';')"
check "matches beyond the 16th are told, too" [ "$(grep -c 'would have fired: rule m' "$dir/deadfall.log")" -gt 16 ]
check "which part of a condition was false" \
	why '.[0].events[] | select(.rule == "m1-event") | .conditions | .[0].false == 74 and .[1] == {"condition": "arg.value == 7", "false": 1}'
check "how far a sequence came, and by which key" why '.[0].rules[] | select(.rule == "m2-sequence") | .states[2] |
	.state == "b seen" and .entered == 4 and .entered_key == ["0xcd"]'
check "a near miss: not in time" why '.[0].rules[] | select(.rule == "m2-sequence") | .states[2] |
	.late == 1 and .refused == 0 and .near_key == ["0xcc"]'
check "a near miss: refused by the condition of a step" why '.[0].rules[] | select(.rule == "m3-guard") | .states[1] |
	.late == 0 and .refused == 1 and .near_key == ["0x12e"]'
check "no near misses: an end in time, a window that is over" why '[.[0].rules[] |
	select(.rule | IN("m5-rate", "m9-latency")) | .states[] | .late + .refused] | length == 4 and add == 0'
check "the report names the owner of a put too many, and who holds the object" holds \
	'[.unmatched[] | [.owner, .count]] | sort == [["0x5", 1], ["0x6", 1], ["0x7", -1]]' out/owner.json
check "... and the one that never puts" holds '[.unmatched[] | [.owner, .count]] == [["0x5", 1]]' out/holder.json
check "... on its page as well" grep -q '^  owner    0x5: 1 up without down, its last event at -' "$dir/command.log"
check "the last 6 events of a rule, whatever their keys" holds '[.context[].event] == ["d", "d", "d", "d", "d", "b"]' out/of-rule.json
check "the last 4 of the CPU that fired" holds '.match.cpu as $cpu | .context |
	length >= 1 and length <= 4 and all(.cpu == $cpu) and .[-1].event == "b"' out/of-cpu.json
check "status says so" sh -c "grep -q \"near misses in 'b seen': 1 not in time, 0 refused.* last key 0xcc\" '$dir/command.log' &&
	grep -q '1 times false: arg.value == 7' '$dir/command.log' && grep -q \"furthest: 'b seen', state 2 of 2, 4 times, last key 0xcd\" '$dir/command.log'"
check "no splat in the kernel's log" holds '.splats == []'
rm -f "$script"
