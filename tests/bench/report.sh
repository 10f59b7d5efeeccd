#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The report of a 1 GB guest's vmcore (6.1, where all three can read it): wall time and peak memory of `deadfall report`,
# beside drgn and crash with the debug package, which load it and print the same facts: the crashed task, its stack, all
# tasks, the BPF maps, the log. The best of several runs each, the file in the page cache.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
deadfall=$build/deadfall
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
debug=$(contrib/vm/kernel --debug 6.1) || exit 99

cat >"$scratch/facts.py" <<'P'
import sys
import drgn
from drgn.helpers.linux.bpf import bpf_map_for_each
from drgn.helpers.linux.pid import for_each_task

prog = drgn.Program()
prog.set_core_dump(sys.argv[1])
prog.load_debug_info([sys.argv[2]])
task = prog.crashed_thread().object
print(task.comm.string_(), task.pid.value_())
print(prog.stack_trace(task))
for t in for_each_task(prog):
    print(t.pid.value_(), t.comm.string_(), t.__state.value_() if hasattr(t, "__state") else "")
for m in bpf_map_for_each(prog):
    print(m.id.value_(), m.name.string_())
P
printf 'bt\nps\nbpf -M\nlog\n' >"$scratch/commands"

# best RUNS COMMAND...: "seconds kilobytes" of the fastest run
best() {
	local runs=$1 i
	shift
	for i in $(seq "$runs"); do
		command time -f '%e %M' -o "$scratch/time" timeout -k 5 300 "$@" >/dev/null 2>&1 </dev/null || continue
		tail -n 1 "$scratch/time"
	done | sort -n | head -n 1
}

with_crash() {
	timeout -k 5 300 crash -s "$debug" "$dir/vmcore" <"$scratch/commands"
}

limit=400
run_vm dump --kernel 6.1 --copy "$build/vm/ask" --rule tests/vm/rules/asked-twice.yaml -- 'sleep 1; /root/ask $$; /root/ask $$; sleep 60'
check "a 1 GB guest's dump" same 10 "$rc"
cat "$dir/vmcore" "$debug" >/dev/null
export -f with_crash
export debug dir scratch
read -r own own_kb < <(best 7 "$deadfall" report "$dir/vmcore")
read -r drgn drgn_kb < <(best 3 /usr/bin/python3 "$scratch/facts.py" "$dir/vmcore" "$debug")
read -r crash crash_kb < <(best 2 bash -c with_crash)
echo "# deadfall report: $own s, $((own_kb / 1024)) MB; drgn: $drgn s, $((drgn_kb / 1024)) MB; crash: $crash s, $((crash_kb / 1024)) MB"
echo "# debuginfo: 0 bytes; drgn and crash read $(($(stat -c %s "$debug") >> 20)) MB"
check "at most 0.3 s: $own s" awk "BEGIN { exit !($own <= 0.3) }"
check "at most 64 MB: $own_kb KB" awk "BEGIN { exit !($own_kb <= 65536) }"
check "at least 5 times as fast as drgn: $drgn s" awk "BEGIN { exit !($drgn >= 5 * $own) }"
check "at least 5 times as fast as crash: $crash s" awk "BEGIN { exit !($crash >= 5 * $own) }"
echo "1..$tests"
