/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * budget.h - before a set is loaded: would it stay within its budget of kernel memory, and is that memory there?
 */
#ifndef AGENT_BUDGET_H
#define AGENT_BUDGET_H

#include "agent/resolve.h"

/*
 * Sets info->nodes_left and info->memory. Over the budget is ERR_INVALID, with the table of what takes how much on
 * stderr; a machine with too little memory left ERR_ENVIRONMENT.
 */
int budget_check(struct arena *a, struct set_info *info, const struct attach_plan *plan, uint64_t budget, struct err *err);

#endif
