/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_page.h - what the files that print the report's page share: report_text.c, report_text_stacks.c. */
#ifndef KDUMP_REPORT_PAGE_H
#define KDUMP_REPORT_PAGE_H

#include "kdump/report.h"

#define COLUMNS 100
#define INDENT 15

struct page {
	const struct report *r;
	FILE *out;
	const char *bold, *red, *dim, *off;
	bool full;
	uint64_t zero;	/* the moment that times are relative to: the fire, or the last event */
};

void page_title(struct page *p, const char *title);

/* "comm[pid/tid]" */
void page_task(struct page *p, const struct report_task *t);

/* One frame per line; runs of tool frames folded into one, unless everything is wanted. */
void page_frames(struct page *p, const struct report_frame *frames, size_t count);

/* The innermost frames on one line, without those of tools. */
void page_short_frames(struct page *p, const struct report_frame *frames, size_t count);

/* The crashed task, the other CPUs, blocked tasks. */
void page_stacks(struct page *p);

#endif
