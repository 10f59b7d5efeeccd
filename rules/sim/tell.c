// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/sim/tell.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/arena.h"

/* Keys without a match that are told of, the furthest first. */
#define KEYS_TOLD 5

static const char *const acts[] = { [SIM_FIRED] = "fired", [SIM_LOGGED] = "logged", [SIM_SUPPRESSED] = "suppressed" };

static const char *key_text(struct arena *a, const uint64_t *part, uint32_t n)
{
	const char *text = n ? "" : "-";

	for (uint32_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s0x%" PRIx64, text, i ? ", " : "", part[i]);
	return text;
}

static const char *place(struct arena *a, const struct sim_event *e)
{
	uint32_t line, col;

	if (!e->span.src)
		return "";
	source_position(e->span.src, e->span.off, &line, &col);
	return arena_printf(a, " (%s:%u:%u)", e->span.src->name, line, col);
}

/* What the rule calls step i. */
static const char *step_name(const struct rule *rule, uint32_t i, const struct sim_event *e)
{
	const struct match *m = &rule->match;
	bool steps = m->kind == MATCH_EVENT || m->kind == MATCH_SEQUENCE || m->kind == MATCH_MISSING;

	return steps && i < m->nsteps ? m->steps[i].label : e->event->name;
}

static void tell_fire(struct arena *a, const struct sim_fire *f, struct buf *out)
{
	buf_printf(out, "  %s at %s, key %s, generation %u, ", acts[f->act], sim_time(a, f->ns),
		   key_text(a, f->key, f->nkey), f->gen);
	if (f->event)
		buf_printf(out, "event %" PRIu64 " '%s'%s: %s\n", f->event->number, f->event->event->name,
			   place(a, f->event), f->why);
	else
		buf_printf(out, "at a deadline: %s\n", f->why);
	if (f->losses)
		buf_printf(out, "      %u events were lost since it began\n", f->losses);
	for (uint32_t i = 0; i < DF_STEPS; i++) {
		if (f->step[i] && f->step[i] != f->event)
			buf_printf(out, "      %s: event %" PRIu64 " at %s%s\n", step_name(f->rule, i, f->step[i]),
				   f->step[i]->number, sim_time(a, f->step[i]->ns), place(a, f->step[i]));
	}
}

static int by_progress(const void *a, const void *b)
{
	const struct sim_key *x = *(const struct sim_key *const *)a, *y = *(const struct sim_key *const *)b;

	if (x->furthest != y->furthest)
		return x->furthest < y->furthest ? 1 : -1;
	return (x->setback_ns < y->setback_ns) - (x->setback_ns > y->setback_ns);
}

/* The keys that did not complete a match, those that came furthest first. */
static struct sim_key **unmatched(struct arena *a, const struct sim *s, uint32_t *n)
{
	struct sim_key **keys = arena_array(a, s->keys.nkeys + 1, sizeof(*keys));

	*n = 0;
	for (uint32_t i = 0; i < s->keys.nkeys; i++) {
		const struct sim_key *k = s->keys.keys[i];

		if (!k->matches)
			keys[(*n)++] = s->keys.keys[i];
	}
	qsort(keys, *n, sizeof(*keys), by_progress);
	return keys;
}

static void tell_keys(struct arena *a, const struct sim *s, struct buf *out)
{
	uint32_t n;
	struct sim_key **keys = unmatched(a, s, &n);

	for (uint32_t i = 0; i < n && i < KEYS_TOLD; i++) {
		const struct sim_key *k = keys[i];

		buf_printf(out, "  key %s: no further than '%s'", key_text(a, k->part, k->nkey),
			   sim_state_name(s, k->furthest));
		if (k->furthest_ns)
			buf_printf(out, " at %s", sim_time(a, k->furthest_ns));
		if (k->setback)
			buf_printf(out, "; at %s %s", sim_time(a, k->setback_ns), k->setback);
		buf_putc(out, '\n');
	}
	if (n > KEYS_TOLD)
		buf_printf(out, "  and %u more keys without a match\n", n - KEYS_TOLD);
}

void sim_tell(const struct sim_run *r, struct buf *out)
{
	for (uint32_t i = 0; i < r->set->nrules; i++) {
		const struct rule *rule = &r->set->rules[i];
		const struct sim *s = &r->sims[i];

		buf_printf(out, "rule %s: %u match%s\n", rule->name, s->nfires, s->nfires == 1 ? "" : "es");
		for (uint32_t f = 0; f < s->nfires; f++)
			tell_fire(r->arena, &s->fires[f], out);
		tell_keys(r->arena, s, out);
		for (uint32_t e = 0; e < rule->nevents; e++) {
			const struct sim_count *c = &r->counts[rule->events[e].index];

			buf_printf(out, "  event %-16s seen %" PRIu64 " hit %" PRIu64, rule->events[e].name, c->seen, c->hit);
			if (c->unknown)
				buf_printf(out, " unknown %" PRIu64, c->unknown);
			buf_putc(out, '\n');
		}
		if (s->losses)
			buf_printf(out, "  %u events were lost\n", s->losses);
	}
}

static json_t *key_json(struct arena *a, const uint64_t *part, uint32_t n)
{
	json_t *list = json_array();

	if (n == 1) {
		json_decref(list);
		return json_string(key_text(a, part, 1));
	}
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(key_text(a, &part[i], 1)));
	return list;
}

