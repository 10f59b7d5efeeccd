/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guards.h - what must hold before a rule may crash the machine: a crash kernel that would capture the dump, a passed
 * test where the rule asks for one, and no crash loop (kdump/panics.h keeps the ledger).
 */
#ifndef AGENT_GUARDS_H
#define AGENT_GUARDS_H

#include <stdbool.h>

#include "agent/setinfo.h"
#include "lib/err.h"

/*
 * Refuse to arm a set whose crash would not be captured: ERR_ENVIRONMENT, with the rule and what to do.
 */
int guards_check_kdump(const struct set_info *info, struct err *err);

/*
 * May this rule panic, as far as its past panics go? If not, *why says so in one sentence (in the arena), and the
 * rule arms as `log`. A ledger that cannot be read is an error: without it a crash loop would go unnoticed.
 */
int guards_check_panics(struct arena *a, const struct info_rule *rule, bool automatic, const char **why, struct err *err);

/* Note in the ledger that the rule is armed with panic, before it is; and that it no longer is. */
int guards_armed(const struct info_rule *rule, struct err *err);
void guards_disarmed(const struct info_rule *rule);

#endif
