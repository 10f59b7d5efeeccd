#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The README's first rule, taken from there, by the README's steps, typed by hand into a machine: check, dry run,
# refused without a crash kernel, set-up, doctor, armed, fired, report.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n '/^```yaml$/,/^```$/{/^```/!p}' README.md >"$tmp/impatient.yaml"
# The quoted line of step 2: a script in single quotes.
sed -n "s/^ *'\(sh -c .*\)'\$/\1/p" README.md >"$tmp/kill.sh"

# part NAME: what was printed in that part of the command
part() {
	sed 's/\x1b\[[0-9;]*m//g' "$dir/command.log" | sed -n "/^== $1\$/,/^== /p"
}

says() {
	part "$1" | grep -E -- "$2" || { part "$1"; return 1; }
}

reports() {
	jq -e "$1" "$dir/report.json"
}

run_vm steps --copy "$tmp/impatient.yaml" --copy "$tmp/kill.sh" -- '
	step() { echo "== $1"; shift; "$@"; echo "status $?"; }
	armed() { until grep -q armed "$1"; do [ -d "/proc/$!" ] || break; sleep 0.2; done 2>/dev/null; }
	step check deadfall check impatient.yaml
	deadfall run --dry-run impatient.yaml >dry.log 2>&1 &
	armed dry.log; run=$!
	sh kill.sh; kill -TERM $run; wait $run
	step dry cat dry.log
	step refused deadfall run impatient.yaml
	step setup deadfall kdump setup
	step doctor deadfall kdump doctor
	deadfall run impatient.yaml >run.log 2>&1 &
	armed run.log
	step armed cat run.log
	step status deadfall status
	sh kill.sh
	echo "== alive"'
check "check: without errors" says check '^1 rule checked'
check "dry run: says what it is" says dry '^armed \(dry run: nothing will crash\) killed-impatiently: 1 rule, 1 function'
check "dry run: would have fired, once" same 1 "$(part dry | grep -c 'would have fired: rule killed-impatiently at event kill')"
check "run without a crash kernel: refused with 3" says refused '^status 3'
check "run without a crash kernel: says what to do" says refused 'deadfall kdump (setup|doctor)'
check "setup: done" says setup '^status 0'
check "doctor: ready" says doctor '^status 0'
check "run: armed" says armed '^armed killed-impatiently'
check "status: shows it" says status 'rule killed-impatiently: action panic, 0 matches'
check "fired: captured" same 10 "$rc"
check "report: the match" reports '.rule == "killed-impatiently" and [.context[].step] == ["asked", "killed"]'
check "report: the victim" reports '.context | all(.fields.victim == "sh") and .[0].fields.pid == .[1].fields.pid'
check "report: the time between" reports '.context | (.[1].time_ns - .[0].time_ns) as $d | $d > 2e8 and $d < 1e9'
check "report: who" reports '.context[0].task.tid == .match.task.tid and (.context[0].kstack | any(test("sys_kill")))'
check "nothing complained before the crash" holds '.splats == []'
echo "1..$tests"
