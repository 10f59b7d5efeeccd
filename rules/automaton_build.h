/* SPDX-License-Identifier: GPL-2.0-or-later */
/* automaton_build.h - making automata, shared by automaton.c, automaton_kinds.c and automaton_guard.c. */
#ifndef RULES_AUTOMATON_BUILD_H
#define RULES_AUTOMATON_BUILD_H

#include "rules/automaton.h"

struct draft_cell {
	struct df_decision *items;
	uint32_t n;
};

/* A register keeps a value of the event of one step. */
struct reg {
	uint32_t step;
	uint64_t attr;			/* enum step_attr */
	const struct field *field;
	const struct expr *whole;	/* NULL, or a part of a guard that is evaluated at the step's event as a whole */
	struct value value;
};

struct builder {
	struct arena *arena;
	const struct rule_set *set;
	struct diags *diags;
	struct automata *am;
	struct rule *rule;
	uint32_t machine, nstates, ncols;
	struct draft_cell *cells;	/* [state * ncols + col] of the machine being built */
	struct reg registers[DF_VALS];
	uint32_t nregisters;
};

/* automaton.c */
uint32_t build_param(struct builder *b, const struct expr *e);	/* of a number or $parameter; 0xffff: none */
uint32_t build_constant(struct builder *b, uint64_t value);
uint32_t build_machine(struct builder *b, const char *name, uint32_t keys, uint32_t last);
void build_begin(struct builder *b, uint32_t machine, uint32_t nstates, const char *const *names);
struct df_decision *build_decision(struct builder *b, uint32_t state, uint32_t col);
void build_flush(struct builder *b);
uint32_t build_column(const struct builder *b, const struct event *e);
struct event_plan *build_plan(struct builder *b, const struct event *e);
void build_recording(struct builder *b, const struct event *e, uint32_t machine, uint32_t col, struct expr **key,
		     uint32_t nkey);
uint32_t build_deadline_event(struct builder *b);

/* automaton_kinds.c: the rule's match on its own machine. */
void build_match(struct builder *b, uint32_t own);

/*
 * automaton_guard.c: give decision `d` of `event` (which is step number `step`, or ~0) the condition in its test
 * slot `slot`. Registers are claimed for the steps it speaks of: build all guards of a rule before the transitions
 * that keep them (build_keeps).
 */
void build_guard(struct builder *b, struct df_decision *d, int slot, const struct event *event, uint32_t step,
		 const struct expr *guard);

/* A register of the builder's own (not of a step): its number; event gives it the value at val[number]. */
uint32_t build_register(struct builder *b);
void build_value(struct builder *b, const struct event *event, uint32_t reg, struct value value);

/* The registers that step number `step` fills, as a mask for its decision; claims the values of the event. */
uint8_t build_keeps(struct builder *b, const struct event *event, uint32_t step);

/* Claim registers for all that a guard says about steps other than its own. */
void build_guard_registers(struct builder *b, uint32_t step, const struct expr *guard);

#endif