static json_t *fire_json(struct arena *a, const struct sim_fire *f)
{
	json_t *steps = json_array();
	json_t *j = json_pack("{s:s, s:I, s:o, s:i, s:i, s:s}", "verdict", acts[f->act], "time_ns", (json_int_t)f->ns, "key",
			      key_json(a, f->key, f->nkey), "generation", (int)f->gen, "losses", (int)f->losses, "why", f->why);

	for (uint32_t i = 0; i < DF_STEPS; i++) {
		if (f->step[i])
			json_array_append_new(steps, json_pack("{s:s, s:I, s:I}", "step", step_name(f->rule, i, f->step[i]),
							       "number", (json_int_t)f->step[i]->number, "time_ns",
							       (json_int_t)f->step[i]->ns));
	}
	json_object_set_new(j, "steps", steps);
	json_object_set_new(j, "event", f->event ? json_string(f->event->event->name) : json_null());
	json_object_set_new(j, "number", f->event ? json_integer((json_int_t)f->event->number) : json_null());
	return j;
}

static json_t *rule_json(const struct sim_run *r, const struct sim *s)
{
	json_t *fires = json_array(), *keys = json_array(), *events = json_object();
	uint32_t n;
	struct sim_key **left = unmatched(r->arena, s, &n);

	for (uint32_t f = 0; f < s->nfires; f++)
		json_array_append_new(fires, fire_json(r->arena, &s->fires[f]));
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(keys, json_pack("{s:o, s:s, s:I, s:s?}", "key",
						      key_json(r->arena, left[i]->part, left[i]->nkey), "furthest",
						      sim_state_name(s, left[i]->furthest), "time_ns",
						      (json_int_t)left[i]->furthest_ns, "setback", left[i]->setback));
	for (uint32_t e = 0; e < s->rule->nevents; e++) {
		const struct sim_count *c = &r->counts[s->rule->events[e].index];

		json_object_set_new(events, s->rule->events[e].name,
				    json_pack("{s:I, s:I, s:I}", "seen", (json_int_t)c->seen, "hit", (json_int_t)c->hit,
					      "unknown", (json_int_t)c->unknown));
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:i}", "rule", s->rule->name, "fires", fires, "unmatched", keys, "events",
			 events, "lost", (int)s->losses);
}

int sim_tell_json(const struct sim_run *r, struct buf *out)
{
	json_t *all = json_array();
	char *text;

	for (uint32_t i = 0; i < r->set->nrules; i++)
		json_array_append_new(all, rule_json(r, &r->sims[i]));
	text = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	if (!text)
		return -1;
	buf_printf(out, "%s\n", text);
	free(text);
	return 0;
}
