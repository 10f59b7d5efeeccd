/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpus.h - what each CPU ran when the kernel died, and which of them crashed it. */
#ifndef KDUMP_CPUS_H
#define KDUMP_CPUS_H

#include "kdump/gaps.h"
#include "kdump/kernel.h"

struct cpu_state {
	unsigned int cpu;
	uint64_t task;		/* struct task_struct */
	uint64_t pid, tid;	/* in the initial namespace: thread group id, thread id */
	const char *comm;
	bool idle;
};

struct cpus {
	struct cpu_state *cpus;	/* online ones */
	size_t count;
	int crashed;		/* CPU that called for the crash kernel, -1: not known */
};

/* Read them; what is missing goes to gaps. Lives in the arena. */
void cpus_read(struct kernel *k, struct arena *a, struct gaps *gaps, struct cpus *ret);

#endif
