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
 * The set is about to be armed with panic: which of its rules may, as far as their past panics go? (*why)[rule] is NULL
 * for those that may, and they are in the ledger now; for the others it says in one sentence why they arm as `log`
 * (in the arena). automatic: nobody asked for it just now, see kdump/panics.h. A ledger that cannot be read is an error: without it a crash loop would go unnoticed.
 */
int guards_enter(struct arena *a, const struct set_info *info, bool automatic, const char *const **why, struct err *err);

/* The set is armed, and the first minutes of this boot, in which a crash looks like a loop, are over. */
void guards_late(const struct set_info *info);

/*
 * The set is disarmed, or its file in /run is gone: take its rules out of the ledger, but not those that another set that
 * runs here has armed as well.
 */
void guards_leave(const struct set_info *info);

#endif
