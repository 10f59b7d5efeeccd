#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A user program finds a bad checksum and says so in a USDT probe: the machine stops there, and the report shows what
# the same thread asked the kernel before. A run without the corruption comes first in the same machine.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

reports() {
	jq -e ".match.task.tid as \$tid | $1" "$dir/report.json"
}

said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

run_vm bad --copy "$build/vm/kv:/usr/local/bin/kv" --rule rules/catalog/kv-checksum-mismatch.yaml -- '
	kv ok; echo "ok ended with $?"; deadfall status; echo; kv bad'
check "without corruption: the program runs on" said '^ok ended with 0'
check "without corruption: nothing matched" said 'action panic, 0 matches'
check "without corruption: the kernel probe ran" said 'read +seen [1-9][0-9]+ '
check "with it: the rule fired and was captured" same 10 "$rc"
check "report: the USDT event" reports '.match.event == "mismatch" and .rule == "kv-checksum-mismatch"'
check "report: the thread, named by its tid" reports '.match.task.comm == "kv-reader" and .match.key == $tid'
check "report: it is the thread that the program names" \
	sh -c "[ \"\$(sed -n 's/^kv-reader tid \([0-9]*\).*/\1/p' '$dir/command.log' | tail -n 1)\" = \"\$(jq .match.task.tid '$dir/report.json')\" ]"
check "report: the probe's arguments" reports '.context[-1] | .event == "mismatch" and .fired and
	.fields.block == 41 and .fields.offset == 41 * 4096 and .fields.want != .fields.got and .fields.fd == 3'
check "report: kernel events of the same thread before it" reports '.context[:-1] |
	length >= 15 and all(.event == "read" and .task.tid == $tid and .func == "vfs_read")'
check "report: their fields" reports '.context[-2].fields | .count == 4096 and .file == "kv.data" and .inode > 0'
check "report: their stacks" reports '.context[-2].kstack | (.[0] | startswith("vfs_read+0x")) and any(test("pread64"))'
check "report: oldest first, up to the fire" \
	reports '(.context | map(.time_ns) | . == sort) and .context[-1].time_ns == .match.time_ns'
check "report: the reason" reports '.match.reason | test("^block 41 is corrupt: checksum 0x[0-9a-f]+ instead of 0x[0-9a-f]+, read by kv-reader$")'
check "nothing complained before the crash" holds '.splats == []'
echo "1..$tests"
