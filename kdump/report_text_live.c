// SPDX-License-Identifier: GPL-2.0-or-later
/* report_text_live.c - losses, counters, automata and live keys on the report's page. */
#include "kdump/report_page.h"
#include "kdump/values.h"

#include <inttypes.h>
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

static const char *loss_words(const char *counter)
{
	static const struct {
		const char *counter, *words;
	} all[] = {
		{ "unknown", "times the condition could not be evaluated (a read failed)" },
		{ "key_unknown", "times the key could not be read: not recorded" },
		{ "field_unknown", "times a field could not be read: recorded without it" },
		{ "nmi", "came in NMI context: not recorded" },
		{ "full", "found no room for a new key: not recorded" },
		{ "nomem", "found no memory: counted for the match, missing in the history" },
		{ "raced", "raced with the removal of their key: not recorded" },
		{ "busy", "came while too many probes were within each other: not recorded" },
		{ "evicted", "older keys, with their history, made room for this event's key" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].counter, counter))
			return all[i].words;
	return counter;
}

/* What concerns a set as a whole. True: something was said. */
static bool put_set_losses(struct page *p)
{
	bool any = false;

	for (size_t i = 0; i < p->r->nsets; i++) {
		const struct report_set *s = &p->r->sets[i];

		if (s->braked)
			fprintf(p->out, "  %s: the brake let go of the probes, which took %" PRIu64 ".%" PRIu64
				" %% of a CPU: nothing was seen after that\n", s->name, s->braked / 10, s->braked % 10);
		if (s->missed)
			fprintf(p->out, "  %s: the probes missed %" PRIu64 " calls\n", s->name, s->missed);
		if (s->crash_returned)
			fprintf(p->out, "  %s: the call for the crash kernel came back %" PRIu64 " times\n", s->name,
				s->crash_returned);
		any = any || s->braked || s->missed || s->crash_returned;
	}
	return any;
}

static void put_losses(struct page *p)
{
	const struct report *r = p->r;
	bool any;

	if (!r->nrules && !r->gaps.count)
		return;
	page_title(p, "What may be missing");
	any = put_set_losses(p);
	for (size_t i = 0; i < r->nlosses; i++) {
		if (!r->losses[i].is_loss)
			continue;
		any = true;
		fprintf(p->out, "  %s: %" PRIu64 " %s\n", r->losses[i].event, r->losses[i].count,
			loss_words(r->losses[i].counter));
	}
	if (!any && !r->gaps.count)
		fputs("  Nothing was lost: \"no event\" above means that there was none, or that newer ones replaced it.\n",
		      p->out);
	for (size_t i = 0; i < r->gaps.count; i++)
		fprintf(p->out, "  unreadable (%s): %s: %s\n", r->gaps.items[i].kind, r->gaps.items[i].what,
			r->gaps.items[i].why);
	if (r->gaps.dropped)
		fprintf(p->out, "  unreadable: %zu more places\n", r->gaps.dropped);
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
		fprintf(p->out, "  %s %" PRIu64, r->losses[i].counter, r->losses[i].count);
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
		fprintf(p->out, "    furthest: %s, %" PRIu64 " times\n", a->states[furthest], a->reach[furthest].entered);
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
		fprintf(p->out, "  %s%s", a->rule, keys ? ":" : ": no live keys");
		for (size_t j = 0; j < a->nstates; j++)
			if (a->keys[j])
				fprintf(p->out, "  %s %" PRIu64, a->states[j], a->keys[j]);
		fputc('\n', p->out);
		put_reach(p, a);
	}
}

/* A match that has begun: a near miss, if nothing else happens. */
static void put_under_way(struct page *p, const struct report_live *l)
{
	char t[40];

	if (l->count)
		fprintf(p->out, "  count %" PRId64, l->count);
	if (l->under_way && l->since_ns)
		fprintf(p->out, "  began %s ago", page_duration(l->since_ns, t, sizeof(t)));
	if (l->under_way && *l->began.comm) {
		fputs(" by ", p->out);
		page_task(p, &l->began);
	}
	if (l->has_deadline && l->deadline_in_ns >= 0)
		fprintf(p->out, "  deadline in %s", page_duration((uint64_t)l->deadline_in_ns, t, sizeof(t)));
	else if (l->has_deadline)
		fprintf(p->out, "  deadline passed %s ago", page_duration((uint64_t)-l->deadline_in_ns, t, sizeof(t)));
	if (l->matches)
		fprintf(p->out, "  %" PRIu64 " matches", l->matches);
}

static void put_live(struct page *p)
{
	const struct report *r = p->r;
	char t[40];

	if (!r->nlive)
		return;
	page_title(p, "Live keys, matches under way first");
	for (size_t i = 0; i < r->nlive && (p->full || i < LIVE_SHOWN); i++) {
		const struct report_live *l = &r->live[i];

		fprintf(p->out, "  %-20s  %-16s", values_text(r->arena, l->key, l->nkey, 0), l->state);
		if (l->gen)
			fprintf(p->out, "  generation %" PRIu64, l->gen);
		fprintf(p->out, "  %" PRIu64 " event%s", l->nevents, l->nevents == 1 ? "" : "s");
		if (l->has_age)
			fprintf(p->out, ", last %s ago", page_duration(l->age_ns, t, sizeof(t)));
		put_under_way(p, l);
		fputc('\n', p->out);
	}
	if (!p->full && r->nlive > LIVE_SHOWN)
		fprintf(p->out, "  and %zu more\n", r->nlive - LIVE_SHOWN);
}

static void put_verdicts(struct page *p)
{
	const struct report *r = p->r;
	uint64_t all = 0;
	char t[40];

	if (r->nverdicts < 2)
		return;
	page_title(p, "Other verdicts");
	for (size_t i = 0; i < r->nverdicts; i++)
		if (&r->verdicts[i] != r->match)
			fprintf(p->out, "%13s  %s (%s): %s\n",
				page_relative(r->verdicts[i].ns, p->zero, t, sizeof(t)), r->verdicts[i].rule,
				r->verdicts[i].act, r->verdicts[i].reason);
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
