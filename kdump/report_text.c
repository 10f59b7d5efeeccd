// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_text.c - the report as a page to read, made for 80 columns.
 */
#include "kdump/report_page.h"
#include "kdump/values.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define GENERATIONS_SHOWN 2
#define DMESG_SHOWN 15

void page_task(struct page *p, const struct report_task *t)
{
	fprintf(p->out, "%s[%" PRIu64, t->comm, t->pid);
	if (t->tid != t->pid)
		fprintf(p->out, "/%" PRIu64, t->tid);
	fputc(']', p->out);
}

static void put_wall(struct page *p, uint64_t ns)
{
	time_t seconds;
	char text[40];
	struct tm tm;
	int64_t wall;

	/* Both are what the dump says: their sum need not be a time. */
	if (!p->r->has_wall || __builtin_add_overflow(ns, p->r->wall_offset_ns, &wall) || wall < 0)
		return;
	seconds = wall / 1000000000;
	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return;
	fprintf(p->out, "%s.%06d UTC, ", text, (int)(wall % 1000000000 / 1000));
}

void page_title(struct page *p, const char *title)
{
	fprintf(p->out, "\n%s%s%s\n", p->bold, title, p->off);
}

/* The verdict: what fired, where, why. */
/* Of a balance: who is to blame. */
static void put_owners(struct page *p)
{
	char t[40];

	for (size_t i = 0; i < p->r->nowners; i++) {
		const struct report_owner *o = &p->r->owners[i];

		fprintf(p->out, "  owner    %s: ", value_format(p->r->arena, &o->owner, 0));
		if (o->count < 0)
			fputs("this down has no up\n", p->out);
		else
			fprintf(p->out, "%" PRId64 " up without down%s%s\n", o->count, o->last_ns ? ", its last event at " : "",
				o->last_ns ? page_relative(o->last_ns, p->zero, t, sizeof(t)) : "");
	}
}

static void put_match(struct page *p)
{
	const struct report_match *m = p->r->match;

	fprintf(p->out, "%s%s%s\n\n", p->bold, m->reason, p->off);
	fprintf(p->out, "  rule     %s\n", m->rule);
	if (p->r->about && *p->r->about)
		fprintf(p->out, "  about    %s\n", p->r->about);
	fprintf(p->out, "  fired    ");
	put_wall(p, m->ns);
	fprintf(p->out, "%" PRIu64 ".%06" PRIu64 " s after boot\n", m->ns / 1000000000, m->ns / 1000 % 1000000);
	fprintf(p->out, "  in       ");
	page_task(p, &m->task);
	fprintf(p->out, " on CPU %" PRIu64, m->cpu);
	fprintf(p->out, "\n  match    %s, complete with event %s", m->kind, m->event);
	if (m->detected)
		fprintf(p->out, ": %s (%s)", m->detected->words, m->detected->name);
	if (!strcmp(m->act, "log"))
		fputs(" (only logged: the machine ran on)", p->out);
	if (m->losses)
		fprintf(p->out, " (%" PRIu64 " events of the rule were lost meanwhile)", m->losses);
	fputs("\n  key      ", p->out);
	for (size_t i = 0; i < m->nkey; i++)
		fprintf(p->out, "%s%s%s%s%s", i ? ", " : "", value_format(p->r->arena, &m->key[i], 0),
			m->key[i].symbol ? " (" : "", m->key[i].symbol ? m->key[i].symbol : "", m->key[i].symbol ? ")" : "");
	if (m->gen)
		fprintf(p->out, ", generation %" PRIu64, m->gen);
	fputc('\n', p->out);
	put_owners(p);
}

static void put_words(struct page *p, const char *title, const char *words)
{
	if (words)
		fprintf(p->out, "  %-7s  %.*s\n", title, (int)strcspn(words, "\n"), words);
}

static void put_nothing(struct page *p)
{
	const struct report *r = p->r;

	if (!r->sets_known)
		fprintf(p->out, "%sIt is not known whether a rule fired: see what could not be read%s\n", p->bold, p->off);
	else if (r->asked)
		fprintf(p->out, "%sRule %s did not fire%s\n", p->bold, r->asked, p->off);
	else
		fprintf(p->out, "%sNo rule fired: the machine went down for another reason%s\n", p->bold, p->off);
	fputc('\n', p->out);
	put_words(p, "fault", p->words.fault);
	put_words(p, "panic", p->words.panic);
	put_words(p, "at", p->words.where);
	if (r->sets_known && !r->nrules)
		fputs("  armed    no rule set was loaded\n", p->out);
	for (size_t i = 0; i < r->nrules; i++)
		fprintf(p->out, "  armed    %s (%s), %" PRIu64 " live keys: %s\n", r->rules[i].name, r->rules[i].act,
			r->rules[i].live, r->rules[i].about);
}

