/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_match.h - the match of a rule whose events are checked.
 */
#ifndef RULES_CHECK_MATCH_H
#define RULES_CHECK_MATCH_H

#include "rules/check.h"

/* Roles, thresholds, guards. */
void check_match(struct check *c);

/* A rule whose verdict rests on something that did not happen must not fire because events were lost. */
void check_on_loss(struct rule *rule);

#endif
