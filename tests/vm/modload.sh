#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# modload.sh - rules that wait for a module: it comes after `deadfall run`, and their rules are armed then, with its types;
# the others lose nothing. What logs say of earlier steps.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

# shellcheck disable=SC2016
commands='
	part() { echo "== $1"; }
	up() { sed "s/[.]//; s/ .*//" /proc/uptime; }
	# armed N: until so many sets of this run have been armed
	armed() {
		i=0
		until [ "$(grep -c "^\(dis\)\?armed .* function" /run/deadfall.out)" -ge $1 ]; do
			sleep 0.2
			i=$((i + 1))
			[ $i -lt 500 ] || { echo "not armed"; return; }
		done
	}
	part before
	deadfall status
	touch a; mv a b # also without a free: but that rule sleeps
	sleep 1.5
	part never
	printf "deadfall: 1\nrule: never\nevents: {e: {probe: \"kprobe:never:never\", when: module-loads}}\nmatch: {event: e}\non_match: [log: e]\n" >never.yaml
	deadfall run --dry-run never.yaml >/tmp/never 2>&1 & one=$!
	deadfall run --dry-run never.yaml >/tmp/never-too 2>&1 & two=$!
	until grep -qs waits /tmp/never && grep -qs waits /tmp/never-too; do sleep 0.2; [ -d /proc/$one ] && [ -d /proc/$two ] || break; done
	deadfall unload never 2>&1
	deadfall unload never@$one && deadfall unload never
	wait $one && wait $two && echo "both are gone"
	part load
	before=$(up)
	insmod ./widget.ko
	armed 3
	echo "armed after $((($(up) - before) * 10)) ms"
	deadfall list
	part work
	./wl run; ./wl bug; mv b c
	sleep 2
	part starting
	insmod ./race.ko waits=1 &
	armed 4
	sleep 1
	echo "its state is $(cat /sys/module/race/initstate)"
	deadfall status
	echo 0 >/sys/module/race/parameters/waits
	wait $!
	part unload
	deadfall disarm renamed-and-nothing-freed
	rmmod widget && echo gone
	sleep 0.5
	deadfall list
	[ ! -e /sys/module/widget ] || { part end; exit; }
	part again
	until grep -q "widget was unloaded: renamed" /run/deadfall.out; do sleep 0.2; done
	insmod ./widget.ko
	armed 6
	./wl bug
	deadfall list
	mv c d
	sleep 2
	part sleep
	deadfall run --dry-run asleep.yaml >/tmp/asleep 2>&1 & asleep=$!
	until grep -qs "^armed" /tmp/asleep; do sleep 0.2; [ -d /proc/$asleep ] || break; done
	rmmod widget
	mv d e
	deadfall status
	deadfall list
	sleep 2
	kill -INT $asleep; wait $asleep
	cat /tmp/asleep
	part end'

logged() {
	same "$2" "$(grep -c "^matched: rule $1 " "$dir/deadfall.log")"
}

log_says() {
	grep -E -- "^matched: .*: $1\$" "$dir/deadfall.log" || { grep ^matched "$dir/deadfall.log"; return 1; }
}

# modload KERNEL RULES MODULES
modload() {
	limit=400 run_vm "$1" --kernel "$1" --no-kdump --rule "tests/vm/rules/$2" --copy "$build/$3/widget.ko" \
		--copy tests/vm/rules/asleep.yaml --copy "$build/$3/race.ko" --copy "$build/vm/wl" -- "$commands"
	check "$1: all ran" says end '== end'
	check "$1: before, a rule says what it waits for" says before \
		'^widget-freed-twice .*: waits for kretprobe:widget:widget_alloc \(widget-freed-twice.alloc\), kprobe:widget:widget_free'
	check "$1: one without the module is armed" says before '^renamed-twice .*: armed renamed-twice: 1 rule, 1 function'
	check "$1: of two waiting sets of one name none is unloaded" says never "which 'never'[?] There are: never@[0-9]+, never@[0-9]+"
	check "$1: ... but that which is meant, and then the other" says never '^both are gone'
	check "$1: when the module is there, all are armed" says load '^widget-freed-twice .* armed  *1 rule, 2 functions'
	echo "# $1: $(part load | grep '^armed after')"
	check "$1: its events are no longer waited for" same 0 "$(part load | grep -c 'waits for.*widget')"
	check "$1: what came before is not forgotten by the other rule, and told" log_says 'a by mv on cpu [01], then b'
	check "$1: the module's bug is seen" log_says "widget of [0-9]+ bytes freed by widget-a \\([0-9]+ bytes\\), and by widget-b"
	check "$1: while it slept, a rule took nothing for absent" logged renamed-and-nothing-freed 1
	check "$1: a deadline tells what it waited for" log_says 'nothing was freed since mv renamed b'
	check "$1: no log lacks a step" same 0 "$(grep -c '?' "$dir/deadfall.log")"
	check "$1: a module is trapped while its init function runs" says starting 'its state is coming'
	check "$1: that is, seen" logged while-it-starts 1
	check "$1: no complaints of the kernel" holds '.splats == []'
}

modload 6.12 modload.yaml vm
check "6.12: kprobe_multi and fexit hold the module" says unload "can't unload module"
check "6.12: one double free, one log" logged widget-freed-twice 1
modload 6.1 modload-untyped.yaml vm-6.1
check "6.1: plain kprobes let it go" says unload '^gone'
check "6.1: and the rules wait again" grep -q "module widget was unloaded: widget-freed-twice waits again" "$dir/deadfall.log"
check "6.1: until it is back" logged widget-freed-twice 2
check "6.1: who was disarmed then is so when it is back" says again '^renamed-and-nothing-freed .* disarmed '
check "6.1: ... and does nothing" logged renamed-and-nothing-freed 1
check "6.1: who does not wait for a module sleeps when it goes: nothing is taken for absent" same 0 \
	"$(part sleep | grep -c 'would have fired')"
check "6.1: ... which is told" says sleep 'module widget was unloaded, and its probes with it: asleep sleeps until it is run again'
check "6.1: ... status says so" says sleep '  asleep: a module that it probes was unloaded'
check "6.1: ... list as well" says sleep '^asleep .* asleep '
echo "1..$tests"
