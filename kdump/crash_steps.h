/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crash_steps.h - in the crash kernel: the plan's steps, one after the other, and what is done when one fails. */
#ifndef KDUMP_CRASH_STEPS_H
#define KDUMP_CRASH_STEPS_H

#include "kdump/crash.h"

/*
 * Go through the plan. The first target that takes a dump whole ends it: one that cannot be mounted, is full or stops
 * working is left as it is, and the next is tried from the beginning. What happened is in c->status.
 */
void crash_work(struct crash *c);

/* Write status.json in a child, within its time; false if it did not get there. */
bool crash_save_status(struct crash *c);

#endif
