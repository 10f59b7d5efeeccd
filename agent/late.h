/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late.h - constants of a set that this kernel decides, looked up before the set is loaded (rules/late.h).
 */
#ifndef AGENT_LATE_H
#define AGENT_LATE_H

#include "agent/setinfo.h"

/*
 * The words of df_late, [info->late_words or 1], in the arena. Errors name the rule's line: ERR_ABSENT (no such symbol,
 * or several), ERR_ENVIRONMENT (the kernel's symbols or configuration cannot be read).
 */
int late_resolve(struct arena *a, const struct set_info *info, uint64_t **ret, struct err *err);

#endif
