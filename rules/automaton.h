/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * automaton.h - matches as automata: the tables that engines interpret for every live key (bpf/layout.h, struct
 * df_machine, df_decision).
 *
 * Every kind of match lowers to states, cells (what an event does in a state) and decisions (tests, next state,
 * operations). A machine belongs to a table of a rule: the rule's own has the match; further tables only record; a
 * balance with owners and a population with groups have a second machine that counts.
 *
 * An event has two columns: itself, and itself with an unknown condition, which counts only where it prevents a
 * fire. The last column is the deadline.
 */
#ifndef RULES_AUTOMATON_H
#define RULES_AUTOMATON_H

#include "bpf/layout.h"
#include "rules/diag.h"
#include "rules/rule.h"

struct arena;

/* A value of an event that the engine needs: kept in a register at a step, or asked by a guard. */
struct value {
	enum value_kind {
		VALUE_FIELD,		/* a field of the event */
		VALUE_EXPR,		/* an expression at the event */
		VALUE_TID,
		VALUE_NS,		/* time in the hook */
		VALUE_KSTACK,		/* a number that tells its kernel stack from others */
	} kind;
	const struct field *field;
	const struct expr *expr;
};

/* What an event does in one of its tables: one call of the engine. */
struct recording {
	uint32_t machine;		/* in the set */
	uint16_t col;			/* or DF_NO_COL */
	struct expr **key;
	uint32_t nkey;
};

/* What the body of an event needs to know beyond the event. */
struct event_plan {
	struct recording *recordings;
	uint32_t nrecordings;
	struct value values[DF_VALS];	/* by val[] number */
	uint32_t value_mask;		/* which are used */
};

/* A guard: the condition of a decision, evaluated by generated code in the engine. */
struct guard {
	const struct rule *rule;
	const struct event *event;
	const struct expr *expr;
};

struct automata {
	struct df_machine *machines;
	uint32_t nmachines;
	uint32_t *cells;
	uint32_t ncells;
	struct df_decision *decisions;
	uint32_t ndecisions;
	struct event_plan *plans;	/* by event number in the set */
	struct guard *guards;
	uint32_t nguards;
	uint64_t *params;		/* values: the set's parameters first, then constants */
	uint32_t nparams;
	const char ***state_names;	/* by machine */
	const char **names;		/* by machine: of its table; NULL: the rule's own */
	const char **tiers;		/* by machine: "cpu", "rule": history of a CPU, of the whole rule; else NULL */
	uint32_t *rule_machine;		/* by rule: its own machine */
	const uint32_t **rule_tables;	/* by rule: those of the tables it declares */
	uint32_t ndeadlines;		/* events beyond set->nevents that deadlines show */
	uint32_t *deadline_rule;	/* [ndeadlines] */
	uint32_t slots, nodes, states;	/* of all machines */
};

/* Build the tables of a set. What is too large for them is a diagnostic. */
void automata_build(struct arena *a, const struct rule_set *set, struct diags *diags, struct automata *ret);

#endif
