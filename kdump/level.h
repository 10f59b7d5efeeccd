/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * level.h - the makedumpfile dump level (-d) that keeps our state readable.
 *
 * A level is a sum of what is left out: 1 zero pages, 2 page cache, 4 private page cache, 8 user data, 16
 * free pages. 31 is the smallest dump. makedumpfile tells the kinds apart by kernel internals that it knows
 * from VMCOREINFO; where it does not know them, it can throw away kernel data.
 */
#ifndef KDUMP_LEVEL_H
#define KDUMP_LEVEL_H

#include <stdbool.h>

/* What the choice rests on. */
struct level_facts {
	const char *vmcoreinfo;			/* text of the running kernel's VMCOREINFO, NULL if not readable */
	unsigned int makedumpfile[3];		/* version: 1, 7, 2 */
};

struct level_choice {
	int level;
	const char *why;			/* one sentence, static */
};

struct level_choice level_choose(const struct level_facts *facts);

/* Whether a level that the user asked for may lose kernel data where level_choose() chose `chosen`. */
bool level_is_risky(int level, const struct level_choice *chosen);

#endif
