// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/report_stacks.h"

static struct report_stack *new_stack(struct report *r)
{
	r->stacks = arena_grow(r->arena, r->stacks, r->nstacks, sizeof(*r->stacks));
	r->stacks[r->nstacks] = (struct report_stack){ .cpu = -1 };
	return &r->stacks[r->nstacks++];
}

static void show_frames(struct report *r, struct frames *f, const struct unwind_stack *s, struct report_stack *ret)
{
	ret->user = s->user;
	ret->user_regs = s->user_regs;
	ret->end = s->end ? arena_strdup(r->arena, s->end) : NULL;
	ret->frames = arena_array(r->arena, s->count + 1, sizeof(*ret->frames));
	for (size_t i = 0; i < s->count; i++) {
		ret->frames[i] = frames_lookup(f, s->frames[i].ip, s->frames[i].after_call);
		ret->frames[i].guessed = s->frames[i].how == UNWIND_SCAN;
	}
	ret->places = s->frames;
	ret->nframes = s->count;
}

/* What a CPU ran, from the registers that it saved. */
static void cpu_stack(struct report *r, struct frames *f, struct unwinder *u, const struct cpu_state *c)
{
	bool crashed = (int)c->cpu == r->cpus.crashed;
	struct report_stack *ret = new_stack(r);
	struct unwind_stack s;
	struct err err;

	ret->task = (struct report_task){ .pid = c->pid, .tid = c->tid, .comm = c->comm };
	ret->state = crashed ? "crashed" : "running";
	ret->cpu = (int)c->cpu;
	ret->idle = c->idle;
	ret->arch = unwinder_arch(u);
	if (cpu_regs(f->k, c->cpu, ret->arch, &ret->regs, &err)) {
		ret->regs.count = 0;
		ret->end = "the CPU's registers are not known";
		gaps_add(&r->gaps, &err, "registers of CPU %u", c->cpu);
		return;
	}
	unwind_regs(u, c->task, &ret->regs, &s);
	show_frames(r, f, &s, ret);
}

static bool is_running(const struct report *r, uint64_t task)
{
	for (size_t i = 0; i < r->cpus.count; i++)
		if (r->cpus.cpus[i].task == task)
			return true;
	return false;
}

static void blocked_stack(struct report *r, struct frames *f, struct unwinder *u, const struct task_info *t)
{
	struct report_stack *ret;
	struct unwind_stack s;
	struct err err;

	if (r->nblocked++ >= REPORT_BLOCKED)
		return;
	ret = new_stack(r);
	ret->task = (struct report_task){ .pid = t->pid, .tid = t->tid, .comm = t->comm };
	ret->state = "blocked";
	ret->arch = unwinder_arch(u);
	if (unwind_sleeping(u, t->task, &s, &err)) {
		ret->end = "its stack cannot be read";
		gaps_add(&r->gaps, &err, "stack of %s[%llu]", t->comm, (unsigned long long)t->tid);
		return;
	}
	show_frames(r, f, &s, ret);
}

static void blocked_stacks(struct report *r, struct frames *f, struct unwinder *u)
{
	struct task_info *tasks = NULL;
	size_t count = 0, seen = 0;
	bool whole = true;
	struct err err;

	if (tasks_stuck(f->k, r->arena, &tasks, &count, &seen, &whole, &err)) {
		gaps_add(&r->gaps, &err, "tasks");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_running(r, tasks[i].task))
			blocked_stack(r, f, u, &tasks[i]);
	if (!whole) {
		err_set(&err, ERR_ABSENT, "%zu were looked at, the rest is out of reach", seen);
		gaps_add(&r->gaps, &err, "tasks in D state");
	}
}

void report_stacks(struct report *r, struct frames *frames)
{
	struct unwinder *u = unwinder_open(frames->k, r->arena);

	for (size_t i = 0; i < r->cpus.count; i++)
		if ((int)r->cpus.cpus[i].cpu == r->cpus.crashed)
			cpu_stack(r, frames, u, &r->cpus.cpus[i]);
	for (size_t i = 0; i < r->cpus.count; i++)
		if ((int)r->cpus.cpus[i].cpu != r->cpus.crashed)
			cpu_stack(r, frames, u, &r->cpus.cpus[i]);
	blocked_stacks(r, frames, u);
}
