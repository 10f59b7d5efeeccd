#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole chain on one bug: a widget is freed twice, the rule fires at the second free, and what the report says is
# what the module itself noted, read from the same dump by drgn; crash names its functions. Beside it the same workload
# without the bug.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

rule=rules/catalog/widget-freed-twice.yaml

# pairs of times, the module's and ours, of the last generation's events
times='[[$t.t_alloc, .[0].time_ns], [$t.t_first, .[1].time_ns], [$t.t_second, .[2].time_ns]]'

# reports JQ_EXPRESSION: of the report; $t is the module's truth, $c the events of the object's last generation.
reports() {
	jq -e --slurpfile truth "$dir/truth.json" "
		\$truth[0] as \$t | .match.generation as \$g | [.context[] | select(.generation == \$g)] as \$c | $1" \
		"$dir/report.json"
}

# The report from one dump, without what says where it comes from.
report_of() {
	"$build/deadfall" report "$dir/$1" --format json | jq -S 'del(.dump)'
}

same_reports() {
	report_of capsule >"$dir/from-capsule.json" && report_of vmcore >"$dir/from-vmcore.json" &&
		diff -u "$dir/from-vmcore.json" "$dir/from-capsule.json"
}

text_says() {
	grep -qE -- "$1" "$dir/report.txt" || { cat "$dir/report.txt"; return 1; }
}

test_fired() {
	wait_vm bug
	check "the rule fired and was captured" same 10 "$rc"
	check "nothing complained before the crash" holds '.splats == []'
	check "the module's truth can be read from the dump" \
		sh -c "tests/vm/truth '$dir/vmcore' '$dir/command.log' >'$dir/truth.json'"
	check "report: the rule" reports '.rule == "widget-freed-twice"'
	check "report: the match" reports '.match | .kind == "sequence" and .event == "free" and .act == "panic"'
	check "report: the key is the object" reports '.match.key == $t.object'
	check "report: the task that freed second" \
		reports '.match.task | .comm == "widget-b" and .tid == $t.second_free_tid'
	check "report: the reason names both" \
		reports '.match.reason | test("^widget 0x[0-9a-f]+ freed twice: first by widget-a\\[.*, now by widget-b\\[")'
}

test_history() {
	check "history: alloc, free, free of this generation" reports '[$c[].event] == ["alloc", "free", "free"]'
	check "history: the alloc began the generation" reports '$c[0].birth and .match.generation > 1'
	check "history: who did it" reports \
		'[$c[].task.tid] == [$t.alloc_tid, $t.first_free_tid, $t.second_free_tid]'
	check "history: their names" reports '[$c[].task.comm] == ["widget-a", "widget-a", "widget-b"]'
	check "history: the steps, and where it fired" \
		reports '[$c[].step] == [null, "a", "b"] and [$c[].fired] == [false, false, true]'
	check "history: fields" reports '$c[1:] | all(.fields == {"len": $t.len, "owner": "widget-a"})'
	check "history: stacks of the frees" reports '$c[1:] | all(.kstack |
		(.[0] | startswith("widget_free+0x")) and any(startswith("widget_proc_write+0x")))'
	check "history: stack of the alloc" reports '$c[0].kstack | any(startswith("widget_proc_write+0x"))'
	check "history: functions" reports '[$c[].func] == ["widget_alloc", "widget_free", "widget_free"]'
	check "history: times in order" reports ".match.time_ns == \$c[2].time_ns and (.context | map(.time_ns) | . == sort)"
	# The machine that runs the VM may take the CPU away between the module's clock and ours: once, not twice.
	check "history: times are the module's, within 1 ms" reports \
		"\$c | $times | map(.[0] - .[1] | fabs) | sort | .[1] < 1e6 and .[2] < 2e8"
	check "history: older generations of the address are told apart" \
		reports '[.context[].generation] | (unique | length) > 1 and . == sort'
}

test_others() {
	check "a hundred other widgets are in live_keys" reports \
		'[.live_keys[] | select(.key != $t.object) | .key] | length >= 100 and (unique | length) == length'
	check "each with its state and age" reports '.live_keys | all(.state != null and .age_ns >= 0)'
	check "nothing was lost, and the report says so" reports '.losses == {} and .unreadable == []'
	check "every call was seen" reports '.counters.alloc.seen == $t.allocs and .counters.free.seen == $t.frees'
	check "the rule's text is there" reports '.source | contains("rule: widget-freed-twice")'
	check "the kernel is named" reports '.kernel.release | startswith("6.12.")'
	check "text: the verdict first" sh -c "head -n 1 '$dir/report.txt' | grep -q 'freed twice: first by widget-a'"
	check "text: the losses" text_says '^What may be missing'
	check "text: the stack" text_says 'widget_proc_write\+0x'
	check "the capsule alone gives the same report" same_reports
}

# What crash 8.0.2 prints, with symbols and types from the dump; this kernel keeps modules otherwise than it knows.
test_crash() {
	"$build/deadfall" vmlinux "$dir/vmcore" -o "$dir/vmlinux" >/dev/null
	printf '%s\n' mod bt 'sym widget_free' 'sym nf_conntrack_alloc' 'sym widget_lock' |
		timeout -k 5 120 crash -s "$dir/vmlinux" "$dir/vmcore" >"$dir/crash.txt" 2>&1
	rm "$dir/vmlinux"
	check "crash: every module with its symbols" crash_says 4 '^[0-9a-f]+ +(widget|nf_conntrack|nf_defrag_ipv[46]) .*KALLSYMS'
	check "crash: bt names the module's functions" crash_says 2 '(widget_free|widget_proc_write) at .*\[widget\]'
	check "crash: bt goes on behind the module" crash_says 3 ' (proc_reg_write|vfs_write|entry_SYSCALL_64_after_hwframe) at '
	check "crash: symbols of modules by name" crash_says 3 '^[0-9a-f]+ \(.\) (widget_free|nf_conntrack_alloc|widget_lock) \['
	check "crash: nothing to complain about" sh -c "! grep -E 'WARNING|invalid' '$dir/crash.txt'"
}

# crash_says N REGEX: so many different matches.
crash_says() {
	same "$1" "$(grep -oE -- "$2" "$dir/crash.txt" | sed 's/ at .*//' | sort -u | wc -l)" || { cat "$dir/crash.txt"; return 1; }
}

test_control() {
	wait_vm run
	check "without the bug: exit 0" same 0 "$rc"
	check "it was armed, and nothing fired" \
		holds '.armed and .dump == null and .deadfall_exit == 0 and .splats == []'
	check "status: armed to panic, no match" holds '.[0] | .armed == "panic" and .fires == 0' status.json
	check "status: the probes ran" holds '.[0].events | all(.seen > 500 and .hit > 500 and .recorded > 500)' status.json
	check "status: nothing was lost" holds '.[0].events | all(.full + .nomem + .raced + .evicted + .unknown == 0)' status.json
}

start_vm bug --module nf_conntrack --module "$build/vm/widget.ko" --copy "$build/vm/wl" --rule $rule -- './wl bug'
start_vm run --module "$build/vm/widget.ko" --copy "$build/vm/wl" --rule $rule -- './wl run'
test_fired
test_history
test_others
test_crash
test_control
echo "1..$tests"
