// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read_match.c - the match of a rule: which kind, of which events.
 */
#include "rules/read.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"

/* The keys of a match as they stand; which of them belong together depends on the kind. */
struct draft {
	const struct node *event, *sequence, *unless;
	struct expr *within;
	uint64_t times, every, cooldown;
};

static const struct key match_keys[] = {
	{ "event", KEY_NODE, false, .offset = offsetof(struct draft, event) },
	{ "sequence", KEY_NODE, false, .offset = offsetof(struct draft, sequence) },
	{ "unless", KEY_NODE, false, .offset = offsetof(struct draft, unless) },
	{ "within", KEY_EXPR, false, .offset = offsetof(struct draft, within) },
	{ "times", KEY_COUNT, false, .offset = offsetof(struct draft, times), .min = 1, .max = 1u << 30 },
	{ "every", KEY_COUNT, false, .offset = offsetof(struct draft, every), .min = 1, .max = 1u << 30 },
	{ "cooldown", KEY_TIME, false, .offset = offsetof(struct draft, cooldown), .min = 0, .max = TIME_MAX },
	{ 0 }
};

struct event *read_event_name(struct reader *r, const struct node *n, struct rule *rule)
{
	struct nearest near;
	const char *name;
	struct diag *d;

	if (!read_name(r, n, "an event's name", &name))
		return NULL;
	near = nearest_init(name);
	for (uint32_t i = 0; i < rule->nevents; i++) {
		if (!strcmp(rule->events[i].name, name))
			return &rule->events[i];
		nearest_offer(&near, rule->events[i].name);
	}
	d = diag_error(r->diags, TAG_UNKNOWN_EVENT, n->span, "the rule has no event '%s'", name);
	if (nearest_best(&near))
		diag_hint(r->diags, d, "did you mean '%s'?", nearest_best(&near));
	return NULL;
}

static void add_step(struct reader *r, struct rule *rule, struct step step)
{
	struct match *m = &rule->match;

	for (uint32_t i = 0; i < m->nsteps; i++) {
		if (strcmp(m->steps[i].label, step.label))
			continue;
		diag_hint(r->diags, diag_error(r->diags, TAG_DUPLICATE, step.span, "two steps are called '%s'",
					       step.label),
			  "give them labels: [a: %s, b: %s]", step.event->name, step.event->name);
		return;
	}
	if (m->nsteps == STEPS_MAX) {
		diag_error(r->diags, TAG_LIMIT, step.span, "a sequence of more than %d steps", STEPS_MAX);
		return;
	}
	m->steps = arena_grow(r->arena, m->steps, m->nsteps, sizeof(step));
	m->steps[m->nsteps++] = step;
}

/* EVENT, or LABEL: EVENT, or {LABEL: EVENT, where: CONDITION} */
static void read_step(struct reader *r, const struct node *n, struct rule *rule)
{
	struct step step = { .span = n->span };

	if (n->kind == NODE_SCALAR) {
		step.event = read_event_name(r, n, rule);
		if (!step.event)
			return;
		step.label = step.event->name;
		add_step(r, rule, step);
		return;
	}
	if (n->kind != NODE_MAP) {
		diag_error(r->diags, TAG_VALUE_KIND, n->span, "a step is an event's name, or LABEL: EVENT");
		return;
	}
	for (uint32_t i = 0; i < n->n; i++) {
		if (!strcmp(n->keys[i]->text, "where")) {
			step.guard = read_expr(r, n->items[i], "'where'");
		} else if (step.label) {
			diag_error(r->diags, TAG_VALUE_KIND, n->keys[i]->span,
				   "a step has one event, and perhaps 'where'");
		} else if (read_name(r, n->keys[i], "a step's label", &step.label)) {
			step.span = n->keys[i]->span;
			step.event = read_event_name(r, n->items[i], rule);
		}
	}
	if (step.event)
		add_step(r, rule, step);
}

static void read_unless(struct reader *r, const struct node *n, struct rule *rule)
{
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'unless'", &items);
	struct event *ev;

	for (uint32_t i = 0; i < count; i++) {
		ev = read_event_name(r, items[i], rule);
		if (!ev)
			continue;
		rule->match.unless = arena_grow(r->arena, rule->match.unless, rule->match.nunless, sizeof(ev));
		rule->match.unless[rule->match.nunless++] = ev;
	}
}

static void read_sequence(struct reader *r, const struct node *n, struct rule *rule)
{
	uint32_t before = r->diags->errors;
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'sequence'", &items);

	rule->match.kind = MATCH_SEQUENCE;
	for (uint32_t i = 0; i < count; i++)
		read_step(r, items[i], rule);
	if (rule->match.nsteps < 2 && before == r->diags->errors)
		diag_hint(r->diags, diag_error(r->diags, TAG_BAD_VALUE, n->span, "a sequence has 2 to %d steps",
					       STEPS_MAX),
			  "a single event is matched by: match: {event: NAME}");
}

static void not_with(struct reader *r, const struct node *map, const char *key, const char *kind)
{
	for (uint32_t i = 0; i < map->n; i++) {
		if (!strcmp(map->keys[i]->text, key))
			diag_error(r->diags, TAG_UNKNOWN_KEY, map->keys[i]->span, "'%s' means nothing with '%s'", key,
				   kind);
	}
}

void read_match(struct reader *r, const struct node *n, struct rule *rule)
{
	struct draft d = { .times = 1, .every = 1 };
	struct match *m = &rule->match;

	m->span = n->span;
	schema_read(r, n, "'match'", match_keys, &d);
	if (n->kind != NODE_MAP)
		return;
	m->within = d.within;
	m->times = d.times;
	m->every = d.every;
	m->cooldown_ns = d.cooldown;
	if (!!d.event + !!d.sequence != 1) {
		diag_error(r->diags, TAG_MISSING_KEY, n->span, "a match has exactly one of: event, sequence");
		return;
	}
	if (d.event) {
		m->kind = MATCH_EVENT;
		not_with(r, n, "unless", "event");
		not_with(r, n, "within", "event");
		read_step(r, d.event, rule);
		return;
	}
	read_sequence(r, d.sequence, rule);
	if (d.unless)
		read_unless(r, d.unless, rule);
}
