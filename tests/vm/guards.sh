#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What keeps an armed set from crashing the machine by mistake.
#
# A set of which only some probes are there sees what leads to a match and not what prevents it: it sleeps while its
# probes are attached, and while they go, also when its agent is killed. On 6.1, where each function is a probe of its
# own, both take seconds.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

said() {
	tr -d '\r' <"$dir/command.log" | grep -E -- "$1" || { cat "$dir/command.log"; return 1; }
}

# shellcheck disable=SC2016
run_vm guards --kernel 6.1 --rule tests/vm/rules/renamed-unsynced.yaml \
	--copy tests/vm/rules/torn.yaml --copy tests/vm/rules/spent.yaml -- '
	mount -t debugfs none /sys/kernel/debug 2>/dev/null
	there() { grep -q "vfs_$1+" /sys/kernel/debug/kprobes/list; }
	probes() { grep -c . /sys/kernel/debug/kprobes/list; }
	deadfall run torn.yaml >/tmp/out 2>&1 & agent=$!
	until there mkdir; do [ -d /proc/$agent ] || break; done
	n=0
	until there rmdir; do mkdir /tmp/d; rmdir /tmp/d; n=$((n + 1)); [ -d /proc/$agent ] || break; done
	[ $n -lt 5 ] || echo "a came before the probe of b"
	until grep -q "^armed" /tmp/out; do sleep 0.1; [ -d /proc/$agent ] || break; done
	cat /tmp/out
	mkdir /tmp/d; rmdir /tmp/d
	deadfall status | sed -n "s/^    \([ab]\) *seen \([0-9]*\) hit \([0-9]*\).*/counted \1 \2 \3/p"
	echo "the attaching is survived"
	deadfall status | grep "rule torn"
	(while :; do mkdir /tmp/d; rmdir /tmp/d; done) & busy=$!
	before=$(probes); kill -9 $agent
	while there mkdir && there rmdir; do sleep 0.02; done
	there mkdir && echo "b went before a"; there rmdir && echo "a went before b"
	until [ $(probes) -le $((before - 60)) ]; do sleep 0.1; done
	kill $busy
	echo "the killing is survived"
	ledger=/var/lib/deadfall/panics.json
	sed "s/\"panics\": \[\]/\"panics\": [{\"rule\": \"spent\", \"time\": $(date +%s), \"booted\": 1}]/" $ledger >/tmp/ledger; cat /tmp/ledger >$ledger
	deadfall run --disarmed spent.yaml >/tmp/spent 2>&1 & agent=$!
	until grep -q "^disarmed" /tmp/spent; do sleep 0.1; [ -d /proc/$agent ] || break; done
	deadfall arm spent
	mkdir /tmp/e; rmdir /tmp/e; sleep 1
	echo "first: $(grep -c "^matched: rule spent" /tmp/spent)"
	deadfall kdump forget spent; deadfall arm spent
	echo "noted: $(grep -c "\"rule\": \"spent\"" $ledger)"
	deadfall run spent.yaml >/tmp/again 2>&1 & other=$!
	until grep -q "^armed" /tmp/again; do sleep 0.1; [ -d /proc/$other ] || break; done
	kill -INT $other; wait $other
	echo "kept: $(grep -c "\"rule\": \"spent\"" $ledger)"
	kexec -p -u; cat /sys/kernel/kexec_crash_loaded
	mkdir /tmp/e; rmdir /tmp/e; sleep 1
	echo "second: $(grep -c "^matched: rule spent" /tmp/spent)"
	deadfall status; tail -1 /tmp/spent
	deadfall disarm spent
	echo "noted: $(grep -c "\"rule\": \"spent\"" $ledger)"
	deadfall arm spent; echo "status $?"
	deadfall run --disarmed spent.yaml >/tmp/stopped 2>&1 & other=$!
	until grep -q "^disarmed" /tmp/stopped; do sleep 0.1; [ -d /proc/$other ] || break; done
	kill -STOP $other; deadfall unload $other; echo "status $?"; kill -CONT $other; wait $other; echo "stopped: ended $?"
	deadfall unload spent; cat /tmp/spent
	loads_and_ends() {
		until deadfall list | grep -q "^spent "; do sleep 0.1; [ -d /proc/$other ] || break; done
		mkdir /tmp/e; rmdir /tmp/e
		deadfall list | sed "s/^/$1: /"
		kill -TERM $other; wait $other; echo "$1: ended $?"
	}
	mkfifo /tmp/full; exec 9<>/tmp/full; head -c 65536 /dev/zero >&9
	deadfall run --dry-run spent.yaml >&9 & other=$!; loads_and_ends full
	exec 9>&-
	deadfall run --dry-run spent.yaml >&- & other=$!; loads_and_ends closed'
check "the machine is fine afterwards" same 0 "$rc"
check "the events came while only some probes were there" said '^a came before the probe of b'
check "counters begin when all are there" said '^counted a 1 1$'
check "... of each event" said '^counted b 1 1$'
check "it is armed" said '^armed torn: 1 rule'
check "what came then does not count" said '^the attaching is survived'
check "nothing matched" said 'rule torn: action panic, 0 matches'
check "a killed agent's probes go one after the other" said '^(a|b) went before (a|b)'
check "nothing fires meanwhile" said '^the killing is survived'
check "arm: a rule that has panicked often enough only logs" said "^deadfall arm: rule 'spent' only logs: 1 panic in 24 h"
check "and does" said '^first: 1$'
check "arm enters the ledger" said '^noted: 1$'
check "the rule stays there when another set with it ends" said '^kept: 1$'
check "the crash kernel goes: the rule only logs" said '^second: 2$'
check "... and says why there was no crash" said '^matched: rule spent .* \(no crash: no crash kernel was loaded\)'
check "... and status what has become of it" said '^  not fit to crash now: no crash kernel is loaded'
check "disarm takes it out of the ledger" said '^noted: 0$'
check "without a crash kernel arm is refused" said '^status 3$'
check "unload" said '^unloaded spent$'
check "unload of an agent that is stopped says what to do" said '^deadfall unload: agent [0-9]+ of spent is stopped, .*kill -CONT [0-9]+$'
check "... which then ends" said '^stopped: ended 0$'
for how in full closed; do
	check "with stdout a $how pipe it is armed" said "^$how: spent .* dry run "
	check "... and ends when told to" said "^$how: ended 0$"
done
check "no complaints of the kernel" holds '.splats == []'
echo "1..$tests"
