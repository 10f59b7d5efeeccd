/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ready.h - may a rule be armed? Only where a crash ends in a dump. */
#ifndef KDUMP_READY_H
#define KDUMP_READY_H

#include "lib/err.h"

/*
 * 0 if a crash kernel is loaded and it is known to capture: one that `deadfall kdump setup` loaded in this
 * boot. ERR_ENVIRONMENT otherwise, with what to do.
 *
 * Cheap (a few small files), so the agent asks at every arming.
 */
int kdump_ready(struct err *err);

/* The same with a made-up system under root. */
int kdump_ready_at(const char *root, struct err *err);

#endif
