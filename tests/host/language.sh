#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# language.sh - every example of docs/rule-language.md checks: whole rules, and each line of ```expr PROBE blocks.
set -u
cd "$(dirname "$0")/../.." || exit 99
deadfall=${BUILD:-build}/deadfall
btf=(--btf tests/data/kernel.btf --btf tests/data/widget.btf)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0 n=0

# Blocks to files: NN.yaml as they are; each line of an expr block to a rule of its own.
awk -v dir="$dir" '
	/^```yaml$/ { file = sprintf("%s/%03d-line-%d.yaml", dir, ++n, NR); next }
	/^```expr / { probe = $2; next }
	/^```/ { file = probe = ""; next }
	file { print > file }
	probe {
		out = sprintf("%s/%03d-line-%d.yaml", dir, ++n, NR)
		printf "deadfall: 1\nrule: r\nevents:\n  e:\n    probe: %s\n    where: |\n      %s\n", probe, $0 > out
		printf "match: {event: e}\non_match: [log: x]\n" > out
		close(out)
	}
' docs/rule-language.md

for f in "$dir"/*.yaml; do
	n=$((n + 1))
	if "$deadfall" check "$f" "${btf[@]}" >"$dir/out" 2>&1 && ! grep 'warning\[' "$dir/out" | grep -v 'unchecked'; then
		echo "ok $n - $(basename "$f" .yaml)"
	else
		cat "$dir/out"
		echo "not ok $n - $(basename "$f" .yaml)"
		bad=1
	fi
done
[ "$n" -ge 35 ] || { echo "not ok - only $n examples found"; bad=1; }
exit $bad
