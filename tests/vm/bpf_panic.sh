#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module of contrib/bpf_panic: the kernel's log in the dump says which rule fired.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

run_vm fired --module "$build/vm/bpf_panic/bpf_panic.ko" --rule tests/vm/rules/renamed-unsynced.yaml -- '
	deadfall features | grep bpf_panic
	dd if=/dev/zero of=/tmp/good bs=100 count=3 conv=fsync 2>/dev/null; mv /tmp/good /tmp/better
	echo still here; echo precious >/tmp/bad; mv /tmp/bad /tmp/worse; echo too late'
check "the kfunc is found" grep -qE '^bpf_panic +yes' "$dir/command.log"
check "the rule fired and was captured" same 10 "$rc"
check "a good file before it did not" grep -q '^still here' "$dir/command.log"
check "the machine ended inside the call that fired" sh -c "! grep -q '^too late' '$dir/command.log'"
check "the panic message names the rule, the key and the task" \
	grep -E 'Kernel panic - not syncing: bpf_panic: rule renamed-unsynced: key 0x[0-9a-f]{16}, task mv, tid [0-9]+' "$dir/console.log"
makedumpfile --dump-dmesg "$dir/vmcore" "$dir/dmesg.dump" >/dev/null 2>&1 || true
check "so does the log in the dump" \
	grep -E 'bpf_panic: rule renamed-unsynced: key 0x' "$dir/dmesg.dump"
check "the report is the same as ever" holds '.rule == "renamed-unsynced" and .match.task.comm == "mv"' report.json
echo "1..$tests"
