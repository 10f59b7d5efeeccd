// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

void sim_init(struct sim *s, struct arena *a, const struct rule *rule, const uint64_t *params)
{
	memset(s, 0, sizeof(*s));
	s->arena = a;
	s->rule = rule;
	s->params = params;
}

const char *sim_time(struct arena *a, uint64_t ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
		int digits;
	} units[] = { { "s", 1000000000, 9 }, { "ms", 1000000, 6 }, { "us", 1000, 3 } };
	char *text, *end;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns < units[i].ns)
			continue;
		text = arena_printf(a, "%" PRIu64 ".%0*" PRIu64, ns / units[i].ns, units[i].digits, ns % units[i].ns);
		for (end = text + strlen(text) - 1; *end == '0'; end--)
			*end = '\0';
		if (*end == '.')
			*end = '\0';
		return arena_printf(a, "%s %s", text, units[i].unit);
	}
	return arena_printf(a, "%" PRIu64 " ns", ns);
}

static uint32_t hash(const uint64_t *part, uint32_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15;

	for (uint32_t i = 0; i < n; i++)
		h = (h ^ part[i]) * 0xff51afd7ed558ccd, h ^= h >> 32;
	return (uint32_t)h;
}

static void put_slot(struct sim_table *t, uint32_t index)
{
	const struct sim_key *k = t->keys[index];
	uint32_t i = hash(k->part, k->nkey);

	while (t->slots[i & (t->nslots - 1)])
		i++;
	t->slots[i & (t->nslots - 1)] = index + 1;
}

/* Steps of a match that conditions may name, and at least those of a verdict. */
static uint32_t steps_of(const struct sim *s)
{
	return s->rule->match.up.n > DF_STEPS ? s->rule->match.up.n : DF_STEPS;
}

struct sim_key *sim_key_of(struct sim *s, struct sim_table *t, const uint64_t *part, uint32_t n)
{
	struct sim_key *k;

	for (uint32_t i = hash(part, n); t->nslots; i++) {
		uint32_t at = t->slots[i & (t->nslots - 1)];

		if (!at)
			break;
		k = t->keys[at - 1];
		if (k->nkey == n && !memcmp(k->part, part, n * sizeof(*part)))
			return k;
	}
	k = arena_new(s->arena, struct sim_key);
	memcpy(k->part, part, n * sizeof(*part));
	k->nkey = n;
	k->value.unknown = true;
	k->step = arena_array(s->arena, steps_of(s), sizeof(*k->step));
	k->before = arena_array(s->arena, steps_of(s), sizeof(*k->before));
	t->keys = arena_grow(s->arena, t->keys, t->nkeys, sizeof(*t->keys));
	t->keys[t->nkeys++] = k;
	if (t->nkeys * 2 > t->nslots) {
		t->nslots = t->nslots ? t->nslots * 2 : 16;
		t->slots = arena_array(s->arena, t->nslots, sizeof(*t->slots));
		for (uint32_t i = 0; i < t->nkeys; i++)
			put_slot(t, i);
	} else {
		put_slot(t, t->nkeys - 1);
	}
	return k;
}

void sim_enter(struct sim *s, struct sim_key *k, uint32_t state)
{
	k->state = state;
	if (state <= k->furthest)
		return;
	k->furthest = state;
	k->furthest_ns = s->now;
	k->setback = NULL;
}

void sim_setback(struct sim *s, struct sim_key *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	k->setback = arena_vprintf(s->arena, fmt, ap);
	va_end(ap);
	k->setback_ns = s->now;
}

void sim_begin(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	k->first = e;
	k->first_ns = s->now;
	k->losses = s->losses;
	memset(k->step, 0, steps_of(s) * sizeof(*k->step));
}

/* A new generation of the key: nothing that happened to the one before counts. */
static void birth(struct sim *s, struct sim_key *k)
{
	k->gen = ++k->born;
	k->losses = s->losses;
	k->matches = 0;
	if (sim_kinds[s->rule->match.kind].keeps_state)
		return;
	k->state = 0;
	k->count = 0;
	k->deadline_ns = 0;
	k->value.unknown = true;
	memset(k->step, 0, steps_of(s) * sizeof(*k->step));
}

