/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_page.h - what the files that print the report's page share: report_text.c, report_text_live.c and
 * report_text_stacks.c.
 */
#ifndef KDUMP_REPORT_PAGE_H
#define KDUMP_REPORT_PAGE_H

#include "kdump/last_words.h"
#include "kdump/report.h"

#define COLUMNS 80
#define INDENT 15

struct page {
	const struct report *r;
	FILE *out;
	const char *bold, *red, *dim, *off;
	bool full;
	struct last_words words;
	uint64_t zero;	/* the moment that times are relative to: the fire, or the last event */
};

void page_title(struct page *p, const char *title);

/* "comm[pid/tid]" */
void page_task(struct page *p, const struct report_task *t);

/* A duration with three or so digits that matter, and the time of an event relative to another; return text. */
const char *page_duration(uint64_t ns, char *text, size_t size);
const char *page_relative(uint64_t ns, uint64_t zero, char *text, size_t size);

/* One frame per line; runs of tool frames folded into one, unless everything is wanted. */
void page_frames(struct page *p, const struct report_frame *frames, size_t count);

/* The innermost frames on one line, without those of tools. */
void page_short_frames(struct page *p, const struct report_frame *frames, size_t count);

/* What is missing, and what the probes saw. */
void page_losses(struct page *p);

/* Other verdicts, automata, live keys. */
void page_live(struct page *p);

/* The crashed task, the other CPUs, blocked tasks. */
void page_stacks(struct page *p);

#endif
