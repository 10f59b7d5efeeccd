// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_text.c - the report as a page to read, made for 100 columns.
 */
#include "kdump/report_page.h"
#include "kdump/values.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define GENERATIONS_SHOWN 2
#define LIVE_SHOWN 10
#define DMESG_SHOWN 15

void page_task(struct page *p, const struct report_task *t)
{
	fprintf(p->out, "%s[%" PRIu64, t->comm, t->pid);
	if (t->tid != t->pid)
		fprintf(p->out, "/%" PRIu64, t->tid);
	fputc(']', p->out);
}

/* A duration with three or so digits that matter. */
static const char *duration(uint64_t ns, char *text, size_t size)
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
static const char *relative(uint64_t ns, uint64_t fire, char *text, size_t size)
{
	char d[32];

	if (ns == fire)
		snprintf(text, size, "0");
	else if (ns < fire)
		snprintf(text, size, "-%s", duration(fire - ns, d, sizeof(d)));
	else
		snprintf(text, size, "+%s", duration(ns - fire, d, sizeof(d)));
	return text;
}

static void put_wall(struct page *p, uint64_t ns)
{
	int64_t wall = (int64_t)ns + p->r->wall_offset_ns;
	time_t seconds = wall / 1000000000;
	char text[40];
	struct tm tm;

	if (!p->r->has_wall || wall < 0 || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return;
	fprintf(p->out, "%s.%06d UTC, ", text, (int)(wall % 1000000000 / 1000));
}

void page_title(struct page *p, const char *title)
{
	fprintf(p->out, "\n%s%s%s\n", p->bold, title, p->off);
}

/* The verdict: what fired, where, why. */
static void put_match(struct page *p)
{
	const struct report_match *m = p->r->match;

	fprintf(p->out, "%s%s%s\n\n", p->bold, m->reason, p->off);
	fprintf(p->out, "  rule     %s%s%s\n", m->rule, p->r->about && *p->r->about ? ": " : "",
		p->r->about ? p->r->about : "");
	fprintf(p->out, "  fired    ");
	put_wall(p, m->ns);
	fprintf(p->out, "%" PRIu64 ".%06" PRIu64 " s after boot, on CPU %" PRIu64 " in ", m->ns / 1000000000,
		m->ns / 1000 % 1000000, m->cpu);
	page_task(p, &m->task);
	fprintf(p->out, "\n  match    %s, complete with event %s", m->kind, m->event);
	if (!strcmp(m->act, "log"))
		fputs(" (only logged: the machine ran on)", p->out);
	fputs("\n  key      ", p->out);
	for (size_t i = 0; i < m->nkey; i++)
		fprintf(p->out, "%s%s", i ? ", " : "", value_format(p->r->arena, &m->key[i], 0));
	if (m->gen)
		fprintf(p->out, ", generation %" PRIu64, m->gen);
	fputc('\n', p->out);
}

static void put_nothing(struct page *p)
{
	const struct report *r = p->r;

	if (!r->sets_known)
		fprintf(p->out, "%sIt is not known whether a rule fired: see what could not be read%s\n", p->bold, p->off);
	else
		fprintf(p->out, "%sNo rule fired: the machine went down for another reason%s\n", p->bold, p->off);
	fputc('\n', p->out);
	if (r->sets_known && !r->nrules)
		fputs("  armed    no rule set was loaded\n", p->out);
	for (size_t i = 0; i < r->nrules; i++)
		fprintf(p->out, "  armed    %s (%s), %" PRIu64 " live keys: %s\n", r->rules[i].name, r->rules[i].act,
			r->rules[i].live, r->rules[i].about);
}

static bool same_stack(const struct report_event *x, const struct report_event *y)
{
	if (!y || x->nkstack != y->nkstack)
		return false;
	for (size_t i = 0; i < x->nkstack; i++)
		if (x->kstack[i].addr != y->kstack[i].addr)
			return false;
	return true;
}

static const char *field_text(struct page *p, const struct report_value *v)
{
	const char *text = value_format(p->r->arena, v, 0);

	if (v->type == VALUE_STR && !v->unknown)
		return arena_printf(p->r->arena, "%s = \"%s\"", v->name, text);
	return arena_printf(p->r->arena, "%s = %s", v->name, text);
}

static void put_fields(struct page *p, const struct report_event *e)
{
	int column = INDENT, len;
	const char *text;

	for (size_t i = 0; i < e->nfields; i++) {
		text = field_text(p, &e->fields[i]);
		len = (int)strlen(text) + 2;
		if (!i || column + len > COLUMNS) {
			fprintf(p->out, "%s%*s", i ? ",\n" : "", INDENT, "");
			column = INDENT;
		} else {
			fputs(", ", p->out);
		}
		fputs(text, p->out);
		column += len;
	}
	if (e->nfields)
		fputc('\n', p->out);
}

/* Part of the match, or begin or end of a generation: shown with its whole stack. */
static bool is_important(const struct report_event *e)
{
	return e->step || e->fired || e->birth || e->death;
}

static void put_event(struct page *p, const struct report_event *e, const struct report_event *last, bool gens)
{
	char t[40];

	fprintf(p->out, "%13s  %s%s", relative(e->ns, p->zero, t, sizeof(t)), e->fired ? p->red : p->bold,
		e->event);
	if (e->step)
		fprintf(p->out, " (%s)", e->step);
	fprintf(p->out, "%s  ", p->off);
	page_task(p, &e->task);
	fprintf(p->out, "  CPU %" PRIu64, e->cpu);
	if (p->r->all_keys)
		fprintf(p->out, "  %s", values_text(p->r->arena, e->key, e->nkey, 0));
	if (e->func)
		fprintf(p->out, "  %s", e->func);
	if (gens && (e->birth || e->death))
		fprintf(p->out, "  generation %" PRIu64 "%s%s", e->gen, e->birth ? " begins" : "", e->death ? " ends" : "");
	if (e->unknown)
		fputs("  (its condition could not be read)", p->out);
	if (e->fired)
		fprintf(p->out, "  %s<- here the rule fired%s", p->red, p->off);
	fputc('\n', p->out);
	put_fields(p, e);
	if (!e->nkstack)
		return;
	if (same_stack(e, last) && !e->fired)
		fprintf(p->out, "%*s%s(the same stack)%s\n", INDENT, "", p->dim, p->off);
	else if (is_important(e))
		page_frames(p, e->kstack, e->nkstack);
	else
		page_short_frames(p, e->kstack, e->nkstack);
}

/* An event like the one before but for its time: same kind, task, CPU, fields, stack. */
static bool repeats(struct page *p, const struct report_event *e, const struct report_event *before)
{
	if (p->r->all_keys || is_important(e) || is_important(before) || strcmp(e->event, before->event) ||
	    e->task.tid != before->task.tid || e->cpu != before->cpu || e->gen != before->gen ||
	    e->nfields != before->nfields || !same_stack(e, before))
		return false;
	for (size_t i = 0; i < e->nfields; i++)
		if (strcmp(field_text(p, &e->fields[i]), field_text(p, &before->fields[i])))
			return false;
	return true;
}

/* Where the story begins: the last GENERATIONS_SHOWN generations, or the first step of the match, or all. */
static size_t first_shown(const struct page *p)
{
	const struct report *r = p->r;
	size_t gens = 1, first = r->ncontext;

	if (p->full || r->all_keys || !r->ncontext)
		return 0;
	while (--first > 0) {
		gens += r->context[first].gen != r->context[first - 1].gen;
		if (gens > GENERATIONS_SHOWN)
			break;
	}
	for (size_t i = 0; i < first; i++)
		if (r->context[i].step)
			return i;
	return first;
}

/* The older generations of the key, in one line. */
static void put_older(struct page *p, size_t count)
{
	const struct report_event *e = p->r->context;
	char t[40];

	if (count)
		fprintf(p->out, "  %zu older events, from %s on, are of generations %" PRIu64 " to %" PRIu64
			" (--full shows them)\n\n", count, relative(e->ns, p->zero, t, sizeof(t)), e->gen,
			e[count - 1].gen);
}

static void put_context(struct page *p)
{
	const struct report *r = p->r;
	const struct report_event *last[2] = { 0 };	/* whose stack was shown whole, or short */
	size_t first = first_shown(p), n;
	bool gens = false;
	char t[40];

	page_title(p, r->all_keys ? "Events, oldest first" : "What happened to this key, oldest first");
	put_older(p, first);
	for (size_t i = 0; i < r->ncontext; i++)
		gens |= r->context[i].gen != 0;
	for (size_t i = first; i < r->ncontext; i++) {
		const struct report_event *e = &r->context[i];

		if (i > first && e->gen != e[-1].gen && !r->all_keys)
			fputc('\n', p->out);
		put_event(p, e, last[is_important(e)], gens);
		last[is_important(e)] = e;
		for (n = 0; i + 1 < r->ncontext && repeats(p, &r->context[i + 1], &r->context[i]); i++)
			n++;
		if (n)
			fprintf(p->out, "%*s(%zu more like it, the last at %s)\n", INDENT, "", n,
				relative(r->context[i].ns, p->zero, t, sizeof(t)));
	}
	if (!r->ncontext)
		fputs("  no event of this key could be read\n", p->out);
	else if (!r->context_whole)
		fputs("  Some of this key's events could not be read: see below.\n", p->out);
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
		{ "evicted", "older keys, with their history, made room for this event's key" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].counter, counter))
			return all[i].words;
	return counter;
}

