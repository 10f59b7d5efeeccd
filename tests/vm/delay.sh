#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# delay.sh - an event that waits: a race that hardly ever happens then does, and the rule sees it; how exactly it waits, where
# it does not, and that other probes go on meanwhile.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

# shellcheck disable=SC2016
commands='
	race() { echo "$1" >/proc/race; echo "race ${1% *}: $(cat /proc/race)"; }
	# trap NAME RULE [OPTION...]: what follows is run under it
	trap_with() {
		echo "== $1"
		name=$1 rule=$2
		shift 2
		deadfall run --brake 0 "$@" "$rule" >"/tmp/$name" 2>&1 &
		agent=$!
		until grep -q "^armed" "/tmp/$name"; do sleep 0.2; [ -d /proc/$agent ] || break; done
	}
	leave() {
		sleep 1.5 # the agent adds up what was missed
		echo "status $(deadfall status --json | tr -d "\n")"
		kill -INT $agent
		wait $agent
		cat "/tmp/$name"
	}
	trap_with wide delay.yaml; race "run 120"; leave
	trap_with exact delay.yaml; race "time 20"; race "off 20"; race "burst 40"; leave
	trap_with narrow undelayed.yaml; race "run 200"; leave
	trap_with chance chance.yaml; race "time 400"; leave
	trap_with braked delay.yaml --brake 3
	n=0; while [ $n -lt 160 ]; do echo "time 1" >/proc/race; usleep 50000; n=$((n + 1)); done
	leave
	trap_with dry delay.yaml --dry-run; race "time 10"; leave
	trap_with kprobe delay-kprobe.yaml; race "run 120"; leave
	trap_with user delay-user.yaml; ./calls 5; leave
	echo "== end"'

# of PART FIELD: what the module said, of its last command that way
of() {
	part "$1" | sed -n "s/^race $2:.* $3 \([0-9]*\).*/\1/p"
}

# count PART EVENT COUNTER
count() {
	part "$1" | sed -n 's/^status //p' | jq -r ".[0].events[] | select(.event == \"$2\") | .$3"
}

# waited_or_not PART: interrupts now and then make it look as if they were off
waited_or_not() {
	echo $(($(count "$1" checked delayed) + $(count "$1" checked delay_irqs) + $(count "$1" checked delay_often)))
}

at_most() {
	[ "$2" -le "$1" ] || { echo "want at most $1, got $2"; return 1; }
}

at_least() {
	[ "$2" -ge "$1" ] || { echo "want at least $1, got $2"; return 1; }
}

# Percent. Every 10 ms a timer's function is hit on the CPU that waits; other probes may interrupt each other once in a while.
seen_of_ticks() {
	echo $(($(count "$1" tick seen) * 100 / $(of "$1" run ticks)))
}

delays() {
	local modules=$build/vm
	[ "$1" = 6.12 ] || modules=$build/vm-$1
	run_vm "$1" --kernel "$1" --no-kdump --module "$modules/race.ko" --copy tests/vm/rules/delay.yaml \
		--copy tests/vm/rules/chance.yaml --copy tests/vm/rules/delay-kprobe.yaml --copy tests/vm/rules/undelayed.yaml --copy tests/vm/rules/delay-user.yaml \
		--copy "$build/vm/calls:/root/calls" -- "$commands"
	check "$1: all ran" says end '== end'
	echo "# $1: of $(of wide run uses) uses $(of wide run late) come too late with the delay, of $(of narrow run uses) $(of narrow run late) without"
	check "$1: with the delay the race happens" at_least $(($(of wide run uses) / 8)) "$(of wide run late)"
	check "$1: and each time the rule sees it" same "$(of wide run late)" "$(count wide used fired)"
	check "$1: every use waited, or is counted as one that did not" same "$(of wide run uses)" "$(waited_or_not wide)"
	check "$1: most did; on a busy machine waits take longer, and use up what a CPU may wait" at_least $(($(of wide run uses) * 3 / 4)) \
		"$(count wide checked delayed)"
	check "$1: without it the race hardly ever happens" at_most $(($(of narrow run uses) / 20)) "$(of narrow run late)"
	check "$1: and the rule sees no other" same "$(of narrow run late)" "$(count narrow used fired)"
	check "$1: it waits in fentry" says wide 'by fentry, so that no other probe is missed'
	check "$1: other probes of the CPU go on meanwhile" at_least 90 "$(seen_of_ticks wide)"
	check "$1: a kprobe waits where there is no other way" at_least $(($(of kprobe run uses) / 8)) "$(of kprobe run late)"
	check "$1: which is said" says kprobe 'while it waits, other kprobes, tracepoints and timers of that CPU are missed'
	check "$1: no wait is shorter" at_least 8000000 "$(of exact time mean)"
	echo "# $1, 8 ms: mean error $(($(of exact time mean) - 8000000)) ns, longest wait $(($(of exact time max) - 8000000)) ns more (emulated CPUs)"
	check "$1: with interrupts off it does not wait" at_most 7000000 "$(of exact off max)"
	check "$1: and counts that" at_least 20 "$(count exact checked delay_irqs)"
	check "$1: of too many waits in a row some are left out" at_least 5 "$(count exact checked delay_often)"
	check "$1: each of all is counted" same 80 "$(waited_or_not exact)"
	check "$1: with a chance of 25 % about as many of 400 wait" at_least 60 "$(count chance checked delayed)"
	check "$1: ... and no more" at_most 140 "$(count chance checked delayed)"
	check "$1: ... the others do not count as left out" same "400 0" \
		"$(count chance checked hit) $(($(count chance checked delay_often) + $(count chance checked delay_irqs)))"
	check "$1: waits of a sixth of a CPU" at_least 100 "$(count braked checked delayed)"
	check "$1: ... are not what the brake is for" same 0 "$(part braked | sed -n 's/^status //p' | jq '.[0].braked')"
	check "$1: a dry run does not wait" same "10 0" "$(count dry checked delay_dry) $(count dry checked delayed)"
	check "$1: a function of a program waits" same "$(count user read hit)" "$(count user read delayed)"
	check "$1: each time" same 5 "$(count user read delayed)"
	check "$1: so does a tracepoint" same 1 "$(count user gone delayed)"
	check "$1: no complaints of the kernel" holds '.splats == []'
}

delays 6.12
delays 6.1
echo "1..$tests"
