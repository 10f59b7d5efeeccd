#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `deadfall run` does before anything can happen, in one machine without a crash kernel: it refuses to arm, it
# refuses functions that must not be trapped, and rules on one function decide each for itself.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

fires_of() {
	jq -e ".[0].rules[] | select(.rule == \"$1\") | .fires == $2" "$dir/status.json" || { cat "$dir/status.json"; return 1; }
}

logged() {
	grep -cE "would have fired: rule $1 at event rename, key 0x[0-9a-f]+, task mv " "$dir/deadfall.log"
}

run_vm refused --no-kdump --run-args --dry-run --rule tests/vm/rules/two-on-one.yaml --copy tests/vm/rules:/root/more -- '
	try() { echo "== $1"; shift; timeout -s INT 20 "$@"; echo "status $?"; }
	echo x >/tmp/a; mv /tmp/a /tmp/b; echo x >/tmp/other; mv /tmp/other /tmp/another; mv /tmp/b /tmp/c
	try no-kdump deadfall run more/renamed-unsynced.yaml
	try denied deadfall run --dry-run more/denied.yaml
	try denied-glob deadfall run --dry-run more/denied-glob.yaml
	deadfall run --dry-run more/denied-part.yaml >/tmp/part 2>&1 &
	until grep -q armed /tmp/part; do sleep 0.2; [ -d /proc/$! ] || break; done
	touch /tmp/gone; rm /tmp/gone; sleep 0.5; kill -TERM $!; wait $!; s=$?
	echo "== denied-part"; cat /tmp/part; echo "status $s"
	deadfall run --dry-run more/impossible.yaml >/tmp/never 2>&1 &
	until grep -q armed /tmp/never; do sleep 0.2; [ -d /proc/$! ] || break; done
	touch /tmp/gone; deadfall status --json >/var/crash/out/impossible.json; kill -TERM $!; wait $!; s=$?
	echo "== impossible"; cat /tmp/never; echo "status $s"
	made=$(sed -n "s/^\([a-z_0-9]*\)\.constprop\.0\$/\1/p" /sys/kernel/tracing/available_filter_functions |
		while read -r f; do grep -q " $f\$" /proc/kallsyms || { echo "$f"; break; }; done)
	rule() { printf "deadfall: 1\nrule: made\nevents: {e: {probe: \"%s\", key: %s}}\nmatch: {event: e}\non_match: [log: e]\n" "$@"; }
	rule "kprobe:$made" arg0 >/tmp/made.yaml; try made deadfall check /tmp/made.yaml
	rule "kprobe:$made.constprop.0" arg0 >/tmp/made.yaml; try made-itself deadfall check /tmp/made.yaml
	try made-probes deadfall probes "kprobe:$made*"
	rule "kprobe:{vfs_rename,$made*}" arg.rd >/tmp/made.yaml
	deadfall run --dry-run /tmp/made.yaml >/tmp/made 2>&1 &
	until grep -q armed /tmp/made; do sleep 0.2; [ -d /proc/$! ] || break; done
	kill -TERM $!; wait $!; echo "== made-glob"; cat /tmp/made
	try force deadfall list
	echo "== end"'
check "the machine is fine afterwards" same 0 "$rc"
check "no crash kernel: arming is refused with 3" says no-kdump '^status 3$'
check "no crash kernel: it says so" says no-kdump "rule 'renamed-unsynced' is not armed.* no crash kernel"
check "no crash kernel: it says what to do" says no-kdump 'deadfall kdump (setup|doctor)'
check "a denied function: refused with 1" says denied '^status 1$'
check "a denied function: file, line, column and the reason" \
	says denied "^more/denied.yaml:4:17: error\[denied\]: 'bpf_list_push_back_impl' must not be trapped: .*can lock up"
check "a glob of denied functions only: refused with 1" says denied-glob '^status 1$'
check "a glob of denied functions only: says why" says denied-glob 'all functions that match must not be trapped'
check "a set with some denied: they are left out, by name" says denied-part 'must not be trapped are left out: bpf_list_'
check "a set with some denied: the others are trapped" says denied-part '^armed .*denied-part: 1 rule, 1 function'
check "a set with some denied: and fire" says denied-part 'rule denied-part at event any, key 0x[0-9a-f]+, task rm '
check "a set with some denied: ends in order" says denied-part '^status 0$'
check "an impossible condition: armed all the same" says impossible '^armed .*impossible: 1 rule, 1 function'
check "an impossible condition: it says so" says impossible 'note: event open of rule impossible: its condition is never true on this machine'
check "an impossible condition: its probe sees" \
	jq -e '[.[] | select(.set == "impossible")][0].events[0] | .seen > 0 and .hit == 0' "$dir/out/impossible.json"
check "what the compiler made of a function: the name asked for says what it is called" \
	says made "hint: the compiler made of it '[a-z_0-9]*\.constprop\.0', which is not in BTF: name that"
check "what the compiler made of a function: it can be named" says made-itself '^status 0$'
check "what the compiler made of a function: probes lists it" says made-probes '^kprobe:[a-z_0-9]*\.constprop\.0\(arg0, arg1, \.\.\.\)$'
check "what the compiler made of a function: a glob with names of arguments leaves it out, and says so" \
	says made-glob 'left out 1 function whose arguments are not in BTF'
check "... and the others are trapped" says made-glob '^armed .*made: 1 rule, 1 function'
check "rules on one function: armed in one set" holds '.armed_line | contains("3 rules, 1 function")'
check "rules on one function: one fires at each call" fires_of every-rename 3
check "rules on one function: another at the second of one file" fires_of second-rename 1
check "rules on one function: the third never" fires_of never 0
check "rules on one function: each fire is logged" same "3 1 0" "$(logged every-rename) $(logged second-rename) $(logged never)"
check "no complaints of the kernel" holds '.splats == []'

# Without a crash kernel crash_kexec comes back, and it is for run to crash the machine, also if there was no room to say so.
# shellcheck disable=SC2016
run_vm second-rung --no-kdump --module "$build/vm/inject.ko" -- '
	cat >/tmp/both.yaml <<END
deadfall: 1
rule: flood
events: {d: {probe: "kprobe:inject:inject_d"}}
match: {event: d}
on_match: [log: "one of many"]
---
deadfall: 1
rule: bug
events: {b: {probe: "kprobe:inject:inject_b"}}
match: {event: b}
on_match: [panic: "this is it"]
guard: {kdump: optional}
END
	deadfall run /tmp/both.yaml >/tmp/both 2>&1 & agent=$!
	until grep -q "^armed" /tmp/both || [ ! -d /proc/$agent ]; do sleep 0.1; done
	cat /tmp/both
	kill -STOP $agent; echo "many 1 1000" >/proc/inject; echo "b 1" >/proc/inject
	deadfall status | sed -n "s/^ *[0-9]* matches, or other news, found no room/&/p"
	echo "run is stopped"; sleep 0.5; kill -CONT $agent; wait $agent; echo "run has ended"'
check "second rung: armed without a crash kernel, as the rule says" grep -q '^armed flood: 2 rules' "$dir/command.log"
check "second rung: there was no room to tell run" grep -q 'found no room' "$dir/command.log"
check "second rung: crash_kexec came back" grep -q '^run is stopped' "$dir/command.log"
check "second rung: run crashes the machine when it looks" holds '.outcome == "lost" and .panic == "sysrq triggered crash"'
check "second rung: ... and does not end otherwise" sh -c "! grep -q '^run has ended' '$dir/command.log'"
echo "1..$tests"
