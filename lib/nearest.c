// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/nearest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 127

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

int edit_distance(const char *a, const char *b, int limit)
{
	int rows[3][NAME_MAX_LEN + 1], *prev2 = rows[0], *prev = rows[1], *row = rows[2], *tmp;
	int la = (int)strnlen(a, NAME_MAX_LEN), lb = (int)strnlen(b, NAME_MAX_LEN), best;

	if (la - lb > limit || lb - la > limit)
		return limit + 1;
	for (int j = 0; j <= lb; j++)
		prev[j] = j;
	for (int i = 1; i <= la; i++) {
		row[0] = best = i;
		for (int j = 1; j <= lb; j++) {
			int cost = a[i - 1] != b[j - 1];

			row[j] = min3(prev[j] + 1, row[j - 1] + 1, prev[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min3(row[j], prev2[j - 2] + 1, row[j]);
			best = row[j] < best ? row[j] : best;
		}
		if (best > limit)
			return limit + 1;
		tmp = prev2;
		prev2 = prev;
		prev = row;
		row = tmp;
	}
	return prev[lb];
}

/* Edits beyond which two names have nothing to do with each other. */
static int edit_limit(const char *wanted)
{
	int len = (int)strnlen(wanted, NAME_MAX_LEN);

	return len < 2 ? 0 : (len + 2) / 3;
}

/* Are all letters of the short one in the long one, in order? People leave letters out: "i_sz" means "i_size". */
static bool abbreviates(const char *shorter, const char *longer)
{
	for (; *longer && *shorter; longer++)
		shorter += *shorter == *longer;
	return !*shorter;
}

struct nearest nearest_init(const char *wanted)
{
	return (struct nearest){ .wanted = wanted, .distance = edit_limit(wanted) * 2 + 1 };
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	int limit = edit_limit(n->wanted), d = edit_distance(n->wanted, candidate, limit), score;

	if (!strcasecmp(n->wanted, candidate))
		d = 0;	/* is_err means IS_ERR */
	score = d * 2;
	if (d > limit)
		return;
	if (abbreviates(n->wanted, candidate))
		score -= 3;
	if (score < n->distance) {
		n->distance = score;
		n->best = candidate;
	}
}

const char *nearest_best(const struct nearest *n)
{
	return n->best;
}
