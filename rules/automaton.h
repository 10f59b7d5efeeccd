/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * automaton.h - matches as transition tables, which the engine interprets per key (bpf/engine.h, advance()).
 *
 * A rule's table has a row for each state and two columns for each of its events: one for the event, one for the
 * event with an unknown condition, which counts only where it prevents a fire. State 0: nothing seen.
 */
#ifndef RULES_AUTOMATON_H
#define RULES_AUTOMATON_H

#include "rules/rule.h"

struct arena;

struct automaton {
	uint32_t nstates, ncols;
	uint32_t *trans;		/* [state * ncols + col]: next state and DF_OP_* */
	const char **state_names;
};

struct automaton *automaton_build(struct arena *a, const struct rule *rule);

/* By rule: the index of its first transition in the set's table; one element more than rules, the table's size. */
uint32_t *automaton_bases(struct arena *a, const struct rule_set *set);

/* Column of an event of the rule (an element of rule->events). */
uint32_t automaton_column(const struct rule *rule, const struct event *e);

#endif
