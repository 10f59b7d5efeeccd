/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - what the runtime uses of the kernel: types (relocated by CO-RE, so only the members used are here),
 * kfuncs and per-CPU variables. All kfuncs are weak: a kernel without them loads the programs that do without.
 */
#ifndef BPF_KERNEL_H
#define BPF_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define NULL ((void *)0)
#define __core __attribute__((preserve_access_index))
#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))

/* Only for crash_kexec's prototype, which libbpf compares with the kernel's. */
struct pt_regs {
	unsigned long di;
} __core;

struct ns_common {
	unsigned int inum;
} __core;

struct net {
	struct ns_common ns;
} __core;

struct nsproxy {
	struct net *net_ns;
} __core;

struct pid_namespace {
	struct ns_common ns;
} __core;

struct upid {
	struct pid_namespace *ns;
} __core;

struct pid {
	unsigned int level;
	struct upid numbers[];
} __core;

/* Of a type that all kernels have: it begins with eight bytes that may be looked at as a number. */
struct timespec64 {
	long long tv_sec;
} __core;

/* A pointer to a task may stand in a map's value. */
struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	char comm[16];			/* here, so that it is aligned: it is read as two words */
} __core;

struct module {
	char name[56];
} __core;
#define __kptr __attribute__((btf_type_tag("kptr")))

/*
 * BPF's own special types, in the sizes of 6.12 (include/uapi/linux/bpf.h). The kernel finds them by name; a list
 * node was 16 bytes before v6.6 (commit d2dcc67df910 "bpf: Migrate bpf_rbtree_add and bpf_list_push_{front,back} to
 * possibly fail" gave it an owner), the larger declaration fits both.
 */
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym __weak;
extern void bpf_obj_drop_impl(void *kptr, void *meta) __ksym __weak;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
				   __u64 off) __ksym __weak;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym __weak;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
/* Of the module in contrib/bpf_panic: panic() with this reason, "NAME: REASON". */
extern void bpf_panic(const char *reason, __u32 rule) __ksym __weak;
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
extern void crash_kexec(struct pt_regs *regs) __ksym __weak;
extern bool bpf_session_is_return(void) __ksym __weak;
extern __u64 *bpf_session_cookie(void) __ksym __weak;

/* Where the preemption count is: struct pcpu_hot from v6.2 to v6.14 (commit 64701838bf05), a variable else. */
struct pcpu_hot {
	int preempt_count;
} __core;
extern const struct pcpu_hot pcpu_hot __ksym __weak;
extern const int __preempt_count __ksym __weak;

/* The flags register of who took a bpf_spin_lock last on a CPU. */
extern const unsigned long irqsave_flags __ksym __weak;
#define EFLAGS_IF (1 << 9)

#define NMI_MASK 0x00f00000	/* include/linux/preempt.h: 4 bits from bit 20 */

static __always_inline int preempt_count(void)
{
	if (&pcpu_hot) {
		const struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);
		int n = hot->preempt_count;

		barrier_var(n);	/* else the load is shared with the other one, and its offset an instruction more */
		return n;
	}
	if (&__preempt_count) {
		const int *count = bpf_this_cpu_ptr(&__preempt_count);

		return *count;
	}
	return 0;
}

static __always_inline bool in_nmi(void)
{
	return preempt_count() & NMI_MASK;
}

#endif
