#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What it takes to attach to some 10,000 functions, beside a bare BPF_LINK_CREATE by the same addresses: a machine under
# QEMU's -icount, where a nanosecond is an instruction, or (the kernel waits for itself there, too) a nanosecond of waiting.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
limit=1500

cat >"$scratch/many.yaml" <<-'R'
	deadfall: 1
	rule: many
	about: Nothing happens.
	events:
	  any: {probe: "kprobe:[a-dg]*", where: task.tid == 123456789}
	match: {event: any}
	on_match: [log: never]
R

run_vm attach --no-kdump --disk 0 --smp 1 --mem 2G --accel tcg --qemu-args '-icount shift=0,sleep=off -rtc clock=vm' \
	--copy "$build/tests/bench/attach" --copy "$scratch/many.yaml" \
	-- ./attach deadfall run --dry-run --brake 0 many.yaml
grep '^#' "$dir/command.log"

declare -A at
while read -r name n; do at[$name]=$n; done < <(grep -E '^[a-z]+ [0-9]+$' "$dir/command.log")

# ms NAME
ms() {
	awk "BEGIN { printf \"%.1f\", ${at[$1]:-0} / 1e6 }"
}

check "the machine measured" same 0 "$rc"
echo "# in milliseconds of 1,000,000 instructions:"
echo "#   a bare BPF_LINK_CREATE by ${at[functions]:-?} addresses      $(ms bare)"
echo "#   the set's own BPF_LINK_CREATE                        $(ms link)"
echo "#   all that attaches the set                            $(ms step)"
echo "#   deadfall run, from its start until it is armed       $(ms armed)"
check "some 10,000 functions were probed" test "${at[functions]:-0}" -ge 9000
tests=$((tests + 1))
ratio=$(awk "BEGIN { printf \"%.2f\", ${at[step]:-0} / ${at[bare]:-1} }")
result=$(awk "BEGIN { print (($ratio > 0 && $ratio <= 1.2) ? \"ok\" : \"not ok\") }")
echo "$result $tests - attaching takes $ratio times the bare link, wanted at most 1.20"
echo "1..$tests"
