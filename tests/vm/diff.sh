#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The differential test on both kernels: 120,000 pairs of expression and input each, bytecode against the reference
# evaluator. gcc is asked on this machine, where it is, if its kernel lets us load programs. The long run: make diff.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

agree() {
	grep -q '^ok 2 ' "$1" && ! grep -q '^not ok' "$1" || { grep -v '^1\.\.' "$1" | head -n 30; return 1; }
}

pairs() {
	local n
	n=$(sed -n 's/^# \([0-9]*\) pairs.*/\1/p' "$1")
	[ "${n:-0}" -ge "$2" ] || { echo "only ${n:-0} pairs"; return 1; }
}

for kernel in 6.12 6.1; do
	limit=500 run_vm "$kernel" --kernel "$kernel" --copy "$build/tests/diff/diff" --copy "$build/tests/diff/subject1.btf" \
		--copy "$build/tests/diff/subject2.btf" -- ./diff --folder . --gcc no --expressions 2000 --inputs 62
	check "$kernel: bytecode and evaluator agree" agree "$dir/command.log"
	check "$kernel: on 120000 pairs" pairs "$dir/command.log" 120000
done

here=$build/tests/$test/here
if timeout 200 "$build/tests/diff/diff" --folder "$build/tests/diff" --expressions 2000 --inputs 62 >"$here" 2>&1 ||
	! grep -q 'Operation not permitted' "$here"; then
	check "here: bytecode, evaluator and gcc agree" agree "$here"
else
	echo "# not run on this machine: BPF takes privilege here"
fi
echo "1..$tests"
