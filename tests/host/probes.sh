#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# probes.sh - deadfall probes lists what a rule can trap, as it is written in a rule.
cd "$(dirname "$0")/../.." || exit 99
deadfall=${BUILD:-build}/deadfall
n=0 bad=0
# same WHAT GLOB STATUS WANT
same() {
	local got
	n=$((n + 1))
	got=$("$deadfall" probes "$2" --btf tests/data/kernel.btf --btf tests/data/widget.btf 2>&1)
	if [ $? -eq "$3" ] && [ "$got" = "$4" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$got"
		bad=1
	fi
}
same "a function with its arguments" vfs_fsync 0 "kprobe:vfs_fsync(struct file * file, int datasync) -> int"
same "a function of a module, whose types come second" 'widget_fr*' 0 "kprobe:widget:widget_free(struct widget * w) -> void"
same "a tracepoint with its arguments" inode_dirty 0 "rawtp:inode_dirty(struct inode * inode)"
same "a function as a rule writes it" 'kretprobe:widget:widget_fr*' 0 "kprobe:widget:widget_free(struct widget * w) -> void"
same "a tracepoint as a rule writes it, by its fields" tracepoint:sched:sched_switch 0 \
	"tracepoint:sched:sched_switch(char[16] prev_comm, int prev_pid, long prev_state, string reason)"
same "a tracepoint whose record is a class's, not that of another event" tracepoint:inode:inode_dirty 0 \
	"tracepoint:inode:inode_dirty(unsigned long ino)"
same "a tracepoint whose record nobody knows" tracepoint:inode:inode_gone 0 "rawtp:inode_gone(int reason)"
same "a tracepoint whose record may be one or another" tracepoint:sched:sched_wondering 0 \
	"rawtp:sched_wondering(struct task_struct * p)"
same "... but that is known" tracepoint:sched:sched_waking 0 \
	"tracepoint:sched:sched_waking(int pid, int prio, int target_cpu)"
same "a file knows no categories" 'tracepoint:sched:inode_dirty*' 0 "tracepoint:sched:inode_dirty(unsigned long ino)
tracepoint:sched:inode_dirty_late(unsigned long when)
deadfall probes: note: all of that name, whatever their category: that is not in BTF, but in tracefs (root, on that kernel)"
same "a tracepoint by what it is called with" rawtp:inode_dirty 0 "rawtp:inode_dirty(struct inode * inode)"
same "functions of a module" 'widget:widget_fr*' 0 "kprobe:widget:widget_free(struct widget * w) -> void"
same "not those of another" 'widget:vfs_fsync' 1 "deadfall probes: nothing matches 'widget:vfs_fsync'; did you mean 'vfs_fsync'?"
same "what is not the kernel's" 'uprobe:/bin/sh:ma*' 1 "deadfall probes: 'uprobe:/bin/sh:ma*': of functions and tracepoints of the kernel only"
same "what is denied, and why" 'htab*' 0 \
	"# htab_map_update: must not be trapped: BPF maps use it, which every trap does: a trap there can lock up the machine"
same "nothing, with the nearest name" vfs_raed 1 "deadfall probes: nothing matches 'vfs_raed'; did you mean 'vfs_read'?"
exit $bad
