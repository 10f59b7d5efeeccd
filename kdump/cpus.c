// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/cpus.h"

#include <string.h>

/*
 * The per-CPU place of the running task: x86-64 had `current_task`, from v6.2 (e57ef2ed97c1 "x86: Put hot per CPU
 * variables into a struct") `pcpu_hot.current_task`, from v6.15 `current_task` again.
 */
static int current_task(struct kernel *k, uint64_t base, uint64_t *ret, struct err *err)
{
	struct kmember m;
	uint64_t at;

	if (!kernel_symbol(k, "pcpu_hot", &at, NULL) && !kernel_member(k, "pcpu_hot", "current_task", &m, NULL))
		return kernel_u64(k, base + at + m.offset, ret, err);
	if (kernel_symbol(k, "current_task", &at, err))
		return -1;
	return kernel_u64(k, base + at, ret, err);
}

static int read_task(struct kernel *k, struct arena *a, struct cpu_state *c, struct err *err)
{
	char comm[64] = "";
	struct kmember m;

	if (kernel_field(k, c->task, "task_struct", "pid", &c->tid, err) ||
	    kernel_field(k, c->task, "task_struct", "tgid", &c->pid, err) ||
	    kernel_member(k, "task_struct", "comm", &m, err))
		return -1;
	if (kernel_read(k, c->task + m.offset, comm, m.size < sizeof(comm) ? m.size : sizeof(comm) - 1, err))
		return -1;
	comm[sizeof(comm) - 1] = '\0';
	for (char *p = comm; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	c->comm = arena_strdup(a, comm);
	c->idle = !c->tid && !strncmp(comm, "swapper", 7);
	return 0;
}

/* Is this CPU online? When the mask cannot be read, all are taken to be. */
static bool online(struct kernel *k, unsigned int cpu)
{
	uint64_t at, word;

	if (kernel_symbol(k, "__cpu_online_mask", &at, NULL) || kernel_u64(k, at + cpu / 64 * 8, &word, NULL))
		return true;
	return word >> (cpu % 64) & 1;
}

static int crashed_cpu(struct kernel *k)
{
	static const char *const names[] = { "panic_cpu", "crashing_cpu" };
	uint64_t at;
	uint32_t v;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!kernel_symbol(k, names[i], &at, NULL) && !kernel_u32(k, at, &v, NULL) && (int32_t)v >= 0 &&
		    v < KERNEL_CPUS_MAX)
			return (int)v;
	return -1;
}

void cpus_read(struct kernel *k, struct arena *a, struct gaps *gaps, struct cpus *ret)
{
	struct kcpus possible;
	struct cpu_state c;
	struct err err;
	uint64_t base;

	*ret = (struct cpus){ .crashed = crashed_cpu(k) };
	if (kernel_cpus(k, &possible, &err)) {
		gaps_add(gaps, &err, "CPUs");
		return;
	}
	for (unsigned int cpu = 0; cpu < possible.n; cpu++) {
		if (!kcpu_possible(&possible, cpu) || ((int)cpu != ret->crashed && !online(k, cpu)))
			continue;
		c = (struct cpu_state){ .cpu = cpu, .comm = "" };
		if (kernel_percpu(k, cpu, &base, &err) || current_task(k, base, &c.task, &err) ||
		    read_task(k, a, &c, &err)) {
			gaps_add(gaps, &err, "task of CPU %u", cpu);
			continue;
		}
		ret->cpus = arena_grow(a, ret->cpus, ret->count, sizeof(*ret->cpus));
		ret->cpus[ret->count++] = c;
	}
}
