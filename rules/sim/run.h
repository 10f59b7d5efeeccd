/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.h - what happened, fed to the rules of a set: which events of which rules it is, then their matches.
 */
#ifndef RULES_SIM_RUN_H
#define RULES_SIM_RUN_H

#include "rules/sim/input.h"

/* What became of the occurrences that an event looked at. */
struct sim_count {
	uint64_t seen, hit, unknown;
};

struct sim_run {
	struct arena *arena;
	const struct rule_set *set;
	const uint64_t *params;
	struct sim *sims;		/* by rule */
	struct sim_count *counts;	/* by event->index */
	uint64_t *flags;
};

void sim_run_init(struct sim_run *r, struct arena *a, const struct rule_set *set, const uint64_t *params);

/* The occurrence must stay where it is. */
void sim_run_feed(struct sim_run *r, struct sim_occurrence *o);
void sim_run_all(struct sim_run *r, struct sim_input *in);

#endif
