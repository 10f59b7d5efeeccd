/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crash.h - what PID 1 of the crash kernel, its worker and the worker's children share. */
#ifndef KDUMP_CRASH_H
#define KDUMP_CRASH_H

#include "kdump/plan.h"
#include "kdump/status.h"

#include <stdbool.h>

#define VMCORE "/proc/vmcore"

struct crash {
	struct plan plan;
	struct crash_status *status;	/* in memory that all the processes share */
};

/* The target that is being tried or was chosen. */
static inline const struct plan_target *crash_target(const struct crash *c)
{
	return &c->plan.targets[c->status->target];
}

/* Seconds since this kernel began. */
double crash_uptime(void);

/* A line on the console. */
void crash_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
