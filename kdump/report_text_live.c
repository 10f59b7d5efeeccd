// SPDX-License-Identifier: GPL-2.0-or-later
/* report_text_live.c - losses, counters, automata and live keys on the report's page. */
#include "kdump/report_page.h"
#include "kdump/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_SHOWN 10

/* A duration with three or so digits that matter. */
const char *page_duration(uint64_t ns, char *text, size_t size)
{
	if (ns >= 1000000000)
		snprintf(text, size, "%" PRIu64 ".%03" PRIu64 " s", ns / 1000000000, ns / 1000000 % 1000);
	else if (ns >= 1000000)
		snprintf(text, size, "%" PRIu64 ".%03" PRIu64 " ms", ns / 1000000, ns / 1000 % 1000);
	else
		snprintf(text, size, "%" PRIu64 ".%03" PRIu64 " us", ns / 1000, ns % 1000);
	return text;
}

/* Time of an event relative to the fire. */
const char *page_relative(uint64_t ns, uint64_t zero, char *text, size_t size)
{
	char d[32];

	if (ns == zero)
		snprintf(text, size, "0");
	else if (ns < zero)
		snprintf(text, size, "-%s", page_duration(zero - ns, d, sizeof(d)));
	else
		snprintf(text, size, "+%s", page_duration(ns - zero, d, sizeof(d)));
	return text;
}

static void put_losses(struct page *p)
{
	const struct report *r = p->r;
	const char **said;
	size_t n;

	if (!r->nrules && !r->gaps.count)
		return;
	page_title(p, "What may be missing");
	n = report_missing(r, &said);
	for (size_t i = 0; i < n; i++)
		fprintf(p->out, "  %s\n", said[i]);
	if (!n && !r->gaps.count)
		fputs("  Nothing was lost: \"no event\" above means that there was none, or that newer\n"
		      "  ones replaced it.\n", p->out);
	for (size_t i = 0; i < r->gaps.count; i++)
		fprintf(p->out, "  unreadable (%s): %s: %s\n", r->gaps.items[i].kind, r->gaps.items[i].what,
			r->gaps.items[i].why);
	if (r->gaps.dropped)
		fprintf(p->out, "  unreadable: %zu more places\n", r->gaps.dropped);
}

/* A counter in words where its name is none: "failed0" is the first of the parts of a condition that && joins. */
static const char *counter_text(struct page *p, const char *counter)
{
	if (strncmp(counter, "failed", 6))
		return counter;
	return arena_printf(p->r->arena, "part %lu of the condition false", strtoul(counter + 6, NULL, 10) + 1);
}

static void put_counters(struct page *p)
{
	const struct report *r = p->r;
	const char *event = NULL;

	for (size_t i = 0; i < r->nlosses; i++) {
		if (r->losses[i].is_loss)
			continue;
		if (!event)
			page_title(p, "What the probes saw");
		if (!event || strcmp(event, r->losses[i].event))
			fprintf(p->out, "%s  %-16s", event ? "\n" : "", r->losses[i].event);
		event = r->losses[i].event;
		fprintf(p->out, "  %s %" PRIu64, counter_text(p, r->losses[i].counter), r->losses[i].count);
	}
	if (event)
		fputc('\n', p->out);
}

/* The furthest state that a key ever came to, and how often the last step nearly happened. */
static void put_reach(struct page *p, const struct report_automaton *a)
{
	size_t furthest = 0;

	for (size_t j = 0; a->reach && j < a->nstates; j++)
		if (a->reach[j].entered)
			furthest = j;
	if (furthest)
		fprintf(p->out, "    furthest: %s, %" PRIu64 " time%s\n", a->states[furthest], a->reach[furthest].entered,
			a->reach[furthest].entered == 1 ? "" : "s");
	for (size_t j = 0; a->reach && j < a->nstates; j++)
		if (a->reach[j].late || a->reach[j].refused)
			fprintf(p->out, "    near misses in %s: %" PRIu64 " not in time, %" PRIu64
				" refused by a condition over steps\n", a->states[j], a->reach[j].late, a->reach[j].refused);
}

/* How many keys are in which state, table by table; the state that most matches begin from is the first. */
static void put_automata(struct page *p)
{
	const struct report *r = p->r;
	bool any = false;

	for (size_t i = 0; i < r->nautomata; i++) {
		const struct report_automaton *a = &r->automata[i];
		uint64_t keys = 0;

		for (size_t j = 0; j < a->nstates; j++)
			keys += a->keys[j];
		if (!keys && !p->full)
			continue;
		if (!any)
			page_title(p, "Automata: live keys by state");
		any = true;
		fprintf(p->out, "  %s%s%s%s", a->rule, a->part ? ", " : "", a->part ? a->part : "",
			keys ? ":" : ": no live keys");
		for (size_t j = 0; j < a->nstates; j++)
			if (a->keys[j])
				fprintf(p->out, "  %s %" PRIu64, a->states[j], a->keys[j]);
		fputc('\n', p->out);
		put_reach(p, a);
	}
}

