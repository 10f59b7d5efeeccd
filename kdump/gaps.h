/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gaps.h - what could not be read, and why: a report that hides its gaps lies.
 */
#ifndef KDUMP_GAPS_H
#define KDUMP_GAPS_H

#include "lib/arena.h"
#include "lib/err.h"

struct gap {
	const char *what;
	const char *kind;	/* "absent", "corrupt", "unsupported", "error" */
	const char *why;
};

struct gaps {
	struct arena *arena;
	struct gap *items;
	size_t count;
	size_t dropped;		/* beyond GAPS_MAX */
};

#define GAPS_MAX 100

/* Note that something could not be read; fmt says what, *err why. The same gap is noted once. */
void gaps_add(struct gaps *g, const struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
