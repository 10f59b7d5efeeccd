// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/tasks.h"
#include "lib/cursor.h"

#include <string.h>

#include <elf.h>

/* include/linux/sched.h */
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_NOLOAD 0x400

#define COMM_MAX 64
#define THREADS_MAX 16384	/* of one process */

bool task_is_stuck(uint64_t state)
{
	return state & TASK_UNINTERRUPTIBLE && !(state & TASK_NOLOAD);
}

/* 2f064a59a11f "sched: Change task_struct::state" (v5.14) renamed it. */
static int task_state(struct kernel *k, uint64_t task, uint64_t *ret, struct err *err)
{
	struct kmember m;

	if (kernel_member(k, "task_struct", "__state", &m, NULL))
		return kernel_field(k, task, "task_struct", "state", ret, err);
	return kernel_field(k, task, "task_struct", "__state", ret, err);
}

int task_read(struct kernel *k, struct arena *a, uint64_t task, struct task_info *ret, struct err *err)
{
	char comm[COMM_MAX] = "";
	struct kmember m;

	*ret = (struct task_info){ .task = task, .comm = "" };
	if (kernel_field(k, task, "task_struct", "pid", &ret->tid, err) ||
	    kernel_field(k, task, "task_struct", "tgid", &ret->pid, err) || task_state(k, task, &ret->state, err) ||
	    kernel_member(k, "task_struct", "comm", &m, err) ||
	    kernel_read(k, task + m.offset, comm, m.size < COMM_MAX ? m.size : COMM_MAX - 1, err))
		return -1;
	for (char *p = comm; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	ret->comm = arena_strdup(a, comm);
	return 0;
}

/* Where the links are. */
struct links {
	struct kmember tasks, thread, signal, threads;
};

struct walk {
	struct kernel *k;
	struct arena *arena;
	struct links at;
	struct task_info *list;
	size_t count, seen;
	bool whole;
};

static int find_links(struct kernel *k, struct links *l, struct err *err)
{
	return kernel_member(k, "task_struct", "tasks", &l->tasks, err) ||
	       kernel_member(k, "task_struct", "thread_node", &l->thread, err) ||
	       kernel_member(k, "task_struct", "signal", &l->signal, err) ||
	       kernel_member(k, "signal_struct", "thread_head", &l->threads, err) ? -1 : 0;
}

static void look_at(struct walk *w, uint64_t task)
{
	struct task_info t;
	uint64_t state;

	w->seen++;
	if (task_state(w->k, task, &state, NULL)) {
		w->whole = false;
		return;
	}
	if (!task_is_stuck(state))
		return;
	if (task_read(w->k, w->arena, task, &t, NULL)) {
		w->whole = false;
		return;
	}
	w->list = arena_grow(w->arena, w->list, w->count, sizeof(*w->list));
	w->list[w->count++] = t;
}

/* All threads of a process, its leader included. */
static void look_at_process(struct walk *w, uint64_t leader)
{
	uint64_t signal, head, p;

	if (kernel_u64(w->k, leader + w->at.signal.offset, &signal, NULL) || !signal) {
		look_at(w, leader);
		w->whole = false;
		return;
	}
	head = p = signal + w->at.threads.offset;
	for (int i = 0; i < THREADS_MAX && w->seen < TASKS_MAX; i++) {
		if (kernel_u64(w->k, p, &p, NULL) || !p) {
			w->whole = false;
			return;
		}
		if (p == head)
			return;
		look_at(w, p - w->at.thread.offset);
	}
	w->whole = false;
}

int tasks_stuck(struct kernel *k, struct arena *a, struct task_info **ret, size_t *count, size_t *seen, bool *whole,
		struct err *err)
{
	struct walk w = { .k = k, .arena = a, .whole = true };
	uint64_t init, p;

	if (kernel_symbol(k, "init_task", &init, err) || find_links(k, &w.at, err))
		return -1;
	for (p = init; w.seen < TASKS_MAX;) {
		if (kernel_u64(k, p + w.at.tasks.offset, &p, w.seen ? NULL : err) || !p) {
			if (!w.seen)
				return -1;
			w.whole = false;
			break;
		}
		p -= w.at.tasks.offset;
		if (p == init)
			break;
		look_at_process(&w, p);
	}
	*ret = w.list;
	*count = w.count;
	*seen = w.seen;
	*whole = w.whole && w.seen < TASKS_MAX;
	return 0;
}

int task_of_pid(struct kernel *k, uint64_t pid, uint64_t *ret, struct err *err)
{
	uint64_t init, p, tgid;
	struct kmember tasks;

	if (kernel_symbol(k, "init_task", &init, err) || kernel_member(k, "task_struct", "tasks", &tasks, err))
		return -1;
	p = init;
	for (int i = 0; i < TASKS_MAX; i++) {
		if (kernel_u64(k, p + tasks.offset, &p, err))
			return -1;
		p -= tasks.offset;
		if (p == init)
			break;
		if (kernel_field(k, p, "task_struct", "tgid", &tgid, err))
			return -1;
		if (tgid == pid) {
			*ret = p;
			return 0;
		}
	}
	return err_set(err, ERR_ABSENT, "process %llu has ended", (unsigned long long)pid);
}

/* struct elf_prstatus: the registers, in the order of the user's view of them. */
#define PR_REG 112

static int parse_note(const uint8_t *note, size_t len, enum unwind_arch arch, struct unwind_regs *ret, struct err *err)
{
	struct cursor c = cursor_init(note, len);
	uint32_t name = cursor_u32(&c), desc = cursor_u32(&c), type = cursor_u32(&c);

	ret->count = arch == UNWIND_ARM64 ? 34 : 21;
	if (!name && !desc && !type)
		return err_set(err, ERR_ABSENT, "it saved none");
	if (type != NT_PRSTATUS || name > 16 || desc < PR_REG + 8 * ret->count)
		return err_set(err, ERR_CORRUPT, "what it saved is no NT_PRSTATUS note (type %u, %u bytes)", type, desc);
	cursor_bytes(&c, (name + 3) / 4 * 4 + PR_REG);
	for (size_t i = 0; i < ret->count; i++)
		ret->r[i] = cursor_u64(&c);
	return c.failed ? err_set(err, ERR_CORRUPT, "the note with its registers is cut short") : 0;
}

int cpu_regs(struct kernel *k, unsigned int cpu, enum unwind_arch arch, struct unwind_regs *ret, struct err *err)
{
	uint8_t note[12 + 8 + PR_REG + 8 * UNWIND_REGS_MAX];
	uint64_t at, base;

	memset(ret, 0, sizeof(*ret));
	if (kernel_symbol(k, "crash_notes", &at, err) || kernel_u64(k, at, &at, err) || kernel_percpu(k, cpu, &base, err))
		return -1;
	if (!at)
		return err_set(err, ERR_ABSENT, "it saved none");
	if (kernel_read(k, base + at, note, 12 + 8 + PR_REG + 8 * (arch == UNWIND_ARM64 ? 34 : 21), err))
		return -1;
	return parse_note(note, sizeof(note), arch, ret, err);
}
