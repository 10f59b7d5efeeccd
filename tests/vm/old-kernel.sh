#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux 6.1, without BPF lists and (in Debian's build) without kprobe_multi: a rule with state, on functions of the
# kernel itself, with a workload of stock tools. Files that are synced before they are renamed come first: no fire.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

reports() {
	jq -e ".match.task.tid as \$tid | $1" "$dir/report.json"
}

said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

run_vm fired --kernel 6.1 --rule tests/vm/rules/renamed-unsynced.yaml -- '
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		dd if=/dev/zero of=/tmp/good bs=100 count=3 conv=fsync 2>/dev/null; mv /tmp/good /tmp/good.$i
	done
	deadfall status; echo still here
	mkdir -p /var/crash/out; deadfall status --json >/var/crash/out/before.json
	echo precious >/tmp/bad; ls -i /tmp/bad; mv /tmp/bad /tmp/worse'
check "files that were synced: no match" said 'action panic, 0 matches'
check "the probes ran" sh -c "grep -E ' +rename .*recorded 12( |$)' '$dir/command.log' && grep -E ' +sync .*recorded 1[2-9]( |$)' '$dir/command.log'"
check "the machine ran on" said '^still here'
check "a file that was not: the rule fired and was captured" same 10 "$rc"
check "that was Linux 6.1" holds '.kernel.booted | startswith("6.1.")'
check "it says how the history is kept there" holds '.armed_line | contains("history in arrays")'
check "report: the match" reports '.rule == "renamed-unsynced" and .match.event == "rename" and .match.task.comm == "mv"'
check "report: the history of this file" reports '[.context[-2:][] | [.event, .step]] == [["write", "dirty"], ["rename", "moved"]]'
check "report: nothing of other files" reports '[.context[].fields.ino] | unique | length == 1'
check "report: the very file" \
	sh -c "[ \"\$(sed -n 's|^ *\([0-9]*\) /tmp/bad.*|\1|p' '$dir/command.log')\" = \"\$(jq '.context[-1].fields.ino' '$dir/report.json')\" ]"
check "report: fields" reports '.context[-2].fields.count == 9'
check "report: who wrote" reports '.context[-2].task.tid != $tid and .context[-2].func == "vfs_write"'
check "report: stacks" reports '(.context[-2].kstack | any(test("ksys_write"))) and
	(.context[-1].kstack | (.[0] | startswith("vfs_rename+0x")) and any(test("do_renameat2")))'
check "report: the other files are live keys" reports '.live_keys | length > 5'
check "what was written down just before the crash is there" holds '.[0].set == "renamed-unsynced"' out/before.json
check "nothing was lost" reports '.losses == {} and .unreadable == []'
check "nothing complained before the crash" holds '.splats == []'
"$build/deadfall" report "$dir/capsule" --format json | jq -S 'del(.dump)' >"$dir/from-capsule.json"
jq -S 'del(.dump)' "$dir/report.json" >"$dir/from-vmcore.json"
check "the capsule alone gives the same report" sh -c "[ -s '$dir/from-vmcore.json' ] && diff '$dir/from-vmcore.json' '$dir/from-capsule.json'"
echo "1..$tests"
