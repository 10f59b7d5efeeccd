// SPDX-License-Identifier: GPL-2.0-or-later
/* report_live.c - live keys with the state of their automata, and what each set went through. */
#include "kdump/report_build.h"
#include "kdump/values.h"

#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "bpf/layout.h"

const char *report_act_name(uint64_t act)
{
	return act == DF_ACT_PANIC ? "panic" : act == DF_ACT_LOG ? "log" : "none";
}

const char *report_comm(struct build *b, const char *comm)
{
	char *text = arena_strdup(b->arena, comm);

	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return text;
}

const struct mf_rule *report_key_rule(const struct df_set *s, const struct set_key *key)
{
	const struct mf_machine *m = set_machine(s, key);

	for (size_t i = 0; m && &s->mf->machines[i] < m; i++)
		if (s->mf->machines[i].rule == m->rule)
			return NULL;
	return set_rule_of_key(s, key);
}

/* The last moment we know of: ages count back from it. */
static uint64_t crash_moment(struct build *b, const struct df_sets *sets)
{
	uint64_t now = 0, crash = b->r->crash_time ? strtoull(b->r->crash_time, NULL, 10) : 0;

	if (b->set)
		return b->set->verdict->ns;
	for (size_t i = 0; i < sets->count; i++) {
		const struct df_set *s = &sets->sets[i];

		if (crash && s->ctl.wall_offset_ns && crash * 1000000000ull > s->ctl.wall_offset_ns &&
		    now < crash * 1000000000ull - s->ctl.wall_offset_ns)
			now = crash * 1000000000ull - s->ctl.wall_offset_ns;
		for (size_t j = 0; j < s->nlive; j++)
			now = s->live[j].last_ns > now ? s->live[j].last_ns : now;
	}
	return now;
}

static void build_match_state(struct build *b, const struct set_live *l, uint64_t now, struct report_live *ret)
{
	ret->under_way = l->state != 0;
	ret->since_ns = l->first_ns && now > l->first_ns ? now - l->first_ns : 0;
	ret->began = (struct report_task){ .pid = l->pid, .tid = l->tid, .comm = report_comm(b, l->comm) };
	ret->count = (int64_t)l->count;
	ret->matches = l->matches;
	ret->has_deadline = l->deadline_ns && now;
	ret->deadline_in_ns = (int64_t)(l->deadline_ns - now);
}

static void build_live_key(struct build *b, const struct df_set *s, const struct set_live *l, uint64_t now,
			   struct report_live *ret)
{
	const struct mf_machine *m = set_machine(s, &l->key);
	const struct mf_rule *rule = set_rule_of_key(s, &l->key);
	uint64_t ring = l->nring, pinned = l->npinned;

	/* Kernels without lists count events here, not nodes. */
	ring = m && m->last && ring > m->last ? m->last : ring;
	pinned = m && m->pins && pinned > m->pins ? m->pins : pinned;
	*ret = (struct report_live){
		.rule = rule ? rule->name : "",
		.table = l->key.table,
		.gen = l->gen,
		.nevents = ring + pinned,
		.has_age = l->last_ns && now,
		.age_ns = now > l->last_ns ? now - l->last_ns : 0,
	};
	ret->key = values_of_key(b->arena, s->mf, report_key_rule(s, &l->key), &l->key, &ret->nkey);
	if (m && l->state < m->nstates)
		ret->state = m->states[l->state];
	else
		ret->state = arena_printf(b->arena, "state %llu", (unsigned long long)l->state);
	build_match_state(b, l, now, ret);
}

/* Matches under way first, then by age. */
static int by_interest(const void *x, const void *y)
{
	const struct report_live *a = x, *b = y;

	if (a->under_way != b->under_way)
		return a->under_way ? -1 : 1;
	if (a->age_ns != b->age_ns)
		return a->age_ns < b->age_ns ? -1 : 1;
	if (a->nkey && b->nkey && a->key->num != b->key->num)
		return a->key->num < b->key->num ? -1 : 1;
	return 0;
}

