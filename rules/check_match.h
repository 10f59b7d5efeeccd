/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_match.h - the match of a rule whose events are checked.
 */
#ifndef RULES_CHECK_MATCH_H
#define RULES_CHECK_MATCH_H

#include "rules/check.h"

/* Roles, thresholds, guards. */
void check_match(struct check *c);

/*
 * A name that nothing defines where e stands: is it that of an event or step, which cannot be asked there? Then that is said.
 */
bool check_misplaced_event(struct check *c, const struct expr *e);

/* A rule whose verdict rests on something that did not happen must not fire because events were lost. */
void check_on_loss(struct rule *rule);

#endif