static bool same_stack(const struct report_event *x, const struct report_event *y)
{
	if (!y || x->nkstack != y->nkstack || x->nustack != y->nustack || x->nbranches || y->nbranches)
		return false;
	for (size_t i = 0; i < x->nustack; i++)
		if (x->ustack[i].addr != y->ustack[i].addr)
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
	if (v->symbol)
		return arena_printf(p->r->arena, "%s = %s (%s)", v->name, text, v->symbol);
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

static void put_stacks(struct page *p, const struct report_event *e)
{
	page_frames(p, e->kstack, e->nkstack);
	if (e->nustack)
		fprintf(p->out, "%*s%sin user space%s\n", INDENT - 2, "", p->dim, p->off);
	page_frames(p, e->ustack, e->nustack);
	if (e->nbranches)
		fprintf(p->out, "%*s%slast branches, the latest first%s\n", INDENT - 2, "", p->dim, p->off);
	for (size_t i = 0; i < e->nbranches; i++)
		fprintf(p->out, "%*s%s%s -> %s%s\n", INDENT, "", p->dim, e->branches[i].from.symbol,
			e->branches[i].to.symbol, p->off);
}

static void put_event(struct page *p, const struct report_event *e, const struct report_event *last, bool gens)
{
	char t[40];

	fprintf(p->out, "%13s  %s%s", page_relative(e->ns, p->zero, t, sizeof(t)), e->fired ? p->red : p->bold,
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
	if (same_stack(e, last) && !e->fired && e->nkstack + e->nustack)
		fprintf(p->out, "%*s%s(the same stack)%s\n", INDENT, "", p->dim, p->off);
	else if (is_important(e))
		put_stacks(p, e);
	else if (e->nkstack + e->nustack)
		page_short_frames(p, e->nkstack ? e->kstack : e->ustack, e->nkstack ? e->nkstack : e->nustack);
}

/* What `deadfall mark` wrote between this moment and the last event shown. */
static void put_marks(struct page *p, size_t *next, uint64_t before)
{
	char t[40];

	for (; *next < p->r->nmarks && p->r->marks[*next].ns < before; (*next)++)
		fprintf(p->out, "%13s  %smark: %s%s\n", page_relative(p->r->marks[*next].ns, p->zero, t, sizeof(t)), p->bold,
			p->r->marks[*next].text, p->off);
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
		fprintf(p->out, "  %zu older events from %s on, generations %" PRIu64 " to %" PRIu64
			", are left out (--full)\n\n", count, page_relative(e->ns, p->zero, t, sizeof(t)), e->gen,
			e[count - 1].gen);
}

static bool marked_before(const struct page *p, size_t next, const struct report_event *e)
{
	return next < p->r->nmarks && p->r->marks[next].ns < e->ns;
}

/*
 * The events of the match have a list of their own, shorter than that of the others: where it was full, others reach
 * further back, and stand there as if nothing had been between them. Returns the first event that was not cut, or 0.
 */
static size_t pins_cut_before(const struct report *r)
{
	size_t n = 0, first = 0;

	for (size_t i = r->ncontext; i-- > 0;) {
		if (r->context[i].pinned) {
			first = i;
			n++;
		}
	}
	return !r->all_keys && r->pins && n >= r->pins ? first : 0;
}

static void put_context(struct page *p)
{
	const struct report *r = p->r;
	size_t cut = pins_cut_before(r);
	const struct report_event *last[2] = { 0 };	/* whose stack was shown whole, or short */
	size_t first = first_shown(p), n, mark = 0;
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
		if (cut && i == cut && i > first)
			fprintf(p->out, "%*s%sof the match's own events only the last %zu are kept: any before this are not shown%s\n",
				INDENT, "", p->dim, r->pins, p->off);
		put_marks(p, &mark, e->ns);
		put_event(p, e, last[is_important(e)], gens);
		last[is_important(e)] = e;
		for (n = 0; i + 1 < r->ncontext && !marked_before(p, mark, e + n + 1) && repeats(p, e + n + 1, e + n); i++)
			n++;
		if (n)
			fprintf(p->out, "%*s(%zu more like it, the last at %s)\n", INDENT, "", n,
				page_relative(r->context[i].ns, p->zero, t, sizeof(t)));
	}
	put_marks(p, &mark, UINT64_MAX);
	if (!r->ncontext)
		fputs(r->all_keys ? "  none: no live key begins with these parts\n" : "  no event of this key could be read\n", p->out);
	else if (!r->context_whole)
		fputs("  Some of this key's events could not be read: see below.\n", p->out);
}

static void put_dmesg(struct page *p)
{
	const struct report *r = p->r;
	size_t first = r->ndmesg > DMESG_SHOWN && !p->full ? r->ndmesg - DMESG_SHOWN : 0;

	if (!r->ndmesg)
		return;
	/* What the kernel said of its own end is wanted whole. */
	if (!r->match && p->words.from < first)
		first = p->words.from;
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
		p.zero = r->match->ns;
	else if (r->ncontext)
		p.zero = r->context[r->ncontext - 1].ns;
	last_words(r->dmesg, r->ndmesg, &p.words);
	if (r->match)
		put_match(&p);
	else
		put_nothing(&p);
	fprintf(out, "  kernel   %s\n  read     %s (%s)\n", *r->release ? r->release : "unknown", r->file, r->format);
	if (r->match || r->all_keys)
		put_context(&p);
	page_losses(&p);
	page_live(&p);
	page_stacks(&p);
	put_dmesg(&p);
	put_source(&p);
}