/* The history of a CPU, or of the whole rule, lies among the keys and is none. */
static bool is_live_key(const struct df_set *s, const struct set_live *l)
{
	const struct mf_machine *m = set_machine(s, &l->key);

	return !l->dead && !(m && m->tier);
}

static void build_automata(struct build *b, const struct df_set *s)
{
	struct report *r = b->r;

	for (size_t i = 0; s->mf && i < s->mf->nmachines; i++) {
		const struct mf_machine *m = &s->mf->machines[i];
		struct report_automaton a = { .set = s->name, .part = m->name, .table = i + 1, .states = m->states,
					      .nstates = m->nstates, .reach = m->reach };

		if (m->tier)
			continue;
		a.rule = m->rule < s->mf->nrules ? s->mf->rules[m->rule].name : "";
		a.keys = arena_array(b->arena, m->nstates + 1, sizeof(*a.keys));
		for (size_t j = 0; j < s->nlive; j++)
			if (s->live[j].key.table == i + 1 && s->live[j].state < m->nstates && !s->live[j].dead)
				a.keys[s->live[j].state]++;
		r->automata = arena_grow(b->arena, r->automata, r->nautomata, sizeof(a));
		r->automata[r->nautomata++] = a;
	}
}

static void build_rules(struct build *b, const struct df_set *s)
{
	struct report *r = b->r;

	for (size_t i = 0; s->mf && i < s->mf->nrules; i++) {
		struct report_rule rule = { .set = s->name, .name = s->mf->rules[i].name,
					    .about = s->mf->rules[i].about,
					    .act = report_act_name(s->mf->rules[i].act) };

		for (size_t j = 0; j < s->nlive; j++)
			rule.live += set_rule_of_key(s, &s->live[j].key) == &s->mf->rules[i] && is_live_key(s, &s->live[j]);
		r->rules = arena_grow(b->arena, r->rules, r->nrules, sizeof(*r->rules));
		r->rules[r->nrules++] = rule;
	}
}

static void build_set(struct build *b, const struct df_set *s)
{
	struct report *r = b->r;

	r->sets = arena_grow(b->arena, r->sets, r->nsets, sizeof(*r->sets));
	r->sets[r->nsets++] = (struct report_set){ .name = s->name, .act = report_act_name(s->ctl.armed),
						   .braked = s->ctl.braked, .missed = s->ctl.missed, .notes_lost = s->ctl.notes_lost,
						   .crash_returned = s->ctl.crash_returned, .fires = s->ctl.fires };
	/* A mark goes to all sets that run; those among the verdict's events are the verdict's. */
	for (size_t i = 0; i < s->nmarks && (!b->set || b->set == s); i++) {
		r->marks = arena_grow(b->arena, r->marks, r->nmarks, sizeof(*r->marks));
		r->marks[r->nmarks++] = (struct report_mark){ s->marks[i].ns, s->marks[i].seq,
							      report_comm(b, s->marks[i].text) };
	}
}

static int by_time(const void *x, const void *y)
{
	const struct report_mark *a = x, *b = y;

	return a->ns < b->ns ? -1 : a->ns > b->ns;
}

void report_live_keys(struct build *b, const struct df_sets *sets)
{
	uint64_t now = crash_moment(b, sets);
	struct report *r = b->r;
	size_t n = 0;

	for (size_t i = 0; i < sets->count; i++)
		n += sets->sets[i].nlive;
	r->live = arena_array(b->arena, n + 1, sizeof(*r->live));
	for (size_t i = 0; i < sets->count; i++)
		for (size_t j = 0; j < sets->sets[i].nlive; j++)
			if (is_live_key(&sets->sets[i], &sets->sets[i].live[j]))
				build_live_key(b, &sets->sets[i], &sets->sets[i].live[j], now, &r->live[r->nlive++]);
	qsort(r->live, r->nlive, sizeof(*r->live), by_interest);
	for (size_t i = 0; i < sets->count; i++) {
		build_automata(b, &sets->sets[i]);
		build_rules(b, &sets->sets[i]);
		build_set(b, &sets->sets[i]);
	}
	if (r->nmarks)
		qsort(r->marks, r->nmarks, sizeof(*r->marks), by_time);
}
