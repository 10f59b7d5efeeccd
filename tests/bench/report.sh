#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The report of a 1 GB guest's vmcore (6.1, where all three can read it): wall time and peak memory of `deadfall report`, and
# of `deadfall vmlinux`, beside drgn and crash with the debug package, which load it and print the same facts: the crashed
# task, its stack, all tasks, the BPF maps, the log. The best of several runs each, the file in the page cache.
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
from drgn.helpers.linux.printk import get_dmesg

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
print(get_dmesg(prog))
P
# without quit, crash ends with status 1
printf 'bt\nps\nbpf -M\nlog\nquit\n' >"$scratch/commands"

# best RUNS COMMAND...: "seconds CPU-seconds megabytes" of the fastest run; far too much if none succeeded.
best() {
	local runs=$1 i
	shift
	for i in $(seq "$runs"); do
		command time -f '%e %U %S %M' -o "$scratch/time" timeout -k 5 300 "$@" >/dev/null 2>"$scratch/err" </dev/null || {
			echo "# failed: $*: $(tail -n 1 "$scratch/err")" >&2
			continue
		}
		awk '{ print $1, $2 + $3, int($4 / 1024) }' "$scratch/time"
	done | sort -n | grep . || echo 99999 99999 99999
}

# faster_than PROGRAM SECONDS
faster_than() {
	check "at least 5 times as fast as $1: $(awk "BEGIN { printf \"%.1f\", $2 / $own }") times" \
		awk "BEGIN { exit !($2 < 99999 && $2 >= 5 * $own) }"
}

with_crash() {
	timeout -k 5 300 crash -s "$debug" "$dir/vmcore" <"$scratch/commands"
}

limit=400
run_vm dump --kernel 6.1 --copy "$build/vm/ask" --rule tests/vm/rules/asked-twice.yaml -- \
	'sleep 1; /root/ask $$; /root/ask $$; sleep 60'
check "a 1 GB guest's dump" same 10 "$rc"
cat "$dir/vmcore" "$debug" >/dev/null
export -f with_crash
export debug dir scratch
read -r own own_cpu own_mb < <(best 7 "$deadfall" report "$dir/vmcore")
read -r list list_cpu list_mb < <(best 5 "$deadfall" vmlinux "$dir/vmcore" -o "$scratch/vmlinux")
read -r drgn drgn_cpu drgn_mb < <(best 3 /usr/bin/python3 "$scratch/facts.py" "$dir/vmcore" "$debug")
read -r crash crash_cpu crash_mb < <(best 3 bash -c with_crash)
printf '# %-16s %8s s  %8s s of CPU  %5s MB\n' 'deadfall report' "$own" "$own_cpu" "$own_mb" \
	'deadfall vmlinux' "$list" "$list_cpu" "$list_mb" drgn "$drgn" "$drgn_cpu" "$drgn_mb" \
	crash "$crash" "$crash_cpu" "$crash_mb"
echo "# debuginfo: 0 bytes; drgn and crash read $(($(stat -c %s "$debug") >> 20)) MB"
check "at most 0.3 s: $own s" awk "BEGIN { exit !($own <= 0.3) }"
check "a namelist for crash and drgn in at most 1 s: $list s" awk "BEGIN { exit !($list <= 1) }"
check "at most 64 MB: $own_mb MB" [ "$own_mb" -le 64 ]
faster_than drgn "$drgn"
faster_than crash "$crash"
echo "1..$tests"