/* By on_loss, when events of the rule may have been lost while the match was going on. */
static enum sim_act act_of(const struct rule *rule, uint32_t losses)
{
	if (losses && rule->on_loss == ON_LOSS_SUPPRESS)
		return SIM_SUPPRESSED;
	return losses && rule->on_loss == ON_LOSS_LOG ? SIM_LOGGED : SIM_FIRED;
}

static void stop_if_asked(struct sim *s)
{
	for (uint32_t i = 0; i < s->rule->nactions; i++)
		s->stopped = s->stopped || s->rule->actions[i].kind == ACTION_STOP;
}

void sim_complete(struct sim *s, struct sim_key *k, const struct sim_event *e, const char *why)
{
	const struct match *m = &s->rule->match;
	struct sim_fire f = { .rule = s->rule, .event = e, .ns = s->now, .gen = k->gen, .nkey = k->nkey, .why = why };

	if (++k->matches < m->times) {
		sim_setback(s, k, "complete for the %" PRIu64 ". time, 'times' is %" PRIu64, k->matches, m->times);
		return;
	}
	/* one event completes a rule once, also where two of its tables say so */
	if (s->stopped || (e && e->number == s->last_number))
		return;
	s->last_number = e ? e->number : 0;
	s->completed++;
	if (m->every > 1 && s->completed % m->every)
		return;
	if (m->cooldown_ns && s->last_verdict_ns && s->now - s->last_verdict_ns < m->cooldown_ns)
		return;
	s->last_verdict_ns = s->now;
	f.losses = s->losses - (sim_kinds[m->kind].all_losses ? 0 : k->losses);
	f.act = act_of(s->rule, f.losses);
	memcpy(f.key, k->part, sizeof(f.key));
	memcpy(f.step, k->step, sizeof(f.step));
	s->fires = arena_grow(s->arena, s->fires, s->nfires, sizeof(*s->fires));
	s->fires[s->nfires++] = f;
	if (f.act == SIM_FIRED)
		stop_if_asked(s);
}

/* The key whose deadline comes next, at or before ns. */
static struct sim_key *next_deadline(struct sim *s, uint64_t ns)
{
	struct sim_key *next = NULL;

	for (uint32_t i = 0; i < s->keys.nkeys; i++) {
		struct sim_key *k = s->keys.keys[i];

		if (k->deadline_ns && k->deadline_ns <= ns && (!next || k->deadline_ns < next->deadline_ns))
			next = k;
	}
	return next;
}

void sim_advance(struct sim *s, uint64_t ns, bool inclusive)
{
	const struct sim_kind *kind = &sim_kinds[s->rule->match.kind];
	struct sim_key *k;

	if (!kind->deadline)
		return;
	while (ns && (k = next_deadline(s, inclusive ? ns : ns - 1))) {
		s->now = k->deadline_ns;
		k->deadline_ns = 0;
		kind->deadline(s, k);
	}
	if (ns > s->now)
		s->now = ns;
}

void sim_lose(struct sim *s, uint32_t n)
{
	s->losses += n;
}

void sim_event(struct sim *s, const struct sim_event *e)
{
	uint64_t part[DF_KEY_PARTS] = { 0 };
	struct sim_key *k;

	sim_advance(s, e->ns, false);
	s->now = e->ns;
	/* in an event that can only lead to a match, unknown is no */
	if (e->unknown && !(e->event->roles & ROLE_PREVENTS))
		return;
	for (uint32_t i = 0; i < e->nkey; i++) {
		if (e->key[i].unknown) {
			sim_lose(s, 1);		/* nobody knows whom it was about */
			return;
		}
		part[i] = e->key[i].num;
	}
	k = sim_key_of(s, &s->keys, part, e->nkey);
	memcpy(k->before, k->step, steps_of(s) * sizeof(*k->before));
	if (e->event->birth)
		birth(s, k);
	sim_kinds[s->rule->match.kind].event(s, k, e);
}
