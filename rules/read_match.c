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
	const struct node *event, *sequence, *missing, *rate, *balance, *lifecycle, *latency, *change, *population;
	const struct node *overlap, *origin, *automaton;
	const struct node *unless, *after, *field, *group, *inner, *detect, *identity;
	struct expr *within, *over;
	uint64_t times, every, cooldown;
};

#define NODE_KEY(name) { #name, KEY_NODE, false, .offset = offsetof(struct draft, name) }

static const struct key match_keys[] = {
	NODE_KEY(event), NODE_KEY(sequence), NODE_KEY(missing), NODE_KEY(rate), NODE_KEY(balance), NODE_KEY(lifecycle),
	NODE_KEY(latency), NODE_KEY(change), NODE_KEY(population), NODE_KEY(overlap), NODE_KEY(origin),
	NODE_KEY(automaton),
	NODE_KEY(unless), NODE_KEY(after), NODE_KEY(field), NODE_KEY(group), NODE_KEY(inner), NODE_KEY(detect),
	NODE_KEY(identity),
	{ "within", KEY_EXPR, false, .offset = offsetof(struct draft, within) },
	{ "over", KEY_EXPR, false, .offset = offsetof(struct draft, over) },
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

	if (n->kind == NODE_LIST && !n->bad) {
		diag_hint(r->diags, diag_error(r->diags, TAG_VALUE_KIND, n->span, "one event stands here, not a list"),
			  "an event may have several probes: {probe: [FIRST, SECOND]}");
		return NULL;
	}
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

/* A single step: the n-th event of kinds that have two roles. */
static void read_role(struct reader *r, const struct node *n, struct rule *rule)
{
	struct step step = { .span = n->span, .event = read_event_name(r, n, rule) };

	if (!step.event)
		return;
	step.label = step.event->name;
	add_step(r, rule, step);
}

static void read_list(struct reader *r, const struct node *n, const char *what, struct rule *rule,
		      struct event_list *list)
{
	struct node *const *items = NULL;
	uint32_t count = n ? read_items(r, n, what, &items) : 0;
	struct event *ev;

	for (uint32_t i = 0; i < count; i++) {
		ev = read_event_name(r, items[i], rule);
		if (!ev)
			continue;
		list->items = arena_grow(r->arena, list->items, list->n, sizeof(ev));
		list->items[list->n++] = ev;
	}
}

/* {from: A, to: B}: both required */
static void read_two(struct reader *r, const struct node *n, const char *what, const char *first, const char *second,
		     struct rule *rule)
{
	struct {
		const struct node *a, *b;
	} d = { 0 };
	const struct key keys[] = {
		{ first, KEY_NODE, true, .offset = 0 },
		{ second, KEY_NODE, true, .offset = sizeof(d.a) },
		{ 0 }
	};

	schema_read(r, n, what, keys, &d);
	if (d.a && d.b) {
		read_role(r, d.a, rule);
		read_role(r, d.b, rule);
	}
}

static void read_missing(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_role(r, d->after, rule);
	read_role(r, d->missing, rule);
}

static void read_rate(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_role(r, d->rate, rule);
}

static void read_balance(struct reader *r, const struct draft *d, struct rule *rule)
{
	struct {
		const struct node *up, *down, *end;
		uint64_t min;
	} b = { 0 };
	const struct key keys[] = {
		{ "up", KEY_NODE, true, .offset = 0 },
		{ "down", KEY_NODE, true, .offset = sizeof(b.up) },
		{ "end", KEY_NODE, false, .offset = 2 * sizeof(b.up) },
		{ "min", KEY_COUNT, false, .offset = offsetof(__typeof__(b), min), .max = INT32_MAX },
		{ 0 }
	};

	schema_read(r, d->balance, "'balance'", keys, &b);
	read_list(r, b.up, "'up'", rule, &rule->match.up);
	read_list(r, b.down, "'down'", rule, &rule->match.down);
	if (b.end)
		rule->match.end = read_event_name(r, b.end, rule);
	rule->match.min = (int64_t)b.min;
}

static void read_detect(struct reader *r, const struct node *n, struct match *m)
{
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'detect'", &items);

	m->detect = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct fault *fault = fault_of_name(items[i]->text ? items[i]->text : "");

		if (fault)
			m->detect |= fault->bit;
		else
			diag_error(r->diags, TAG_BAD_VALUE, items[i]->span,
				   "'detect' takes double_free, unknown_free, use_after_free, stale_use");
	}
}

