/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_diff.h - what two dumps have in common, and where they differ: two crashes by the same rule.
 *
 * Compared is what repeats when the cause does: the fired event and its stack, the course of events before it, fields,
 * the crashed task, losses. Addresses, pids and times differ always and are not.
 */
#ifndef KDUMP_REPORT_DIFF_H
#define KDUMP_REPORT_DIFF_H

#include "kdump/report.h"

/* One line of the comparison. */
struct diff_item {
	const char *what;
	const char *a, *b;	/* texts; equal when both dumps say the same */
	bool same;
};

struct report_diff {
	const struct report *a, *b;
	bool same_signature;	/* both fired, by the same rule with the same event and the same functions on the stack */
	struct diff_item *items;
	size_t nitems;
};

/* Compare; lives in the arena of `a`. */
struct report_diff *report_diff(const struct report *a, const struct report *b);

void report_diff_print_text(const struct report_diff *d, FILE *out, bool color);
int report_diff_print_json(const struct report_diff *d, FILE *out, struct err *err);

#endif
