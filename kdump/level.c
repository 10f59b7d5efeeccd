// SPDX-License-Identifier: GPL-2.0-or-later
/* level.c - see level.h. */
#include "kdump/level.h"

#include <string.h>

#define LEVEL_USER_DATA 8

/*
 * Rows are tried in order. A row is here because dumps of that kind were taken and read: every task, map and
 * list node was compared, on 6.1 and 6.12 with makedumpfile 1.7.2.
 */
static const struct row {
	const char *needs;	/* in VMCOREINFO, NULL: anything */
	int level;
	const char *why;
} rows[] = {
	/*
	 * Up to 6.9 slab pages carry the flag PG_slab, which VMCOREINFO exports, so that makedumpfile does not
	 * take them for user pages. Checked on 6.1.
	 */
	{ "NUMBER(PG_slab)=", 31, "the kernel exports PG_slab: user pages are told from slab pages" },
	/*
	 * 6.10 made slab a page type (PAGE_SLAB_MAPCOUNT_VALUE instead of PG_slab). makedumpfile 1.7.2 then
	 * leaves slab pages out with bit 8: on 6.12 tasks, BPF programs and files were unreadable at levels 25,
	 * 27 and 31, and all there at 17, 19 and 23.
	 */
	{ NULL, 23, "slab pages may pass for user pages here: user pages are kept" },
};

struct level_choice level_choose(const struct level_facts *facts)
{
	size_t i = 0;

	while (rows[i].needs && !(facts->vmcoreinfo && strstr(facts->vmcoreinfo, rows[i].needs)))
		i++;
	/* Versions before 1.7 were not tried on any kernel that this program supports. */
	if (facts->makedumpfile[0] < 1 || (facts->makedumpfile[0] == 1 && facts->makedumpfile[1] < 7))
		return (struct level_choice){ 23, "makedumpfile is older than any that was tried: user pages are kept" };
	return (struct level_choice){ rows[i].level, rows[i].why };
}

bool level_is_risky(int level, const struct level_choice *chosen)
{
	return (level & LEVEL_USER_DATA) && !(chosen->level & LEVEL_USER_DATA);
}
