#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# probes.sh - every kind of probe: how often the events happen that a workload brings about, and by how many links.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

fires() {
	same "$2" "$(jq -r --arg rule "$1" '[.[].rules[] | select(.rule == $rule) | .fires] | add' "$dir/status.json")"
}

at_least() {
	local got
	got=$(jq -r --arg rule "$1" '[.[].rules[] | select(.rule == $rule) | .fires] | add' "$dir/status.json")
	[ "$got" -ge "$2" ] || { echo "want $2, got $got"; return 1; }
}

said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

# Each match that was acted upon is told of, or counted as one for which there was no room.
all_told() {
	local told short lost
	told=$(grep -cE "^(would have fired|suppressed, since events were lost): rule " "$dir/deadfall.log")
	short=$(sed -n 's/^too many at once to say more: rule [^ ]* matched \([0-9]*\) times$/\1/p' "$dir/deadfall.log" | paste -sd +)
	lost=$(jq '.[0].notes_lost' "$dir/status.json")
	[ "$lost" -gt 0 ] || { echo "all found room"; return 1; }
	same "$(jq '.[0].fires' "$dir/status.json")" $((told + ${short:-0} + lost))
}

counters_clean() {
	jq -e '[.[].events[] | (if .rule == "p22-profile" then 0 else .full + .nomem end) + .raced + .nmi + .key_unknown + .busy] | add == 0' "$dir/status.json"
}

# in_order PREFIX: of rules whose two events are of one probe that is hit once
in_order() {
	local kind
	for kind in kprobe fentry fexit mixed rawtp tracepoint; do
		check "$1order: $kind" fires "w-$kind" 1
	done
	check "$1order: uprobe" at_least w-uprobe 1
	check "$1order: of rules" same "0 1 1" "$(jq -r '[.[].rules[] | select(.rule | IN("w-before", "w-sets", "w-after")) | .fires] | join(" ")' "$dir/status.json")"
}

expect='p01-fentry 1
p02-fentry-stack 1
p03-fexit 1
p04-kretprobe 1
p05-session 1
p06-old-fexit 1
p07-old-session 1
p08-recursion-session 6
p09-recursion-old 6
p10-latency 1
p11-glob 3
p12-tracepoint 4
p13-tracepoint-array 1
p14-rawtp 4
p15-uprobe 9
p16-uretprobe 3
p17-library 13
p18-usdt 10
p19-warn 1
p20-oops 1
p23-either 1
p24-origin 1
p25-flood 2000
p26-struct 1'

# shellcheck disable=SC2016
run_vm probes --module "$build/vm/inject.ko" --copy "$build/vm/calls:/usr/local/bin/calls" \
	--copy tests/vm/rules/one-process.yaml --rule tests/vm/rules/probes.yaml --rule tests/vm/rules/order.yaml --no-kdump --run-args '--dry-run --brake 0' --append panic_on_oops=0 -- '
	i() { echo "$*" >/proc/inject; }
	i a 101 7; i a 101 8
	i eight 102 8; i eight 102 9
	i eight 103 8; i eight 103 9
	i r 104 9; i r 104 8
	i r 105 9; i r 105 8
	i swap 106 9; i swap 106 5
	i swap 107 9; i swap 107 8
	i rec 108 5
	i rec 109 5
	i wait 110 10; i wait 110 200
	i a 111; i b 111; i c 111; i d 111; i r 111 1
	i d 123
	i nest 124 -5; i r 124 -5; i nest 125 -5; i nest 124 -5
	i box 126 9; i box 126 8
	calls 3
	calls 1
	(echo -n df-order >/proc/self/comm; : >/tmp/ordered)
	printf "#!/bin/sh\n(:) & wait\n" >/tmp/df-p13; chmod +x /tmp/df-p13; /tmp/df-p13
	mkfifo to from; calls 5 wait <to >from & exec 3>to 4<from; read -r pid <&4
	sed "s/PID/$pid/" one-process.yaml >/tmp/one.yaml
	deadfall run --dry-run --brake 0 /tmp/one.yaml >/tmp/one & one=$!
	until grep -qs armed /tmp/one || [ ! -d /proc/$one ]; do sleep 0.1; done
	calls 4; echo >&3; wait %1
	echo "one process: $(grep -c "would have fired: rule one-process" /tmp/one)"
	kill -INT $one; wait $one
	i warn 119
	(i oops 120) 2>/dev/null
	sleep 1
	deadfall report /proc/kcore --rule p24-origin --format json >/var/crash/out/late.json
	# rules NAME KIND N: one rule of N events, all at the entry or return of one function
	rules() {
		printf "deadfall: 1\nrule: %s\nevents:\n" $1
		n=0; while [ $n -lt $3 ]; do echo "  e$n: {probe: \"$2:inject:inject_d\"}"; n=$((n + 1)); done
		printf "match: {event: e0}\non_match: [log: at it]\n"
	}
	rules too-many fentry 39 >/tmp/39.yaml; rules full fentry 38 >/tmp/38.yaml
	rules one-more fexit 1 >/tmp/more.yaml; rules by-kretprobe kretprobe 1 >/tmp/kret.yaml
	deadfall run --dry-run --brake 0 /tmp/39.yaml 2>&1; echo "39: status $?"
	rules box fentry 1 | sed s/inject_d/inject_box/ >/tmp/box.yaml
	deadfall run --dry-run --brake 0 /tmp/box.yaml 2>&1; echo "box: status $?"
	deadfall run --dry-run --brake 0 /tmp/38.yaml >/tmp/full 2>&1 & full=$!
	until grep -qs armed /tmp/full || [ ! -d /proc/$full ]; do sleep 0.1; done
	cat /tmp/full; deadfall run --dry-run --brake 0 /tmp/more.yaml 2>&1; echo "one more: status $?"
	deadfall run --dry-run --brake 0 /tmp/kret.yaml >/tmp/kret 2>&1 & kret=$!
	until grep -qs armed /tmp/kret || [ ! -d /proc/$kret ]; do sleep 0.1; done
	cat /tmp/kret; i d 1; kill -INT $full $kret; wait $full; wait $kret
	echo "at it:" $(cat /tmp/full /tmp/kret | sed -n "s/^would have fired: rule \([^ ]*\).*/\1/p")
	pid=$(pidof deadfall)
	kill -STOP $pid; i many 3000 2000; kill -CONT $pid
	deadfall disarm; deadfall status | grep "no room"
	echo "links:" $(cat /proc/$pid/fdinfo/* 2>/dev/null | sed -n "s/^link_type:[[:space:]]*//p" | sort | uniq -c)'
check "the workload ends well" same 0 "$rc"
while read -r rule n; do
	check "$rule: $n" fires "$rule" "$n"
done <<<"$expect"
in_order ""
check "no near misses: a call that was fast enough, a failure whose origin is known" jq -e '[.[0].rules[] |
	select(.rule | IN("p10-latency", "p24-origin")) | .states[] | .late + .refused] | length == 3 and add == 0' "$dir/status.json"
