/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * effort.h - how large the programs of a set are for the kernel, before it sees them: functions, instructions, and what its
 * verifier will have to look at, which is what a large set fails by.
 *
 * The verifier follows every path until it comes to a state that it has seen. Code that asks && and || of what can be
 * unknown is looked at once more for each of their flags (rules/lower_cond.c), a loop's body until nothing new comes, and
 * the bodies of a hook twice. The estimate counts that; for 70 sets of all kinds it was 0.6 to 1.7 times what Linux 6.18
 * looked at. Engines and their guards are not in it.
 */
#ifndef RULES_EFFORT_H
#define RULES_EFFORT_H

#include "rules/lower.h"

struct effort {
	struct {
		uint64_t looked_at;	/* by the verifier: the program with most */
		uint64_t items;		/* of IR in bodies ... */
		uint32_t bodies, loops;	/* ... of which there are so many; functions that bpf_loop calls */
	} hooks[HOOKS];
	uint64_t insns;			/* encoded */
};

/* Add the code of rules, which may be part of a set. */
void effort_add(struct effort *e, const struct code_set *cs);

/* What BPF will not take is an error, what it may not take a warning. */
void effort_check(const struct effort *e, const struct rule_set *set, struct diags *diags);

#endif
