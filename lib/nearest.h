/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nearest.h - "did you mean": the name closest to a misspelt one, by edit distance.
 *
 *	struct nearest n = nearest_init("i_sz");
 *	for (...) nearest_offer(&n, candidate);
 *	if (nearest_best(&n)) hint("did you mean '%s'?", nearest_best(&n));
 */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *wanted;
	const char *best;	/* borrowed from the caller's candidates */
	int distance;		/* of the best: twice the edits, less for an abbreviation */
};

struct nearest nearest_init(const char *wanted);
void nearest_offer(struct nearest *n, const char *candidate);

/* The best candidate if it is close enough to be worth naming (a third of the letters), else NULL. */
const char *nearest_best(const struct nearest *n);

/* Edits (insert, delete, replace, swap of neighbours) between two strings; at most limit + 1. */
int edit_distance(const char *a, const char *b, int limit);

#endif
