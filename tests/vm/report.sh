#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The post-mortem on both kernels: the same report from vmcore and capsule, in every format; crash and drgn with
# deadfall.so and the namelist that `deadfall vmlinux` makes, without debuginfo; damaged dumps.
set -uo pipefail
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
PATH=$PATH:/usr/sbin:/sbin
deadfall=$build/deadfall
scratch=$(mktemp -d)
mode=
trap 'rm -rf "$scratch"' EXIT

# Whoever waits for a child after vfork() is in D state.
# A second set runs, so that there is somebody else whom a mark is told.
# shellcheck disable=SC2016
workload='printf "deadfall: 1\nrule: other\nevents: {e: {probe: kprobe:vfs_rename}}\nmatch: {event: e}\non_match: [log: x]\n" >/tmp/o.yaml
	deadfall run --brake 0 /tmp/o.yaml >/tmp/other 2>&1 &
	until grep -q "^armed" /tmp/other || [ ! -d /proc/$! ]; do sleep 0.1; done
	/root/ask wait & sleep 1; /root/ask $$; deadfall mark "half way"; /root/ask $$; sleep 60'

report_is_the_same() {
	"$deadfall" report --format json "$dir/vmcore" | jq 'del(.dump)' >"$scratch/a" &&
		"$deadfall" report --format json "$dir/capsule" | jq 'del(.dump)' >"$scratch/b" &&
		diff "$scratch/a" "$scratch/b"
}

report_says() {
	[ -s "$scratch/a" ] && jq -e "$1" "$scratch/a"
}

# The file that the machine had as /root/ask is found by its build-id, and gives the functions.
has_user_stack() {
	mkdir -p "$scratch/root/root" && cp "$build/vm/ask" "$scratch/root/root/" &&
		"$deadfall" report --format json --sysroot "$scratch/root" "$dir/vmcore" >"$scratch/u" || return 1
	jq -c '.context[-1] | .ustack, .ufiles' "$scratch/u"
	jq -e --arg id "$(readelf -n "$build/vm/ask" | sed -n 's/ *Build ID: //p')" \
		'[.context[0], .context[-1]] | all(.ufiles[0] == {path: "/root/ask", build_id: $id, offset: .ufiles[0].offset}
		and (.ustack[0] | test("getpgid[+]")) and (.ustack[1] | startswith("main+")))' "$scratch/u"
}

mark_is_between() {
	report_says '.marks | length == 1 and .[0].text == "half way"' &&
		"$deadfall" report "$dir/vmcore" | awk '/ask \(a\)/ { a = NR } /mark: half way/ { m = NR } /ask \(b\)/ { b = NR }
			END { exit !(a && a < m && m < b) }'
}

in_crash() {
	printf '%s\n' "$@" | timeout -k 5 120 crash -s ${mode:+"$mode"} "$scratch/vmlinux" "$dir/vmcore" 2>&1
}

crash_has() {
	local want=$1
	shift
	in_crash "$@" >"$scratch/crash.out"
	grep -E -q -- "$want" "$scratch/crash.out" || { tail -n 30 "$scratch/crash.out"; return 1; }
}

