// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read_automaton.c - a match written as states:
 *
 *	automaton:
 *	  idle:    {submit: running}
 *	  running: {complete: idle, cancel: {to: idle, where: "..."}, deadline: 2s, late: fire}
 *
 * The first state is where every key begins. `fire` as a target completes the match; `late` is where a state goes when
 * its deadline passes.
 */
#include "rules/read.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"

static bool is_state_key(const char *name)
{
	return !strcmp(name, "deadline") || !strcmp(name, "late");
}

static const struct key transition_keys[] = {
	{ "to", KEY_NAME, true, .offset = offsetof(struct transition, to_name) },
	{ "where", KEY_EXPR, false, .offset = offsetof(struct transition, guard) },
	{ 0 }
};

static void add_transition(struct reader *r, struct state *s, struct transition t)
{
	s->on = arena_grow(r->arena, s->on, s->n, sizeof(t));
	s->on[s->n++] = t;
}

/* EVENT: STATE, or EVENT: {to: STATE, where: CONDITION} */
static void read_transition(struct reader *r, const struct node *key, const struct node *value, struct rule *rule,
			    struct state *s)
{
	struct transition t = { .span = value->span };
	bool late = !strcmp(key->text, "late");

	if (value->kind == NODE_MAP)
		schema_read(r, value, "a transition", transition_keys, &t);
	else
		read_name(r, value, "a transition", &t.to_name);
	if (late && t.guard)
		diag_error(r->diags, TAG_BAD_VALUE, value->span, "'late' takes a state, not a condition");
	if (!late)
		t.event = read_event_name(r, key, rule);
	if (t.to_name && (late || t.event))
		add_transition(r, s, t);
}

static void read_state(struct reader *r, const struct node *n, struct rule *rule, struct state *s)
{
	if (node_is_null(n) && !n->bad)
		return;		/* a state without a way out: until the next birth */
	if (!read_map(r, n, arena_printf(r->temp, "state '%s'", s->name)))
		return;
	for (uint32_t i = 0; i < n->n; i++) {
		if (!strcmp(n->keys[i]->text, "deadline"))
			s->deadline = read_expr(r, n->items[i], "'deadline'");
		else
			read_transition(r, n->keys[i], n->items[i], rule, s);
	}
	if (!!node_get(n, "deadline") != !!node_get(n, "late"))
		diag_error(r->diags, TAG_MISSING_KEY, n->span, "'deadline' and 'late' belong together");
}

/* Names of states to their numbers. */
static void resolve_targets(struct reader *r, struct match *m)
{
	for (uint32_t i = 0; i < m->nstates; i++) {
		for (uint32_t j = 0; j < m->states[i].n; j++) {
			struct transition *t = &m->states[i].on[j];
			struct nearest near = nearest_init(t->to_name);
			struct diag *d;

			t->fire = !strcmp(t->to_name, "fire");
			nearest_offer(&near, "fire");
			for (t->to = 0; !t->fire && t->to < m->nstates; t->to++) {
				if (!strcmp(m->states[t->to].name, t->to_name))
					break;
				nearest_offer(&near, m->states[t->to].name);
			}
			if (t->fire || t->to < m->nstates)
				continue;
			t->to = 0;
			d = diag_error(r->diags, TAG_UNKNOWN_NAME, t->span, "no state '%s'", t->to_name);
			if (nearest_best(&near))
				diag_hint(r->diags, d, "did you mean '%s'?", nearest_best(&near));
		}
	}
}

/* All events of the automaton, each once. */
static void collect_events(struct reader *r, struct match *m)
{
	for (uint32_t i = 0; i < m->nstates; i++) {
		for (uint32_t j = 0; j < m->states[i].n; j++) {
			struct event *ev = m->states[i].on[j].event;
			uint32_t k = 0;

			while (k < m->up.n && m->up.items[k] != ev)
				k++;
			if (!ev || k < m->up.n)
				continue;
			m->up.items = arena_grow(r->arena, m->up.items, m->up.n, sizeof(ev));
			m->up.items[m->up.n++] = ev;
		}
	}
}

static bool can_fire(const struct match *m)
{
	for (uint32_t i = 0; i < m->nstates; i++) {
		for (uint32_t j = 0; j < m->states[i].n; j++) {
			if (m->states[i].on[j].fire)
				return true;
		}
	}
	return false;
}

void read_automaton(struct reader *r, const struct node *n, struct rule *rule)
{
	struct match *m = &rule->match;
	uint32_t before = r->diags->errors;

	m->kind = MATCH_AUTOMATON;
	if (!read_map(r, n, "'automaton'"))
		return;
	if (n->n > STATES_MAX) {
		diag_error(r->diags, TAG_LIMIT, n->span, "more than %d states", STATES_MAX);
		return;
	}
	m->states = arena_array(r->arena, n->n, sizeof(*m->states));
	for (uint32_t i = 0; i < n->n; i++) {
		struct state *s = &m->states[m->nstates];

		s->span = n->keys[i]->span;
		if (!read_name(r, n->keys[i], "a state", &s->name))
			continue;
		if (!strcmp(s->name, "fire") || is_state_key(s->name))
			diag_error(r->diags, TAG_BAD_VALUE, s->span, "a state cannot be called '%s'", s->name);
		m->nstates++;
		read_state(r, n->items[i], rule, s);
	}
	resolve_targets(r, m);
	collect_events(r, m);
	if (before == r->diags->errors && !can_fire(m))
		diag_error(r->diags, TAG_NEVER, n->span, "no transition leads to 'fire'");
}
