/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.h - a file of events (docs/simulate.md): written by hand, or what `deadfall report --format json` printed.
 *
 * It is read by the parser of rules, JSON being YAML: so errors have a line and a column.
 */
#ifndef RULES_SIM_INPUT_H
#define RULES_SIM_INPUT_H

#include "rules/diag.h"
#include "rules/sim/at.h"

/* One thing that happened. */
struct sim_occurrence {
	struct span span;
	uint64_t number;
	struct sim_at at;
	const char *rule;		/* only for this rule; NULL: for all */
	const char *event;		/* it is this event, its condition held ... */
	bool unknown;			/* ... or could not be decided */
	const char *probe;		/* else: a probe was hit */
	struct eval_value key[DF_KEY_PARTS];
	uint32_t nkey;
	bool has_key, has_owner;
	struct eval_value owner;
	uint32_t lost;			/* so many events were lost, and nothing else */
};

struct sim_expect {
	struct span span;
	const struct rule *rule;
	uint64_t fires;
};

struct sim_input {
	struct sim_occurrence *items;
	uint32_t n;
	struct sim_memory *memory;
	uint32_t nmemory;
	uint64_t until_ns;		/* time goes on to here after the last event; 0: it does not */
	struct sim_expect *expect;
	uint32_t nexpect;
	bool recorded;			/* a report: events of other rules are passed over */
};

/* Read all; what is wrong is in diags. */
void sim_input_read(struct arena *a, const struct source *src, const struct rule_set *set, struct diags *diags,
		    struct sim_input *ret);

/* Is this probe one of the event's? */
bool sim_covers(const struct event *e, const char *probe);

#endif
