#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `check` says of a set's memory is what the kernel takes, whole histories included; a budget is kept; what does not
# fit is refused before anything is taken. Keys that wait for something are not driven out by those that come and go, as long as
# there is room for both; else that is counted. 6.1 has its histories in arrays.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

huge=$build/tests/$test/huge.yaml
mkdir -p "$build/tests/$test"
sed 's/rule: filled/rule: huge/; s/last: 32, keys: 2048/last: 64, keys: 100000/' tests/vm/rules/budget.yaml >"$huge"

# shellcheck disable=SC2016
commands='
	out=/var/crash/out; mkdir -p $out
	mem() {
		echo 3 >/proc/sys/vm/drop_caches; sleep 1
		echo "mem $1 $(awk "/SUnreclaim|VmallocUsed/ {print \$2}" /proc/meminfo | tr "\n" " ")"
	}
	agent() {
		rm -f /tmp/agent.out
		deadfall run --dry-run --brake 0 "$@" >/tmp/agent.out 2>&1 & pid=$!
		until grep -qs "^armed" /tmp/agent.out; do sleep 0.2; kill -0 $pid || { cat /tmp/agent.out; exit 9; }; done
	}
	end() { kill -INT $pid; wait $pid; }
	fill() { # whole histories of 2048 keys: 8 pinned events, then 32 others
		n=0; while [ $n -lt 8 ]; do echo each 1000 2048 >/proc/inject; n=$((n + 1)); done
		n=0; while [ $n -lt 40 ]; do echo many 1000 2048 >/proc/inject; n=$((n + 1)); done
	}
	noted() { # what the kernel notes of the maps and programs that the agent holds
		for f in /proc/$pid/fdinfo/*; do
			awk "/^memlock/ {m = \$2} /^map_id|^prog_id/ {id = \$1 \$2} END {if (m) print id, m}" $f
		done 2>/dev/null | sort -u | awk "{sum += \$2} END {print sum}"
	}
	deadfall check --json budget.yaml >$out/check.json
	agent budget.yaml; end
	mem start
	agent --memory SMALL budget.yaml; mem loaded-small
	fill; mem filled-small
	deadfall status --json >$out/small.json; deadfall report /proc/kcore --format json >$out/report.json
	end
	agent budget.yaml; echo "noted $(noted)"; mem loaded
	fill; mem filled
	deadfall status --json >$out/filled.json; deadfall status | grep "kernel memory"; deadfall status | grep "module inject"
	end
	try() { echo "== $1"; shift; timeout 60 "$@" 2>&1; echo "status $?"; }
	try refused deadfall run --dry-run --memory 2M budget.yaml
	deadfall compile budget.yaml -o set.bpf.o
	try refused-object deadfall run --dry-run --memory 2M set.bpf.o
	try no-room deadfall run --dry-run --memory 8G huge.yaml
	agent crowd.yaml
	echo each 1 40 >/proc/inject; echo many 1000 5000 >/proc/inject
	n=1; while [ $n -le 40 ]; do echo b $n; n=$((n + 1)); done >/proc/inject
	deadfall status --json >$out/crowd.json
	echo each 10000 200 >/proc/inject
	deadfall status --json >$out/crowded.json; deadfall status | grep unfinished
	end
	echo "== end"; cat /proc/vmstat | grep oom_kill; true'

slabs() { # WORD: SUnreclaim, KB
	sed -n "s/^mem $1 //p" "$dir/command.log" | cut -d' ' -f1
}

taken() { # WORD WORD: slabs and vmalloc, KB more at the second
	awk -v a="$1" -v b="$2" '$1 == "mem" {sum[$2] = $3 + $4} END {print sum[b] - sum[a]}' "$dir/command.log"
}

figure() { # of check, in KB
	jq "[.[] | select(.tag == \"memory\")][0].memory.$1 / 1024 | floor" "$dir/out/check.json"
}

near() { # WANT GOT PERCENT
	local off=$(($2 > $1 ? $2 - $1 : $1 - $2))
	echo "estimated $1 KB, taken $2 KB"
	[ $((off * 100)) -le $(($1 * $3)) ]
}

no_more() { # LIMIT GOT
	echo "limit $1 KB, taken $2 KB"
	[ "$2" -gt 0 ] && [ "$2" -le "$1" ]
}

at_most() { # LIMIT GOT
	echo "limit $1 KB, taken $2 KB"
	[ "$2" -le "$1" ]
}

budget_on() { # RELEASE MODULE SMALL
	local release=$1
	run_vm "budget-$release" --kernel "$release" --no-kdump --module "$2" --copy tests/vm/rules/budget.yaml:/root/budget.yaml \
		--copy "$huge:/root/huge.yaml" --copy tests/vm/rules/crowd.yaml:/root/crowd.yaml -- "${commands//SMALL/$3}"
	check "$release: the machine is fine afterwards" same 0 "$rc"
	check "$release: loaded: the estimate is what the kernel notes of maps and programs" \
		near "$(figure start)" $(($(sed -n 's/^noted //p' "$dir/command.log") / 1024)) 15
	check "$release: status says what it takes at most" grep -q 'kernel memory: .* at most' "$dir/command.log"
	check "$release: 2 MB are not enough: exit 1" says refused '^status 1$'
	check "$release: ... with the line of the rule" says refused 'budget.yaml:8:10: error\[memory\]'
	check "$release: ... what takes how much" says refused "most of it is for rule 'filled': .* for 2048 keys"
	check "$release: ... and what to change" says refused 'hint: keys: [0-9]+, or .*--memory [0-9]+M'
	check "$release: a compiled set likewise" says refused-object '^status 1$'
	check "$release: ... by table" says refused-object 'filled: 2048 keys of'
	check "$release: more than the machine has is refused: exit 3" says no-room '^status 3$'
	check "$release: ... with what there is" says no-room 'this machine has .* left'
	check "$release: 40 keys that wait are there after 5,000 others in a table of 128" holds '.[0].rules[0].fires == 40' out/crowd.json
	check "$release: ... the others made room for each other" holds \
		'.[0].events | all(.full + .unfinished == 0) and any(.evicted > 4000)' out/crowd.json
	check "$release: where 200 wait, 128 stay, and who had to go is counted and shown" holds \
		'.[0].events[0] | .unfinished >= 200 - 128 and .unfinished < 90 and .full == 0' out/crowded.json
	check "$release: ... by status as well" grep -q 'unfinished [1-9]' "$dir/command.log"
	check "$release: a key whose deadline runs never goes: there is no room for more, which is counted" holds \
		'[.[0].events[] | select(.rule == "deadlines") | .unfinished + .evicted, .full] | .[0] == 40 and .[1] == 200 - 128' out/crowded.json
	check "$release: nobody was killed for memory" says end '^oom_kill 0'
	check "$release: no complaints of the kernel" holds '.splats == []'
}

budget_on 6.12 "$build/vm/inject.ko" 12M
check "6.12: 12 MB: histories are cut, and that is counted" holds '[.[0].events[].cut] | add > 50000' out/small.json
check "6.12: ... every event was recorded all the same" holds '[.[0].events[] | .recorded] == [16384, 81920]' out/small.json
check "6.12: ... all shared nodes are in use, and no more" holds '.[0].nodes_left == 0' out/small.json
check "6.12: ... the kernel takes what the budget leaves for histories" \
	near $((12288 - $(figure start))) $(($(slabs filled-small) - $(slabs loaded-small))) 5
check "6.12: ... the report says so" holds '[.losses[] | .cut // 0] | add > 50000' out/report.json
# What the allocator of BPF keeps when a set ends may serve the next one, or not yet.
check "6.12: all histories whole: slabs grow by what was estimated" \
	no_more $((($(figure full) - $(figure start)) * 105 / 100)) $(($(slabs filled) - $(slabs loaded)))
check "6.12: ... and that is taken" \
	no_more $(($(slabs filled) - $(slabs start))) $((($(figure full) - $(figure start)) * 95 / 100))
check "6.12: ... with maps, programs and what the allocator keeps of the set before no quarter more" \
	no_more $(($(figure full) * 125 / 100)) "$(taken start filled)"
check "6.12: ... no history was cut" holds '[.[0].events[].cut] == [0, 0]' out/filled.json
check "6.12: ... 40 events of each key" holds '[.[0].events[].recorded] == [16384, 81920]' out/filled.json
check "6.12: the module is held, and status says who does" grep -q 'holds module inject' "$dir/command.log"

budget_on 6.1 "$build/vm-6.1/inject.ko" 64M
check "6.1: what is said is taken at the start" near "$(figure start)" "$(taken start loaded)" 15
check "6.1: nothing more is taken as histories fill" at_most 512 "$(taken loaded filled)"
check "6.1: arrays are not cut" holds '[.[0].events[].cut] == [0, 0]' out/filled.json
check "6.1: the module is not held, and status says that" grep -q 'probes module inject' "$dir/command.log"
echo "1..$tests"