/* A match that has begun: a near miss, if nothing else happens. Each part begins with two spaces. */
static void put_under_way(struct page *p, const struct report_live *l)
{
	char t[40];

	if (l->count)
		fprintf(p->out, "  count %" PRId64, l->count);
	if (l->under_way && l->since_ns && !(l->has_age && l->since_ns == l->age_ns))
		fprintf(p->out, "  for %s", page_duration(l->since_ns, t, sizeof(t)));
	if (l->under_way && *l->began.comm) {
		fputs("  by ", p->out);
		page_task(p, &l->began);
	}
	if (l->has_deadline && l->deadline_in_ns >= 0)
		fprintf(p->out, "  deadline in %s", page_duration((uint64_t)l->deadline_in_ns, t, sizeof(t)));
	else if (l->has_deadline)
		fprintf(p->out, "  deadline passed %s ago", page_duration(-(uint64_t)l->deadline_in_ns, t, sizeof(t)));
	if (l->matches)
		fprintf(p->out, "  %" PRIu64 " match%s", l->matches, l->matches == 1 ? "" : "es");
}

/* Columns as wide as what is shown in them. */
struct live_columns {
	int key, state;
	bool gen;
};

static struct live_columns live_columns(struct page *p, size_t shown)
{
	struct live_columns c = { 4, 5, false };
	int len;

	for (size_t i = 0; i < shown; i++) {
		const struct report_live *l = &p->r->live[i];

		len = (int)strlen(values_text(p->r->arena, l->key, l->nkey, 0));
		c.key = len > c.key ? len : c.key;
		len = (int)strlen(l->state);
		c.state = len > c.state ? len : c.state;
		c.gen = c.gen || l->gen;
	}
	return c;
}

static void put_live(struct page *p)
{
	const struct report *r = p->r;
	size_t shown = p->full || r->nlive < LIVE_SHOWN ? r->nlive : LIVE_SHOWN;
	struct live_columns c = live_columns(p, shown);
	char t[40] = "";

	if (!r->nlive)
		return;
	page_title(p, "Live keys, matches under way first");
	fprintf(p->out, "  %s%-*s  %-*s%s  events  %11s  match under way%s\n", p->dim, c.key, "key", c.state, "state",
		c.gen ? "  gen." : "", "last event", p->off);
	for (size_t i = 0; i < shown; i++) {
		const struct report_live *l = &r->live[i];

		fprintf(p->out, "  %-*s  %-*s", c.key, values_text(r->arena, l->key, l->nkey, 0), c.state, l->state);
		if (c.gen)
			fprintf(p->out, "  %4" PRIu64, l->gen);
		fprintf(p->out, "  %6" PRIu64 "  %11s", l->nevents, l->has_age ? page_relative(0, l->age_ns, t, sizeof(t)) : "");
		put_under_way(p, l);
		fputc('\n', p->out);
	}
	if (shown < r->nlive)
		fprintf(p->out, "  and %zu more (--full)\n", r->nlive - shown);
}

static void put_verdict(struct page *p, const struct report_match *m)
{
	char t[40];

	fprintf(p->out, "%13s  %s (%s%s%s): %s\n", page_relative(m->ns, p->zero, t, sizeof(t)), m->rule, m->act,
		m->detected ? ", " : "", m->detected ? m->detected->words : "", m->reason);
}

static void put_verdicts(struct page *p)
{
	const struct report *r = p->r;
	uint64_t all = 0;

	if (r->nverdicts < 2)
		return;
	page_title(p, "Other verdicts");
	for (size_t i = 0; i < r->nverdicts; i++)
		if (&r->verdicts[i] != r->match)
			put_verdict(p, &r->verdicts[i]);
	for (size_t i = 0; i < r->nsets; i++)
		all += r->sets[i].fires;
	if (all > r->nverdicts)
		fprintf(p->out, "  and %" PRIu64 " more, of which only the last of each rule is kept\n", all - r->nverdicts);
}

void page_losses(struct page *p)
{
	put_losses(p);
	put_counters(p);
}

void page_live(struct page *p)
{
	put_verdicts(p);
	put_automata(p);
	put_live(p);
}
