// SPDX-License-Identifier: GPL-2.0-or-later
/* report_text_stacks.c - stacks on the report's page. */
#include "kdump/report_page.h"

#include <inttypes.h>
#include <string.h>

#define BLOCKED_SHOWN 10
#define REGS_A_LINE 3

static void put_frame(struct page *p, const struct report_frame *f)
{
	fprintf(p->out, "%*s%s%s%s%s%s%s%s\n", INDENT, "", p->dim, f->symbol, *f->module ? " [" : "", f->module,
		*f->module ? "]" : "", f->guessed ? "  (found by scanning the stack: may be old)" : "", p->off);
}

void page_frames(struct page *p, const struct report_frame *frames, size_t count)
{
	size_t folded;

	for (size_t i = 0; i < count; i++) {
		for (folded = 0; i < count && frames[i].tool && !p->full; i++)
			folded++;
		if (folded)
			fprintf(p->out, "%*s%s(%zu tracing frame%s)%s\n", INDENT, "", p->dim, folded, folded == 1 ? "" : "s", p->off);
		if (i == count)
			return;
		put_frame(p, &frames[i]);
	}
}

void page_short_frames(struct page *p, const struct report_frame *frames, size_t count)
{
	int column = INDENT, len;
	bool first = true;

	fprintf(p->out, "%*s%s", INDENT, "", p->dim);
	for (size_t i = 0; i < count; i++) {
		if (frames[i].tool)
			continue;
		len = (int)strlen(frames[i].symbol) + 4;
		if (column + len > COLUMNS - 4) {
			fputs(" ...", p->out);
			break;
		}
		fprintf(p->out, "%s%s%s", first ? "" : " <- ", frames[i].guessed ? "? " : "", frames[i].symbol);
		column += len;
		first = false;
	}
	fprintf(p->out, "%s\n", p->off);
}

/* x86-64's names; arm64's are numbers. */
static void put_reg(struct page *p, const struct report_stack *s, size_t i, uint64_t v)
{
	static const char *const arm64[] = { "sp", "pc", "pstate" };

	if (s->arch == UNWIND_X86_64)
		fprintf(p->out, "%9s %016" PRIx64, unwind_reg_names_x86_64[i], v);
	else if (i < 31)
		fprintf(p->out, "%7sx%-2zu %016" PRIx64, "", i, v);
	else
		fprintf(p->out, "%9s %016" PRIx64, arm64[i - 31], v);
}

static void put_regs(struct page *p, const struct report_stack *s, const char *title, const struct unwind_regs *regs)
{
	if (!regs->count)
		return;
	fprintf(p->out, "  %s%s\n", p->dim, title);
	for (size_t i = 0; i < regs->count; i++) {
		if (i % REGS_A_LINE == 0)
			fputs("  ", p->out);
		put_reg(p, s, i, regs->r[i]);
		if (i % REGS_A_LINE == REGS_A_LINE - 1 || i + 1 == regs->count)
			fputc('\n', p->out);
	}
	fputs(p->off, p->out);
}

static void put_end(struct page *p, const struct report_stack *s)
{
	if (s->end)
		fprintf(p->out, "%*s(%s)\n", INDENT, "", s->end);
	if (s->user)
		fprintf(p->out, "%*s%sfrom user mode%s\n", INDENT, "", p->dim, p->off);
}

static void put_crashed(struct page *p, const struct report_stack *s)
{
	page_title(p, "The task that went down");
	fprintf(p->out, "  CPU %-3d  ", s->cpu);
	page_task(p, &s->task);
	fputc('\n', p->out);
	page_frames(p, s->frames, s->nframes);
	put_end(p, s);
	put_regs(p, s, "registers as the crash kernel was called", &s->regs);
	put_regs(p, s, "registers in user mode", &s->user_regs);
}

static void put_running(struct page *p, const struct report_stack *s, bool first)
{
	if (first)
		page_title(p, "What the other CPUs ran");
	fprintf(p->out, "  CPU %-3d  ", s->cpu);
	if (s->idle)
		fputs("idle", p->out);
	else
		page_task(p, &s->task);
	fputc('\n', p->out);
	if (p->full || !s->idle) {
		page_frames(p, s->frames, s->nframes);
		put_end(p, s);
	}
	if (p->full)
		put_regs(p, s, "registers as it was stopped", &s->regs);
}

static void put_blocked(struct page *p, const struct report_stack *s)
{
	fputs("  ", p->out);
	page_task(p, &s->task);
	fputc('\n', p->out);
	page_frames(p, s->frames, s->nframes);
	put_end(p, s);
}

void page_stacks(struct page *p)
{
	const struct report *r = p->r;
	size_t running = 0, blocked = 0;

	for (size_t i = 0; i < r->nstacks; i++)
		if (!strcmp(r->stacks[i].state, "crashed"))
			put_crashed(p, &r->stacks[i]);
	for (size_t i = 0; i < r->nstacks; i++)
		if (!strcmp(r->stacks[i].state, "running"))
			put_running(p, &r->stacks[i], !running++);
	for (size_t i = 0; i < r->nstacks; i++) {
		if (strcmp(r->stacks[i].state, "blocked") || (blocked == BLOCKED_SHOWN && !p->full))
			continue;
		if (!blocked++)
			page_title(p, "Tasks that wait and cannot be interrupted (D)");
		put_blocked(p, &r->stacks[i]);
	}
	if (r->nblocked > blocked)
		fprintf(p->out, "  and %zu more\n", r->nblocked - blocked);
}
