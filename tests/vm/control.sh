#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Live control: parameters, arming, marks and unloading of running sets, on both kernels; what the kernel has.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

agent_says() {
	grep -E -- "$*" "$dir/deadfall.log" || { tail -n 20 "$dir/deadfall.log"; return 1; }
}

# shellcheck disable=SC2016
commands='
	try() { echo "== $1"; shift; timeout -s INT 60 "$@"; echo "status $?"; }
	two_renames() { touch /tmp/a; mv /tmp/a /tmp/b; mv /tmp/b /tmp/c; rm /tmp/c; }
	try features deadfall features
	two_renames
	try before deadfall status
	try unknown deadfall set wnated=7
	try unit deadfall set twice.window=60
	try several deadfall set window=5s
	try set deadfall set wanted=7 twice.window=60s
	two_renames
	try after deadfall status
	try arm deadfall arm
	try mark deadfall mark "from here on"
	two_renames
	try disarm deadfall disarm
	try list deadfall list
	deadfall list --json >/var/crash/out/list.json
	two_renames
	try disarmed deadfall status --json
	many=; i=0; while [ $i -lt 400 ]; do many="$many wanted=$i"; i=$((i + 1)); done
	try many deadfall set $many wanted=9
	two_renames
	try in-order deadfall status
	deadfall run --dry-run --disarmed more/renamed-unsynced.yaml >/tmp/second 2>&1 &
	until grep -q armed /tmp/second; do sleep 0.2; [ -d /proc/$! ] || break; done
	try which deadfall arm
	sed -i s/true/false/ /run/deadfall/sets/$!.json
	try no-kdump deadfall arm renamed-unsynced
	try unload deadfall unload renamed-unsynced
	wait $!; echo "agent $?"
	deadfall run --dry-run --disarmed more/control.yaml >/tmp/twin 2>&1 & twin=$!
	until grep -q ^disarmed /tmp/twin; do sleep 0.2; [ -d /proc/$twin ] || break; done
	try twin cat /tmp/twin
	try twin-which deadfall arm renames
	try twin-set deadfall set renames@$twin wanted=7
	two_renames
	try twin-status deadfall status
	try twin-unload deadfall unload $twin
	wait $twin
	try nothing-left deadfall unload renamed-unsynced
	deadfall run --dry-run --json many.yaml >/tmp/many 2>/tmp/many.err &
	until grep -q armed /tmp/many; do sleep 0.2; [ -d /proc/$! ] || break; done
	try last-param deadfall set many p599=7
	two_renames
	try last-param-set deadfall status
	sed -i "s/\"drain\": *[0-9]*/\"drain\":0/" /run/deadfall/sets/$!.json
	try stores deadfall set many p599=8 p0=3
	try stores-arm deadfall disarm many
	try stores-mark deadfall mark nothing
	two_renames
	try stores-set deadfall status
	kill -INT $!; wait $!
	cp /tmp/many /var/crash/out/run.json
	try end true'

# More parameters than one page holds: the last one decides.
many=$build/tests/many.yaml
{
	printf 'deadfall: 1\nrule: many\nparams:\n'
	seq -f '  p%.0f: 0' 0 599
	printf 'events: {any: {probe: kprobe:vfs_rename, where: "$p599 == 7 && $p0 == 0"}}\nmatch: {event: any}\non_match: [log: renamed]\n'
} >"$many"

control_on() {
	local release=$1
	run_vm "control-$release" --kernel "$release" --no-kdump --run-args '--dry-run --disarmed --set renames.wanted=1' \
		--rule tests/vm/rules/control.yaml --copy tests/vm/rules:/root/more --copy "$many" -- "$commands"
	check "$release: the machine is fine afterwards" same 0 "$rc"
	check "$release: features are told" says features '^user_ringbuf +yes'
	check "$release: --set before arming" says before '^    rename +seen 2 hit 0'
	check "$release: an unknown parameter: refused, with those there are" says unknown "no parameter 'wnated'.*renames.wanted"
	check "$release: a duration needs its unit" says unit 'a duration: give a unit'
	check "$release: one name in two rules: asks for the rule" says several 'put the rule in front: renames.window, twice.window$'
	check "$release: set changes both at once" says set '^status 0$'
	check "$release: a condition sees the new value" says after '^    rename +seen 4 hit 2'
	check "$release: a window has the new length" says after '^  rule twice: action log, 1 matches'
	check "$release: arm says what it did" says arm '^armed \(dry run: nothing will crash\) renames$'
	check "$release: armed, it fires" agent_says '^would have fired: rule renames at event rename'
	check "$release: a mark" agent_says '^mark after event [0-9]+: from here on$'
	check "$release: disarmed, it fires no more" \
		sh -c "sed -n '/^== disarmed/,/^status/p' '$dir/command.log' | tr -d '\r' | sed '1d;\$d' | jq -e '.[0] | .armed == \"none\" and (.fires | . >= 3 and . <= 4) and .marks == 1'"
	check "$release: list says how they are now" says list '^renames +pid [0-9]+ +since 20[0-9T:-]+Z +disarmed +[0-9]+ rules, '
	check "$release: list --json as documented" tests/documented list <"$dir/out/list.json"
	check "$release: status --json as documented" tests/documented status <"$dir/status.json"
	check "$release: run --json as documented" tests/documented run <"$dir/out/run.json"
	check "$release: run --json: a document a line, from the first to the last" \
		jq -se 'map(.what) | .[0] == "armed" and .[-1] == "unloaded" and index("match") and index("parameter")' "$dir/out/run.json"
	check "$release: more commands than the buffer holds" says many '^status 0$'
	check "$release: are applied in order" says in-order '^    rename +seen 10 hit 6'
	check "$release: two sets: which one?" says which 'Name a set or its process id: .*renames \([0-9]+\)'
	check "$release: arm without a crash kernel: refused" says no-kdump "rule 'renamed-unsynced' is not armed.* no crash kernel"
	check "$release: with status 3" says no-kdump '^status 3$'
	check "$release: unload ends the agent" says unload '^unloaded renamed-unsynced$'
	check "$release: in order" says unload '^agent 0$'
	check "$release: a set that runs already: which, and that it goes on" says twin \
		"warning: set renames of process [0-9]+, disarmed, has rule 'renames' and 1 more of these, too"
	check "$release: two of one name: which one?" says twin-which "which 'renames'[?] There are: renames@[0-9]+, renames@[0-9]+"
	check "$release: one of them is meant" says twin-set '^status 0$'
	check "$release: ... and no other" same 2 "$(part twin-status | grep -cE '^    rename +seen 2 hit 2')"
	check "$release: ... by its process" says twin-unload '^unloaded renames$'
	check "$release: and it is gone" says nothing-left "no set 'renamed-unsynced' is loaded; there are: renames"
	check "$release: parameters on a second page" says last-param-set '^    any +seen 2 hit 2'
	check "$release: without the command buffer: plain stores" says stores '^status 0$'
	check "$release: that are seen, and disarm" sh -c "sed -n '/^== stores-set/,/^status/p' '$dir/command.log' |
		tr -d '\\r' | grep -A3 '^many' | grep -Eq '^  now disarmed'"
	check "$release: by the condition too" says stores-set '^    any +seen 5 hit 3' # sed -i renames, too
	check "$release: which part of it was false" says stores-set '2 times false: [$]p599 == 7'
	check "$release: a mark needs the buffer, and says so" says stores-mark 'no BPF user ring buffer'
	check "$release: no complaints of the kernel" holds '.splats == []'
}

control_on 6.12
control_on 6.1
echo "1..$tests"
