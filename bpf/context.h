/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h - in what context a probe was hit: interrupts, the current task's namespaces. Called by generated code.
 *
 * Pointers that come from bpf_get_current_task_btf are followed by plain loads: the kernel catches their faults and
 * gives 0 (BPF_PROBE_MEM). So a NULL on the way reads as inode number 0, which no namespace has: unknown.
 */
#ifndef BPF_CONTEXT_H
#define BPF_CONTEXT_H

#include "bpf/runtime.h"

#define PF_KTHREAD 0x00200000		/* include/linux/sched.h */
/* include/linux/preempt.h; an NMI counts as a hard interrupt, too; a softirq that runs is one in the lowest of its bits */
#define SOFTIRQ_OFFSET 0x00000100
#define SOFTIRQ_MASK 0x0000ff00
#define HARDIRQ_MASK 0x000f0000

__hidden __attribute__((noinline)) int df_kthread(void)
{
	return !!(bpf_get_current_task_btf()->flags & PF_KTHREAD);
}

/* The kernel's in_hardirq(), in_softirq(), in_serving_softirq(), in_task(). */
__hidden __attribute__((noinline)) int df_in_context(__u32 what)
{
	int count = preempt_count();

	switch (what) {
	case DF_IN_HARDIRQ:
		return !!(count & HARDIRQ_MASK);
	case DF_IN_SOFTIRQ:
		return !!(count & SOFTIRQ_MASK);
	case DF_IN_SERVING_SOFTIRQ:
		return !!(count & SOFTIRQ_OFFSET);
	default:
		return !(count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET));
	}
}

/* Inode number of the network namespace; 0: unknown (an exiting task has none). */
__hidden __attribute__((noinline)) __u64 df_netns(void)
{
	return bpf_get_current_task_btf()->nsproxy->net_ns->ns.inum;
}

/*
 * Inode number of the pid namespace that the task lives in, include/linux/pid.h, ns_of_pid(). By reads: before v6.3
 * the verifier takes no variable offset from a kernel pointer.
 */
__hidden __attribute__((noinline)) __u64 df_pidns(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u64 upid = (__u64)&pid->numbers + BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);

	return BPF_CORE_READ((struct upid *)upid, ns, ns.inum);
}

/* The address of a per-CPU variable on one CPU; offsets: &__per_cpu_offset. 0: there is no such CPU. */
__hidden __attribute__((noinline)) __u64 df_per_cpu(__u64 var, __u64 offsets, __u32 cpu)
{
	__u64 offset = 0;

	if (!var || bpf_probe_read_kernel(&offset, sizeof(offset), (void *)(offsets + 8ULL * cpu)))
		return 0;
	return var + offset;
}

#endif
