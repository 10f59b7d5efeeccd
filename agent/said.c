// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/said.h"

#include <string.h>

#include "agent/symbols.h"
#include "kdump/reason.h"
#include "kdump/values.h"
#include "lib/arena.h"

struct said {
	struct arena *a;
	const struct manifest *mf;
	const struct mf_rule *rule;
	const struct symbols *syms;
	const struct told *told;
	const struct df_rec *rec;
	const struct mf_fault *fault;
	struct set_event e;	/* the event that fired */
};

static const char *key_text(struct said *s, const char *step, const char *name, char format)
{
	struct set_key key = { .table = s->rec->key.table };
	struct report_value *v;
	size_t n;

	for (size_t i = 0; i < sizeof(key.part) / sizeof(key.part[0]); i++)
		key.part[i] = s->rec->key.part[i];
	v = values_of_key(s->a, s->mf, s->rule, &key, &n);
	return values_key_name(s->a, v, n, step, name, format);
}

/* The function that was trapped. */
static const char *func_text(const struct said *s, uint64_t ip)
{
	uint32_t lo = 0, hi = s->syms->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->syms->items[mid].addr <= ip)
			lo = mid;
		else
			hi = mid;
	}
	return ip && hi ? s->syms->items[lo].name : NULL;
}

/* A name of an event: one of its fields, or what every event has. */
static const char *event_text(struct said *s, const struct set_event *e, const char *name, char format)
{
	const struct mf_event *def = e->event < s->mf->nevents ? &s->mf->events[e->event] : NULL;
	const char *text = value_of_name(s->a, def, e, e->comm, name, format);

	if (!text && !strcmp(name, "rule"))
		return s->rule->name;
	if (!text && !strcmp(name, "detected") && s->fault)
		return s->fault->words;
	if (!text && !strcmp(name, "func") && s->syms)
		return func_text(s, e->ip);
	return text;
}

/* A name of the step that was event number seq; NULL: what it was is not known. */
static const char *step_text(struct said *s, uint64_t seq, const char *name, char format)
{
	const struct df_told *t = told_find(s->told, seq);
	struct set_event e;

	if (seq == s->rec->seq)
		return event_text(s, &s->e, name, format);
	if (!seq || !t || t->e.nwords > DF_WORDS)
		return NULL;
	e = (struct set_event){ .seq = seq, .ns = t->e.ns, .ip = t->e.ip, .pid = t->e.pid, .tid = t->e.tid, .cpu = t->e.cpu,
				.event = t->e.event, .gen = t->e.gen, .nwords = t->e.nwords, .w = (uint64_t *)t->w };
	memcpy(e.comm, t->e.comm, DF_COMM);
	return event_text(s, &e, name, format);
}

static const char *lookup(void *arg, const char *step, const char *name, char format)
{
	struct said *s = arg;
	const char *text = key_text(s, step, name, format);
	const char *fired = s->e.event < s->mf->nevents ? s->mf->events[s->e.event].name : "";
	uint64_t steps[DF_STEPS];

	if (text || !step)
		return text ? text : event_text(s, &s->e, name, format);
	memcpy(steps, s->rec->step, sizeof(steps));
	return step_text(s, reason_step(s->rule, steps, DF_STEPS, step, fired, s->rec->seq), name, format);
}

bool said_needs_symbols(const struct manifest *mf, uint32_t rule)
{
	const char *m = mf && rule < mf->nrules ? mf->rules[rule].message : NULL;

	return m && strstr(m, "func");
}

const char *said_message(struct arena *a, const struct manifest *mf, const struct symbols *syms, uint32_t rule,
			 const struct df_rec *rec, const struct mf_fault *fault, const struct told *told)
{
	struct said s = { .a = a, .mf = mf, .syms = syms, .rec = rec, .fault = fault, .told = told };

	if (!mf || rule >= mf->nrules || !mf->rules[rule].message)
		return NULL;
	s.rule = &mf->rules[rule];
	s.e = (struct set_event){ .seq = rec->seq, .ns = rec->ns, .ip = rec->ip, .pid = rec->pid_tgid >> 32,
				  .tid = (uint32_t)rec->pid_tgid, .cpu = rec->cpu, .event = rec->event, .gen = rec->gen,
				  .nwords = rec->flags & DF_DEADLINE ? 0 : rec->nwords, .w = (uint64_t *)rec->w };
	memcpy(s.e.comm, rec->comm, DF_COMM);
	return reason_format(a, s.rule->message, lookup, &s);
}
