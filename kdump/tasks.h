/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tasks.h - tasks of a dead kernel: all threads, their state, and the registers that a CPU saved as it stopped.
 */
#ifndef KDUMP_TASKS_H
#define KDUMP_TASKS_H

#include "kdump/unwind.h"

struct task_info {
	uint64_t task;		/* struct task_struct */
	uint64_t pid, tid;	/* in the initial namespace */
	uint64_t state;		/* TASK_* */
	const char *comm;	/* printable */
};

/* Threads looked at; on a larger system the rest is left out. */
#define TASKS_MAX 16384

/* Blocked where no signal reaches it, and not just idle (kernel threads wait like that). */
bool task_is_stuck(uint64_t state);

/* pid, tid, comm and state of a task. */
int task_read(struct kernel *k, struct arena *a, uint64_t task, struct task_info *ret, struct err *err);

/*
 * The threads that task_is_stuck(), in the order of the kernel's list. *seen: how many threads were looked at; *whole:
 * the list was followed to its end.
 */
int tasks_stuck(struct kernel *k, struct arena *a, struct task_info **ret, size_t *count, size_t *seen, bool *whole,
		struct err *err);

/* The thread group leader of a process. ERR_ABSENT: there is no such process any more. */
int task_of_pid(struct kernel *k, uint64_t pid, uint64_t *ret, struct err *err);

/* The registers that a CPU saved when it stopped (crash_notes). ERR_ABSENT: it saved none. */
int cpu_regs(struct kernel *k, unsigned int cpu, enum unwind_arch arch, struct unwind_regs *ret, struct err *err);

#endif