static void read_lifecycle(struct reader *r, const struct draft *d, struct rule *rule)
{
	struct {
		const struct node *alloc, *free, *use;
	} l = { 0 };
	static const struct key keys[] = {
		{ "alloc", KEY_NODE, true, .offset = 0 },
		{ "free", KEY_NODE, true, .offset = sizeof(l.alloc) },
		{ "use", KEY_NODE, false, .offset = 2 * sizeof(l.alloc) },
		{ 0 }
	};
	struct match *m = &rule->match;

	schema_read(r, d->lifecycle, "'lifecycle'", keys, &l);
	read_list(r, l.alloc, "'alloc'", rule, &m->up);
	read_list(r, l.free, "'free'", rule, &m->down);
	read_list(r, l.use, "'use'", rule, &m->use);
	m->detect = DOUBLE_FREE | (m->use.n ? USE_AFTER_FREE : 0);
	if (d->detect)
		read_detect(r, d->detect, m);
	if (d->identity && read_name(r, d->identity, "'identity'", &m->identity))
		m->detect |= STALE_USE;
}

static void read_latency(struct reader *r, const struct draft *d, struct rule *rule)
{
	if (d->latency->kind == NODE_MAP)
		read_two(r, d->latency, "'latency'", "from", "to", rule);
	else if (d->latency->kind == NODE_LIST)
		diag_hint(r->diags, diag_error(r->diags, TAG_VALUE_KIND, d->latency->span,
					       "'latency' takes a return's name, or two events, not a list"),
			  "{from: FIRST, to: SECOND}");
	else
		read_role(r, d->latency, rule);
}

static void read_change(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_list(r, d->change, "'change'", rule, &rule->match.up);
	read_name(r, d->field, "'field'", &rule->match.value);
}

static void read_population(struct reader *r, const struct draft *d, struct rule *rule)
{
	struct {
		const struct node *up, *down;
	} p = { 0 };
	static const struct key keys[] = {
		{ "in", KEY_NODE, true, .offset = 0 },
		{ "out", KEY_NODE, true, .offset = sizeof(p.up) },
		{ 0 }
	};

	schema_read(r, d->population, "'population'", keys, &p);
	read_list(r, p.up, "'in'", rule, &rule->match.up);
	read_list(r, p.down, "'out'", rule, &rule->match.down);
	if (d->group)
		read_name(r, d->group, "'group'", &rule->match.group);
}

static void read_overlap(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_two(r, d->overlap, "'overlap'", "enter", "leave", rule);
}

static void read_origin(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_role(r, d->origin, rule);
	read_list(r, d->inner, "'inner'", rule, &rule->match.up);
}

static void read_one_event(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_step(r, d->event, rule);
}

static void read_sequence_of(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_sequence(r, d->sequence, rule);
}

static void read_automaton_of(struct reader *r, const struct draft *d, struct rule *rule)
{
	read_automaton(r, d->automaton, rule);
}

