/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loadable.h - what the language has and the back half cannot lower yet, refused by name.
 *
 * `check` accepts and types it all; `compile` and `run` ask here first, so that nothing is silently left out. A line
 * goes away with each construct that is lowered.
 */
#ifndef RULES_LOADABLE_H
#define RULES_LOADABLE_H

#include "rules/diag.h"
#include "rules/rule.h"

/* Errors (TAG_NOT_YET) for all of a set that cannot be lowered. */
void loadable_check(struct diags *diags, const struct rule_set *set);

#endif