# All commands of docs/post-mortem.md in one session, each with the fact that its output must have.
crash_commands() {
	local line bad=0
	in_crash '!echo @sys' sys '!echo @bt' bt '!echo @bt-a' 'bt -a' '!echo @ps' ps '!echo @log' log '!echo @files' files '!echo @mod' mod \
		'!echo @struct' 'struct task_struct.pid,comm init_task' '!echo @bpf' bpf '!echo @extension' "extend $PWD/$build/deadfall.so" \
		deadfall '!echo @context' 'deadfall -c' '!echo @events' 'deadfall -e' '!echo @json' 'deadfall -j' \
		'!echo @key' "deadfall -c $(jq .match.key "$scratch/a")" '!echo @help' 'help deadfall' '!echo @end' >"$scratch/all"
	while read -r line; do
		awk -v m="@${line%% *}" '$0 == m { on = 1; next } /^@/ { on = 0 } on' "$scratch/all" >"$scratch/one"
		grep -E -q -- "${line#* }" "$scratch/one" && continue
		echo "crash: ${line%% *}: not there: ${line#* }"
		tail -n 12 "$scratch/one"
		bad=1
	done <<-END
		sys RELEASE: $kernel\.
		bt __crash_kexec at
		bt-a CPU: 0 .*COMMAND:
		ps \[kthreadd\]
		log Linux version $kernel\.
		files /dev/ttyS
		mod virtio_blk .*[0-9]{4}
		struct comm = "swapper/0
		bpf df_|BPF_MAP_TYPE|RINGBUF
		extension VERDICT: asked-twice: asked for
		context ask \(b\) .*ask\[
		events ask \(a\) .*ask\[
		json "rule": "asked-twice"
		key ask \(b\) .*ask\[
		help events of this key
	END
	return $bad
}

drgn_agrees() {
	DEADFALL=$deadfall PYTHONPATH=contrib/drgn /usr/bin/python3 - "$dir/vmcore" <<'EOF'
import sys, deadfall
prog = deadfall.load(sys.argv[1])
last = list(deadfall.events(sys.argv[1]))[-1]
assert last.fired and last.step == "b", last
task = prog.crashed_thread().object if hasattr(prog, "crashed_thread") else last.task_struct(prog)
assert task.pid.value_() == last.task.tid and task.comm.string_().decode() == last.task.comm, task
for frame in last.kstack[:4]:
    name, offset = frame.split("+")
    symbol = prog.symbol(prog.symbol(name).address + int(offset, 0) - 1)
    assert symbol.name == name, (frame, symbol)
EOF
}

# Through BPF, trampoline and probe; and where drgn finds the way alone, with the unwind table as it knows it.
drgn_unwinds() {
	DEADFALL=$deadfall PYTHONPATH=contrib/drgn /usr/bin/python3 - "$dir/vmcore" <<'EOF'
import sys, deadfall
prog = deadfall.load(sys.argv[1])
trace = deadfall.stack_trace(prog, sys.argv[1])
names = [f.symbol.split("+")[0] for f in trace]
print(trace)
assert trace.end is None and names[0] == "__crash_kexec", names
assert names[-3:] == ["__x64_sys_getpgid", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"], names
assert sum(f.module == "bpf" for f in trace) >= 3, names
# drgn's frames are at the same places; it names those of the kernel itself as we do
for f in trace:
    assert f.frames and all(x.pc == f.pc and x.register("rsp") == f.sp for x in f.frames), f
    assert f.module or f.frames[-1].symbol().name == f.symbol.split("+")[0], (f, f.frames[-1].symbol())
waiting = [s for s in deadfall.report(sys.argv[1])["stacks"] if s["state"] == "blocked"][0]
alone = [f.pc for f in prog.stack_trace(waiting["task"]["tid"]) if f.pc >> 63]
assert alone == [int(p["ip"], 0) for p in waiting["places"]], (alone, waiting)
EOF
}

# crash takes HZ from a constant that the namelist gives it.
crash_uptime() {
	{ in_crash sys || true; } | sed -n 's/^ *UPTIME: \([0-9]*\):\([0-9]*\):\([0-9]*\)$/\1 \2 \3/p' |
		awk -v ns="$(jq .match.time_ns "$scratch/a")" '{ up = $1 * 3600 + $2 * 60 + $3; print up, ns }
			END { exit !(NR && up > ns / 1e9 - 2 && up < ns / 1e9 + 2) }'
}

# A browser draws the page, and a script uses it as a reader does: lanes, zoom, stack on a click, light and dark. The
# pictures stay beside the dump.
html_draws() {
	local shot=(timeout -k 5 90 chromium --headless --no-sandbox --disable-gpu --window-size=1280,1500
		--virtual-time-budget=3000)
	command -v chromium >/dev/null || { echo "no chromium here: not looked at"; return "${CI:-0}"; }
	"$deadfall" report --format html -o "$scratch/r.html" "$dir/vmcore" || return 1
	cat "$scratch/r.html" tests/vm/html-drive >"$scratch/driven.html"
	"${shot[@]}" --screenshot="$dir/light.png" "file://$scratch/r.html" >/dev/null 2>&1
	"${shot[@]}" --screenshot="$dir/dark.png" "file://$scratch/driven.html" >/dev/null 2>&1
	"${shot[@]}" --dump-dom "file://$scratch/driven.html" 2>/dev/null >"$scratch/dom"
	grep -o -m 1 '<title>ok lanes by task;.*</title>' "$scratch/dom" | tee "$scratch/said"
	grep -q 'nothing from outside' "$scratch/said" && ! grep -q BAD "$scratch/said" && [ -s "$dir/light.png" ] && [ -s "$dir/dark.png" ]
}

# What ui.perfetto.dev and chrome://tracing need of each event.
perfetto_is_valid() {
	"$deadfall" report --format perfetto "$dir/vmcore" | jq -e '.displayTimeUnit == "ns" and (.traceEvents | length > 0 and
		all(.ph as $ph | (.pid | type == "number") and (.tid | type == "number") and (.name | type == "string") and
		(if $ph == "M" then .args.name | type == "string" elif $ph == "i" then (.ts | type == "number") and
		(.s | IN("g", "t")) elif $ph == "X" then (.ts | type == "number") and .dur >= 0 else false end)))'
}

diff_of_the_same() {
	"$deadfall" report --diff --format json "$dir/vmcore" "$dir/capsule" | jq -e '.same_signature and .different == []'
}

# Seconds of CPU: how long it takes beside others is measured by make bench, on a machine that does nothing else.
fast_and_small() {
	/usr/bin/time -f '%U %S %M' -o "$scratch/time" "$deadfall" report "$dir/vmcore" >/dev/null
	awk '{ print; exit !($1 + $2 <= 0.3 && $3 <= 65536) }' "$scratch/time"
}

keeps_the_dump() {
	local size c
	size=$(stat -c %s "$dir/vmcore")
	ln -sf "$(realpath "$dir/vmcore")" "$scratch/link"
	for c in report vmlinux; do
		"$deadfall" $c -o "$scratch/link" "$dir/vmcore" 2>&1
		same 2 $? && same "$size" "$(stat -c %s "$dir/vmcore")" || return 1
	done
}

# A report, or a refusal; never a signal, never a hang. Deterministic: each run damages the same places.
survives_damage() {
	local size i rc
	size=$(stat -c %s "$dir/vmcore")
	for i in $(seq 1 20); do
		cp "$dir/vmcore" "$scratch/damaged"
		if [ $((i % 2)) = 0 ]; then
			truncate -s $((size * i / 21)) "$scratch/damaged"
		else
			for j in 1 2 3 4 5 6 7 8; do
				head -c 4096 /dev/urandom | dd of="$scratch/damaged" bs=4096 conv=notrunc status=none \
					seek=$(((size / 4096) * (i * 8 + j) / 170))
			done
		fi
		rc=0
		timeout -k 5 30 "$deadfall" report "$scratch/damaged" >"$scratch/out" 2>&1 || rc=$?
		[ "$rc" -le 3 ] || { echo "damage $i: status $rc"; tail -n 3 "$scratch/out"; return 1; }
	done
}

for kernel in 6.12 6.1; do
	run_vm "$kernel" --kernel $kernel --copy "$build/vm/ask" --rule tests/vm/rules/asked-twice.yaml -- "$workload"
	check "$kernel: the rule fired and the dump was saved" same 10 "$rc"
	[ -s "$dir/vmcore" ] || continue
	check "$kernel: vmcore and capsule give the same report" report_is_the_same
	check "$kernel: it names the rule and both steps" report_says \
		'.rule == "asked-twice" and ([.context[].step] | index("a") and index("b"))'
	check "$kernel: the stack leads to the system call" report_says \
		'.context[-1].kstack | map(select(startswith("do_syscall_64+"))) | length == 1'
	check "$kernel: unwound from the crash through BPF and probe to user mode" report_says \
		'.stacks[0] | .state == "crashed" and .user and .end == null and .kstack[0][:13] == "__crash_kexec" and
		(.kstack | map(split("+")[0]) | .[-3:] == ["__x64_sys_getpgid", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"])
		and (.kstack | any(startswith("bpf_trampoline_"))) and (.kstack | any(test("^bpf_prog_.*_df_hit"))) and
		(.guessed | length) <= 1'
	check "$kernel: the other CPU's stack is whole" report_says \
		'.stacks[1] | .state == "running" and .end == null and .guessed == [] and (.kstack | length) > 1'
	check "$kernel: the task in D state, with its stack" report_says \
		'.blocked_tasks == 1 and (.stacks[-1] | .state == "blocked" and .task.comm == "ask" and .end == null and
		(.kstack | any(startswith("kernel_clone+"))))'
	check "$kernel: the user stack by build-id" has_user_stack
	check "$kernel: the mark stands among the events" mark_is_between
	check "$kernel: nothing was unreadable" report_says '.unreadable == []'
	check "$kernel: fast and small" fast_and_small
	check "$kernel: the Perfetto trace is valid" perfetto_is_valid
	check "$kernel: HTML draws in a browser, which can be used" html_draws
	check "$kernel: --diff with itself finds the same signature and no difference" diff_of_the_same
	check "$kernel: the dump is not taken for the output" keeps_the_dump
	check "$kernel: damaged dumps give a report or a refusal" survives_damage
	check "$kernel: a namelist from the dump alone" "$deadfall" vmlinux "$dir/vmcore" -o "$scratch/vmlinux"
	check "$kernel: crash: sys, bt, bt -a, ps, log, files, mod, struct, bpf; all of deadfall.so" crash_commands
	check "$kernel: crash: a struct of a module" crash_has '^ +struct virtio_device \*vdev;' 'struct virtio_blk'
	mode=--minimal
	check "$kernel: crash: deadfall.so in minimal mode" crash_has 'VERDICT: asked-twice: asked for' \
		"extend $PWD/$build/deadfall.so" deadfall
	mode=
	check "$kernel: crash: the uptime" crash_uptime
	check "$kernel: drgn agrees" drgn_agrees
	check "$kernel: drgn: the stack of the crashed task, to user mode" drgn_unwinds
done

echo "1..$tests"
