// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/sim/run.h"

#include <string.h>

#include "lib/arena.h"

void sim_run_init(struct sim_run *r, struct arena *a, const struct rule_set *set, const uint64_t *params)
{
	memset(r, 0, sizeof(*r));
	r->arena = a;
	r->set = set;
	r->params = params;
	r->sims = arena_array(a, set->nrules + 1, sizeof(*r->sims));
	r->counts = arena_array(a, set->nevents + 1, sizeof(*r->counts));
	r->flags = arena_array(a, set->nflags + 1, sizeof(*r->flags));
	for (uint32_t i = 0; i < set->nrules; i++)
		sim_init(&r->sims[i], a, &set->rules[i], params);
}

static struct eval_value unknown(void)
{
	return (struct eval_value){ .unknown = true };
}

/* The stack as one number, to group by. */
static struct eval_value stack_value(const struct sim_at *at)
{
	uint64_t h = 1;

	if (!at->has_stack)
		return unknown();
	for (uint32_t i = 0; i < at->nstack; i++)
		h = h * 31 + sim_symbol(at->stack[i]);
	return (struct eval_value){ .num = h };
}

/* Evaluate all that the event records: what was recorded already is taken as it is. */
static struct sim_event *make_event(struct sim_run *r, const struct sim_occurrence *o, struct sim_at *at,
				    const struct event *event)
{
	struct sim_event *e = arena_new(r->arena, struct sim_event);

	*e = (struct sim_event){ .event = event, .number = o->number, .span = o->span, .ns = at->ns, .pid = at->pid,
				 .tid = at->tid, .cpu = at->cpu, .comm = at->comm, .env = &at->env,
				 .func = at->func ? sim_symbol(at->func) : 0, .stack = stack_value(at) };
	e->nkey = o->has_key ? o->nkey : event->nkey;
	for (uint32_t i = 0; i < e->nkey; i++)
		e->key[i] = o->has_key ? o->key[i] : eval_expr(&at->env, event->key[i]);
	e->fields = arena_array(r->arena, event->nfields + 1, sizeof(*e->fields));
	for (uint32_t i = 0; i < event->nfields; i++) {
		bool recorded = false;

		for (uint32_t f = 0; f < at->nfields && !recorded; f++) {
			recorded = !strcmp(at->fields[f].name, event->fields[i].name);
			if (recorded)
				e->fields[i] = sim_named(event->fields[i].expr->type, at->fields[f].value);
		}
		if (!recorded)
			e->fields[i] = eval_expr(&at->env, event->fields[i].expr);
	}
	if (event->owner)
		e->owner = o->has_owner ? o->owner : eval_expr(&at->env, event->owner);
	return e;
}

static void set_flags(struct sim_run *r, const struct sim *s, uint32_t before)
{
	for (uint32_t i = 0; i < s->rule->nactions; i++) {
		const struct action *a = &s->rule->actions[i];

		if (s->nfires > before && a->kind == ACTION_SET_FLAG)
			r->flags[a->flag] = a->value;
	}
}

/* One event of one rule: does it happen here? */
static void feed_event(struct sim_run *r, struct sim_occurrence *o, const struct rule *rule, const struct event *event)
{
	struct sim *s = &r->sims[rule->index];
	struct sim_count *count = &r->counts[event->index];
	struct eval_value holds = { .num = 1, .unknown = o->unknown };
	struct sim_at *at = arena_new(r->arena, struct sim_at);
	uint32_t before = s->nfires;
	struct sim_event *e;

	*at = o->at;
	at->flags = r->flags;
	sim_at_event(at, event, r->params);
	if (!o->event && event->where)
		holds = eval_expr(&at->env, event->where);
	count->seen++;
	count->unknown += holds.unknown;
	count->hit += !holds.unknown && holds.num;
	if (!holds.unknown && !holds.num)
		return;
	e = make_event(r, o, at, event);
	e->unknown = holds.unknown;
	sim_event(s, e);
	set_flags(r, s, before);
}

void sim_run_feed(struct sim_run *r, struct sim_occurrence *o)
{
	for (uint32_t i = 0; i < r->set->nrules; i++) {
		const struct rule *rule = &r->set->rules[i];
		uint32_t before = r->sims[i].nfires;

		sim_advance(&r->sims[i], o->at.ns, false);
		set_flags(r, &r->sims[i], before);
		if (o->rule && strcmp(o->rule, rule->name) != 0)
			continue;
		if (o->lost)
			sim_lose(&r->sims[i], o->lost);
		for (uint32_t k = 0; k < rule->nevents && !o->lost; k++) {
			const struct event *event = &rule->events[k];

			if (o->event ? !strcmp(o->event, event->name) : sim_covers(event, o->probe))
				feed_event(r, o, rule, event);
		}
	}
}

void sim_run_all(struct sim_run *r, struct sim_input *in)
{
	for (uint32_t i = 0; i < in->n; i++)
		sim_run_feed(r, &in->items[i]);
	for (uint32_t i = 0; i < r->set->nrules; i++)
		sim_advance(&r->sims[i], in->until_ns, true);
}
