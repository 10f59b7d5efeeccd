/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * at.h - what expressions see where an event happens: arguments, memory, the task, and values that were just given.
 */
#ifndef RULES_SIM_AT_H
#define RULES_SIM_AT_H

#include "rules/sim/sim.h"

/* The value of something, by name: an argument, an expression as the rule has it, a field. */
struct sim_given {
	const char *name;
	struct eval_value value;
};

/* Bytes at an address. */
struct sim_memory {
	uint64_t addr;
	const uint8_t *bytes;
	size_t len;
};

/* What happened: all that is known of it. */
struct sim_at {
	struct arena *arena;
	const struct rule_set *set;
	const uint64_t *flags;			/* by flag */
	uint64_t ns;
	struct eval_value entered;		/* of a return: when the function was entered */
	uint32_t pid, tid, cpu;
	bool has_task, has_cpu;
	const char *comm;			/* NULL: unknown */
	const char *func;			/* NULL: unknown */
	struct sim_given *args, *values, *fields;
	uint32_t nargs, nvalues, nfields;
	struct eval_value retval;
	const char **stack;			/* functions, innermost first */
	uint32_t nstack;
	bool has_stack;
	const struct sim_memory *memory;
	uint32_t nmemory;
	const struct event *event;		/* of the rule: whose expressions are asked */
	const struct sim_event *const *steps;	/* while a guard is asked */
	struct eval_env env;
};

/* Prepare at->env for the expressions of this event. */
void sim_at_event(struct sim_at *at, const struct event *event, const uint64_t *params);

/* A value of this type as it was given: an enumerator may be given by its name, as reports write it. */
struct eval_value sim_named(const struct type *t, struct eval_value v);

/* The address that stands for a symbol: no two have the same. */
uint64_t sim_symbol(const char *name);

#endif
