/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_stacks.h - the stacks of a report: the crashed task, what the other CPUs ran, tasks blocked in D state. */
#ifndef KDUMP_REPORT_STACKS_H
#define KDUMP_REPORT_STACKS_H

#include "kdump/frames.h"

/* Fill r->stacks; r->cpus is known. What is missing goes to r->gaps. */
void report_stacks(struct report *r, struct frames *frames);

#endif
