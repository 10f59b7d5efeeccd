/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * members.h - members of the sets that rules ask by `in $name`: given in the rule, or read from a file.
 */
#ifndef AGENT_MEMBERS_H
#define AGENT_MEMBERS_H

#include "agent/setinfo.h"

/* Read the files of all sets; their numbers are appended to the values. Errors name file and line. */
int members_read(struct arena *a, struct set_info *info, struct err *err);

/* Members that all sets together may have: entries of df_sets and df_bloom. */
uint32_t members_max(const struct set_info *info);

/*
 * Is a Bloom filter in front of the hash: is there room for so many members that it pays? By the room and not by the members,
 * since more may be added while the set is armed.
 */
bool members_filtered(const struct set_info *info, uint32_t set);

/* Put all members into the maps; bloom is negative if there is none. */
int members_fill(const struct set_info *info, int sets, int bloom, struct err *err);

#endif