/* Which keys a kind takes beside its own: '+' in front of those that it needs. */
static const struct kind {
	const char *name;
	enum match_kind kind;
	size_t offset;
	void (*read)(struct reader *r, const struct draft *d, struct rule *rule);
	const char *others[5];
} kinds[] = {
#define KIND(name, id, fn) #name, MATCH_##id, offsetof(struct draft, name), fn
	{ KIND(event, EVENT, read_one_event), { NULL } },
	{ KIND(sequence, SEQUENCE, read_sequence_of), { "unless", "within" } },
	{ KIND(missing, MISSING, read_missing), { "+after", "+within", "unless" } },
	{ KIND(rate, RATE, read_rate), { "+over", "+within" } },
	{ KIND(balance, BALANCE, read_balance), { NULL } },
	{ KIND(lifecycle, LIFECYCLE, read_lifecycle), { "detect", "identity" } },
	{ KIND(latency, LATENCY, read_latency), { "+over", "unless" } },
	{ KIND(change, CHANGE, read_change), { "+field", "unless" } },
	{ KIND(population, POPULATION, read_population), { "+over", "group" } },
	{ KIND(overlap, OVERLAP, read_overlap), { NULL } },
	{ KIND(origin, ORIGIN, read_origin), { "+inner" } },
	{ KIND(automaton, AUTOMATON, read_automaton_of), { NULL } },
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool takes(const struct kind *k, const char *key)
{
	if (!strcmp(key, k->name) || !strcmp(key, "times") || !strcmp(key, "every") || !strcmp(key, "cooldown"))
		return true;
	for (size_t i = 0; i < 5 && k->others[i]; i++) {
		if (!strcmp(k->others[i] + (*k->others[i] == '+'), key))
			return true;
	}
	return false;
}

/* All that the kind needs, nothing that means nothing with it. */
static bool keys_fit(struct reader *r, const struct node *n, const struct kind *k)
{
	uint32_t before = r->diags->errors;
	struct span at = n->span;

	at.len = 1;
	for (uint32_t i = 0; i < n->n; i++) {
		const struct key *known = match_keys;

		while (known->name && strcmp(known->name, n->keys[i]->text))
			known++;
		if (known->name && !takes(k, known->name))
			diag_error(r->diags, TAG_UNKNOWN_KEY, n->keys[i]->span, "'%s' means nothing with '%s'",
				   known->name, k->name);
	}
	for (size_t i = 0; i < 5 && k->others[i]; i++) {
		if (*k->others[i] == '+' && !node_get(n, k->others[i] + 1))
			diag_error(r->diags, TAG_MISSING_KEY, at, "'%s' needs '%s' beside it", k->name,
				   k->others[i] + 1);
	}
	return before == r->diags->errors;
}

/* The one kind that is given. */
static const struct kind *find_kind(struct reader *r, const struct node *n, const struct draft *d)
{
	const struct kind *found = NULL;
	const char *all = "";

	for (size_t i = 0; i < NKINDS; i++) {
		if (!*(const struct node *const *)((const char *)d + kinds[i].offset))
			continue;
		if (found) {
			diag_error(r->diags, TAG_MISSING_KEY, n->span, "a match has one kind, not both '%s' and '%s'",
				   found->name, kinds[i].name);
			return NULL;
		}
		found = &kinds[i];
	}
	for (size_t i = 0; !found && i < NKINDS; i++)
		all = arena_printf(r->arena, "%s%s%s", all, i ? ", " : "", kinds[i].name);
	if (!found)
		diag_hint(r->diags, diag_error(r->diags, TAG_MISSING_KEY, n->span, "the match has no kind"),
			  "it has one of: %s", all);
	return found;
}

void read_match(struct reader *r, const struct node *n, struct rule *rule)
{
	struct draft d = { .times = 1, .every = 1 };
	struct match *m = &rule->match;
	const struct kind *k;

	m->span = n->span;
	schema_read(r, n, "'match'", match_keys, &d);
	if (n->kind != NODE_MAP)
		return;
	m->within = d.within;
	m->over = d.over;
	m->times = d.times;
	m->every = d.every;
	m->cooldown_ns = d.cooldown;
	k = find_kind(r, n, &d);
	if (!k || !keys_fit(r, n, k))
		return;
	m->kind = k->kind;
	k->read(r, &d, rule);
	if (d.unless)
		read_unless(r, d.unless, rule);
}