check "p21-interval: one CPU, each 100 ms" at_least p21-interval 10
check "p22-profile: both CPUs" at_least p22-profile 50
check "probes of one process, in its program and a library of it, and a static one" said '^one process: 15$'
check "a rule's last verdict is kept after 16 others" jq -e '.match.rule == "p24-origin"' "$dir/out/late.json"
check "matches without room for more are told by rule" grep -Eq "^too many at once to say more: rule p25-flood matched [0-9]+ times" \
	"$dir/deadfall.log"
check "those without room even for that are counted, and no other" all_told
check "... run says so" grep -Eq "^no room to say even that: [0-9]+ more matches, or other news, of " "$dir/deadfall.log"
check "... and status" said '^  [0-9]+ matches, or other news, found no room on their way'
check "nothing was lost" counters_clean
check "an event that is not here is named" grep -q "note: rule '.*' goes without event '.*': .* is not here" "$dir/deadfall.log"
check "one link for all kprobes, one for all sessions, one for returns" said '^links: 3 kprobe_multi '
check "more tracing programs at a function than the kernel allows are refused" \
	said 'allows 38 tracing programs at one function; at inject_d there are 38 of this set before this one, and 0 of others'
check "... by an exit status" said '^39: status 3$'
check "a function that they cannot see is named" said 'cannot see inject_box\(\) .*; use kprobe: or kretprobe:'
check "... by an exit status as well" said '^box: status 3$'
check "as many as it allows are armed" said '^armed .*full: 1 rule, 38 functions'
check "where others have all of them, one more is refused" \
	said 'at inject_d there are 0 of this set before this one, and 38 of others .*: use kprobe: or kretprobe:'
check "... by an exit status, too" said '^one more: status 3$'
check "... and a return is seen otherwise" said '^armed .*by-kretprobe: 1 rule, 1 function'
check "... they do not hinder each other" said '^at it: full by-kretprobe$'
check "no complaint beyond those of the workload" holds '[.splats[] | select(test("inject|NULL|Oops|Call Trace") | not)] == []'

expect='o01-fentry 1
o02-old 1
o03-session 1
o04-kretprobe 4
o05-latency 1
o06-tracepoint 2
o07-rawtp 2
o08-uprobe 1
o09-uretprobe 1
o10-usdt 4
o13-warn 0'

run_vm old --kernel 6.1 --copy "$build/vm/calls:/usr/local/bin/calls" \
	--copy tests/vm/rules/needs-session.yaml --copy tests/vm/rules/many-files.yaml --rule tests/vm/rules/probes-old.yaml --rule tests/vm/rules/order.yaml --no-kdump --run-args '--dry-run --brake 0' -- '
	touch df-o01; mv df-o01 df-o02
	sleep 0.1; sleep 2.5
	calls 3
	calls 1
	(echo -n df-order >/proc/self/comm; : >/tmp/ordered)
	deadfall run --dry-run needs-session.yaml 2>&1; echo "status $?"
	(ulimit -n 48; exec deadfall run --dry-run --brake 0 many-files.yaml) >/tmp/files 2>&1 & files=$!
	until grep -q armed /tmp/files || [ ! -d /proc/$files ]; do usleep 100000; done # no "sleep"
	cat /tmp/files; kill -INT $files; wait $files'
check "6.1: the workload ends well" same 0 "$rc"
while read -r rule n; do
	check "6.1: $rule: $n" fires "$rule" "$n"
done <<<"$expect"
in_order "6.1: "
check "6.1: o11-interval: one CPU, each 100 ms" at_least o11-interval 10
check "6.1: o12-profile: both CPUs" at_least o12-profile 50
check "6.1: o14-many-arguments: by kretprobe" at_least o14-many-arguments 4
check "6.1: nothing was lost" counters_clean
check "6.1: a session is replaced where fexit can" grep 'by fexit, since this kernel has no kprobe sessions' "$dir/deadfall.log"
check "6.1: and refused where nothing can" said 'needs values of the entry: that takes kprobe sessions .*v6.10'
check "6.1: with a status of its own" said '^status 3'
check "6.1: more functions than files that a shell allows" said '^armed .*many-files: 1 rule, [0-9]+ functions'
echo "1..$tests"