static void put_losses(struct page *p)
{
	const struct report *r = p->r;
	bool any = false;

	if (!r->nrules && !r->gaps.count)
		return;
	page_title(p, "What may be missing");
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

static void put_live(struct page *p)
{
	const struct report *r = p->r;
	char t[40];

	if (!r->nlive)
		return;
	page_title(p, "Live keys");
	for (size_t i = 0; i < r->nlive && (p->full || i < LIVE_SHOWN); i++) {
		const struct report_live *l = &r->live[i];

		fprintf(p->out, "  %-20s  %-16s", values_text(r->arena, l->key, l->nkey, 0), l->state);
		if (l->gen)
			fprintf(p->out, "  generation %" PRIu64, l->gen);
		fprintf(p->out, "  %" PRIu64 " event%s", l->nevents, l->nevents == 1 ? "" : "s");
		if (l->has_age)
			fprintf(p->out, ", last %s ago", duration(l->age_ns, t, sizeof(t)));
		fputc('\n', p->out);
	}
	if (!p->full && r->nlive > LIVE_SHOWN)
		fprintf(p->out, "  and %zu more\n", r->nlive - LIVE_SHOWN);
}

static void put_verdicts(struct page *p)
{
	const struct report *r = p->r;
	char t[40];

	if (r->nverdicts < 2)
		return;
	page_title(p, "Other verdicts");
	for (size_t i = 0; i < r->nverdicts; i++)
		if (&r->verdicts[i] != r->match)
			fprintf(p->out, "%13s  %s (%s): %s\n",
				relative(r->verdicts[i].ns, p->zero, t, sizeof(t)), r->verdicts[i].rule,
				r->verdicts[i].act, r->verdicts[i].reason);
}

static void put_dmesg(struct page *p)
{
	const struct report *r = p->r;
	size_t first = r->ndmesg > DMESG_SHOWN && !p->full ? r->ndmesg - DMESG_SHOWN : 0;

	if (!r->ndmesg)
		return;
	page_title(p, "The kernel's last messages");
	for (size_t i = first; i < r->ndmesg; i++)
		fprintf(p->out, "  %s[%5" PRIu64 ".%06" PRIu64 "] %s%s\n", p->dim, r->dmesg[i].ns / 1000000000,
			r->dmesg[i].ns / 1000 % 1000000, r->dmesg[i].text, p->off);
}

static void put_source(struct page *p)
{
	const char *end;

	if (!p->r->source || !*p->r->source)
		return;
	page_title(p, "The rule");
	for (const char *s = p->r->source; *s; s = *end ? end + 1 : end) {
		end = s + strcspn(s, "\n");
		fprintf(p->out, "  %s%.*s%s\n", p->dim, (int)(end - s), s, p->off);
	}
}

void report_print_text(const struct report *r, FILE *out, bool color, bool full)
{
	struct page p = { .r = r, .out = out, .bold = "", .red = "", .dim = "", .off = "", .full = full };

	if (color) {
		p.bold = "\033[1m";
		p.red = "\033[1;31m";
		p.dim = "\033[2m";
		p.off = "\033[0m";
	}
	if (r->match)
		put_match(&p);
	else
		put_nothing(&p);
	fprintf(out, "  kernel   %s\n  read     %s (%s)\n", *r->release ? r->release : "unknown", r->file, r->format);
	if (r->match)
		p.zero = r->match->ns;
	else if (r->ncontext)
		p.zero = r->context[r->ncontext - 1].ns;
	if (r->match || r->all_keys)
		put_context(&p);
	put_losses(&p);
	put_counters(&p);
	put_verdicts(&p);
	put_live(&p);
	page_stacks(&p);
	put_dmesg(&p);
	put_source(&p);
}
