#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel has, found by trying: both kernels, and a process that may not try.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

# shellcheck disable=SC2016
commands='
	out=/var/crash/out; mkdir -p $out
	try() { echo "== $1"; shift; timeout -s INT 60 "$@"; echo "status $?"; }
	deadfall features --json >$out/root.json
	/usr/bin/setpriv --reuid 1000 --clear-groups deadfall features --json >$out/user.json
	/usr/bin/setpriv --bounding-set -sys_boot deadfall features --json >$out/boot.json
	deadfall probes "tracepoint:*:*" >$out/tracepoints
	deadfall probes "tracepoint:sched:*" >$out/sched
	deadfall probes "tracepoint:*:*" --btf /sys/kernel/btf/vmlinux >$out/tracepoints-btf 2>/dev/null
	umount -l /sys/kernel/tracing; umount -l /sys/kernel/debug; deadfall features --json >$out/untraced.json
	mount -t tracefs tracefs /sys/kernel/tracing
	try text deadfall features
	try refused /usr/bin/setpriv --bounding-set -sys_boot deadfall run --dry-run two-on-one.yaml
	left() { grep -c "df_try" /proc/kallsyms; }
	echo "== left"; left || true'

# state FILE FEATURE
state() {
	jq -r ".[] | select(.feature == \"$2\") | .present" "$dir/out/$1.json"
}

# states FILE: FEATURE=STATE of all, without those of the module and the CPU
states() {
	jq -r '.[] | select(.feature | IN("bpf_panic", "branch_records") | not) | "\(.feature)=\(.present)"' "$dir/out/$1.json"
}

all_are() {
	same "" "$(states "$1" | grep -v "=$2\$")"
}

# Their fields as they are known by tracefs, and by BTF alone: no line of the kernel's own differs, and they are many.
tracepoints_agree() {
	local differ
	differ=$(awk -F '[:(]' '/^tracepoint:/ { key = $3; sub(/^tracepoint:[^:]*:/, "") }
		/^rawtp:/ { key = $2 }
		NR == FNR { text[key] = $0; next }
		key in text && text[key] != $0 { print; print "instead of " text[key] }
		key in text { n++ }
		END { if (n < 600) print "only " n + 0 }' "$dir/out/tracepoints-btf" "$dir/out/tracepoints")
	same "" "$differ"
}

has_line() {
	grep -E -- "$1" "$dir/out/$2" || { head -n 50 "$dir/out/$2"; return 1; }
}

features_on() {
	local release=$1 without=$2 feature
	run_vm "features-$release" --kernel "$release" --no-kdump --with setpriv \
		--copy tests/vm/rules/two-on-one.yaml:/root/two-on-one.yaml -- "$commands"
	check "$release: the machine is fine afterwards" same 0 "$rc"
	check "$release: what it has not" same "$without" \
		"$(states root | sed -n 's/=false$//p' | sort | tr '\n' ' ')"
	check "$release: all else it has" same "" "$(states root | grep -v '=true$\|=false$')"
	check "$release: without privileges nothing is known" all_are user null
	check "$release: ... and what it takes is said" holds \
		'all((.needs | startswith("CAP_")) or .feature == "function_addresses")' out/user.json
	check "$release: without CAP_SYS_BOOT: crash_kexec is unknown" same null "$(state boot crash_kexec)"
	check "$release: ... the rest is as before" same "$(states root | grep -v crash_kexec)" \
		"$(states boot | grep -v crash_kexec)"
	check "$release: without tracefs: nobody knows of addresses" same null "$(state untraced function_addresses)"
	check "$release: the text says the same" says text '^lists  *(yes|no) '
	check "$release: with the commit" says text 'since: 8cab76ec6349'
	check "$release: run does not take another path for want of a privilege" says refused '^status 3$'
	check "$release: ... it says what is missing" says refused 'crash_kexec cannot be told: that takes CAP_SYS_BOOT'
	check "$release: fields of tracepoints are known without tracefs, too" tracepoints_agree
	check "$release: ... where BTF says little" has_line '^tracepoint:sched:sched_waking\(.*target_cpu' tracepoints
	check "$release: a category chooses" same 0 "$(grep -vc '^tracepoint:sched:sched_' "$dir/out/sched")"
	check "$release: nothing of the experiments is left" says left '^0$'
	check "$release: no complaints of the kernel" holds '.splats == []'
}

features_on 6.12 ""
features_on 6.1 "casts function_addresses kprobe_multi kprobe_session link_missed lists "
echo "1..$tests"
