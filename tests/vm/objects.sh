#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compiled sets: made against the types of one kernel, run on the other, where fields lie elsewhere; an absent field is an
# error that names it, or exists() sees to it; other tools read and load them.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/moved.yaml" <<'END'
deadfall: 1
rule: moved
events:
  enter:
    probe: kprobe:vfs_read
    where: >-
      task.comm == "df-child" && arg.file->f_inode->i_size == 4096 && arg.file->f_inode->i_mode == 0100640 &&
      (arg.file->f_flags & 3) == 2 && arg.file->f_path.dentry->d_name.name == "deadfall-expressions.txt"
    key: arg.file
    fields: {ino: arg.file->f_inode->i_ino, pos: arg.file->f_pos}
  leave: {probe: "kretprobe:vfs_read", where: task.comm == "df-child" && retval == 77, key: task.tid}
match: {sequence: [enter, leave]}
on_match: [log: "x"]
END

cat >"$work/traced.yaml" <<'END'
deadfall: 1
rule: traced
events:
  enter: {probe: "fentry:vfs_read", where: arg.count == 77, key: task.tid}
  leave: {probe: "fexit:vfs_read", where: old(arg.count) == 77, key: task.tid}
  switch: {probe: "rawtp:sched_switch", where: arg.prev->pid == 1}
match: {sequence: [enter, leave]}
on_match: [log: "x"]
END

# An object that takes a tracepoint's record for that of another one, which has such a field elsewhere.
cat >"$work/mistaken.yaml" <<'END'
deadfall: 1
rule: mistaken
events:
  fork: {probe: "tracepoint:sched:sched_process_exit", where: arg.pid == 1}
match: {event: fork}
on_match: [log: "x"]
END

# with FIELD NAME: a rule that asks for a field of struct dentry; d_subdirs became d_children in v6.8
with() {
	printf 'deadfall: 1\nrule: %s\nevents:\n  e:\n    probe: kprobe:vfs_read\n    where: %s\nmatch: {event: e}\non_match: [log: x]\n' \
		"$2" "$1" >"$work/$2.yaml"
}
with 'arg.file->f_path.dentry->d_children.first == (void *)7' new-field
with 'arg.file->f_path.dentry->d_subdirs.next == (void *)7' old-field
with 'task.comm == "df-child" && (exists(struct dentry.d_children) && arg.file->f_path.dentry->d_children.first == (void *)7 || arg.count == 77)' new-if-there
with 'task.comm == "df-child" && (exists(struct dentry.d_subdirs) && arg.file->f_path.dentry->d_subdirs.next == (void *)7 || arg.count == 77)' old-if-there

compiled() {
	"$build/deadfall" compile --btf "$(contrib/vm/kernel "$1")" "$work/$2.yaml" -o "$work/$2-$1.o"
}

shows() {
	llvm-objdump-19 -S -d "$1" | grep -F "$2"
}

for kernel in 6.1 6.12; do
	check "compiled against $kernel" compiled $kernel moved
done
check "llvm-objdump -S shows the rule's lines" shows "$work/moved-6.1.o" '; 7: task.comm == "df-child" && arg.file->f_inode->i_size == 4096'
check "bpftool opens it, with its programs" sh -c "bpftool gen skeleton '$work/moved-6.1.o' | grep -q df_only_kprobe"
"$build/deadfall" compile --plain --btf "$(contrib/vm/kernel 6.12)" "$work/moved.yaml" "$work/traced.yaml" -o "$work/plain.o"
compiled 6.12 new-field && compiled 6.1 old-field && compiled 6.12 new-if-there && compiled 6.1 old-if-there

compiled 6.12 mistaken && compiled 6.1 mistaken
sed -i 's/"trace_event_raw_sched_process_template"/"trace_event_raw_task_newtask"          /' "$work"/mistaken-*.o

hits() {
	same "10 10" "$(jq -r '[.[] | select(.set == "moved" or .name == "moved") | .events[].hit] | join(" ")' "$dir/status.json")"
}

said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

# on KERNEL OTHER ABSENT THERE: the object of the OTHER kernel; fields that are not here
on() {
	local kernel=$1 other=$2 absent=$3 there=$4
	run_vm "$kernel" --kernel "$kernel" --no-kdump --run-args --dry-run --rule "$work/moved-$other.o" --with bpftool \
		--copy "$build/vm/exprs" --copy "$work/plain.o" --copy "$work/moved-$kernel.o" --copy "$work/mistaken-$kernel.o" --copy "$work/$absent-$other.o" --copy "$work/$there-$other.o" -- "
		deadfall run --dry-run $absent-$other.o; echo \"absent field ended with \$?\"
		deadfall run --dry-run mistaken-$kernel.o; echo \"mistaken record ended with \$?\"
		deadfall run --dry-run $there-$other.o >there.log 2>&1 &
		until grep -q armed there.log; do sleep 0.3; [ -d /proc/\$! ] || break; done
		./exprs 10; sleep 0.5; kill -INT \$!; wait \$!; cat there.log
		mkdir -p /sys/fs/bpf; mount -t bpf bpf /sys/fs/bpf 2>/dev/null
		bpftool prog load moved-$kernel.o /sys/fs/bpf/hook 2>/dev/null && bpftool prog show pinned /sys/fs/bpf/hook
		if [ $kernel = 6.12 ]; then
			bpftool prog loadall plain.o /sys/fs/bpf/all && ls /sys/fs/bpf/all | sed 's/^/pinned /'
			deadfall run --dry-run plain.o >plain.log 2>&1 &
			until grep -q armed plain.log; do sleep 0.3; [ -d /proc/\$! ] || break; done
			dd if=/dev/zero of=/dev/null bs=77 count=3; sleep 0.5; kill -INT \$!; wait \$!; cat plain.log
		fi
		bpftool btf dump file /sys/kernel/btf/vmlinux format raw | awk '
			/STRUCT .file. / { inside = 1 }
			inside && /.f_inode. / { print \"f_inode lies at bit\", \$NF; exit }'; true"
	moved+=" $(sed -n 's/^f_inode lies at bit bits_offset=//p' "$dir/command.log")"
	check "$kernel: the set made for $other runs" same 0 "$rc"
	check "$kernel: its events are seen, 10 of each" hits
	check "$kernel: an absent field is an error that names the line" said "refuses the code of the rule's line 6: where"
	check "$kernel: with status 3" said '^absent field ended with 3'
	check "$kernel: a record that is not the tracepoint's is an error" said \
		"'tracepoint:sched:sched_process_exit' has no field 'pid' like that of struct trace_event_raw_task_newtask"
	check "$kernel: ... with status 3" said '^mistaken record ended with 3'
	check "$kernel: exists() sees to it" said 'would have fired: rule .*-if-there'
}

moves() {
	read -r one two <<<"$1"
	[ -n "$two" ] && [ "$one" != "$two" ]
}

moved=
on 6.12 6.1 old-field old-if-there
check "6.12: bpftool prog loadall takes an object of compile --plain: hooks" said '^pinned df_(hook|only)_kprobe'
check "6.12: engines and tracing programs" eval "said '^pinned df_list0' && said '^pinned df_fentry_0' && said '^pinned df_rawtp_0'"
check "6.12: deadfall runs it as well" said 'would have fired: rule traced'
check "6.12: bpftool loads the hooks" said 'kprobe +name df_only_kprobe'
on 6.1 6.12 new-field new-if-there
check "a field that the rule reads lies elsewhere on the other kernel: $moved" moves "$moved"
echo "1..$tests"
