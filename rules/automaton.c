// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/automaton.h"

#include "bpf/layout.h"
#include "lib/arena.h"

uint32_t automaton_column(const struct rule *rule, const struct event *e)
{
	return 2 * (uint32_t)(e - rule->events);
}

static uint32_t *cell(const struct automaton *m, uint32_t state, uint32_t col)
{
	return &m->trans[state * m->ncols + col];
}

/*
 * A sequence of n steps has the states 0 .. n-1: how many steps were seen. The event that is awaited advances (if
 * still within the window, else it counts as in state 0); the first step's event, where it is not the awaited one,
 * starts anew: of overlapping partial matches the latest start wins. An `unless` event goes back to 0. One event
 * seen alone is a sequence of one.
 */
static void build_sequence(struct automaton *m, const struct rule *rule)
{
	const struct match *match = &rule->match;
	uint32_t n = match->nsteps, start_op = DF_OP_MOVE | DF_OP_START | DF_OP_STEP;

	for (uint32_t state = 0; state < n; state++) {
		uint32_t first = automaton_column(rule, match->steps[0].event);
		uint32_t awaited = automaton_column(rule, match->steps[state].event);

		for (uint32_t i = 0; i < match->nunless && state; i++) {
			uint32_t col = automaton_column(rule, match->unless[i]);

			*cell(m, state, col) = *cell(m, state, col + 1) = DF_OP_MOVE;
		}
		*cell(m, state, first) = start_op | 1;
		*cell(m, state, awaited) = DF_OP_MOVE | DF_OP_STEP | (state + 1);
		if (state == 0)
			*cell(m, state, awaited) |= DF_OP_START;
		else if (match->within)
			*cell(m, state, awaited) |= DF_OP_WITHIN;
		if (state == n - 1)
			*cell(m, state, awaited) |= DF_OP_FIRE;
	}
}

static uint32_t nstates(const struct rule *rule)
{
	return rule->match.nsteps ? rule->match.nsteps : 1;
}

uint32_t *automaton_bases(struct arena *a, const struct rule_set *set)
{
	uint32_t *bases = arena_array(a, set->nrules + 1, sizeof(*bases));

	for (uint32_t i = 0; i < set->nrules; i++)
		bases[i + 1] = bases[i] + nstates(&set->rules[i]) * 2 * set->rules[i].nevents;
	return bases;
}

struct automaton *automaton_build(struct arena *a, const struct rule *rule)
{
	struct automaton *m = arena_new(a, struct automaton);

	m->ncols = 2 * rule->nevents;
	m->nstates = nstates(rule);
	m->trans = arena_array(a, (size_t)m->nstates * m->ncols, sizeof(*m->trans));
	m->state_names = arena_array(a, m->nstates, sizeof(*m->state_names));
	m->state_names[0] = "idle";
	for (uint32_t i = 1; i < m->nstates; i++)
		m->state_names[i] = arena_printf(a, "%s seen", rule->match.steps[i - 1].label);
	build_sequence(m, rule);
	return m;
}
