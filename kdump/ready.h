/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ready.h - may a rule be armed? Only where a crash ends in a dump. */
#ifndef KDUMP_READY_H
#define KDUMP_READY_H

#include "lib/err.h"

/*
 * 0 if a crash kernel is loaded: one of `deadfall kdump setup`, still the one that was loaded then, or, where
 * that was not run in this boot, somebody else's (it saves a vmcore as its owner set it up, but no capsule;
 * `deadfall kdump doctor` tells). ERR_ENVIRONMENT otherwise, with what to do.
 *
 * It costs a few milliseconds: the loaded initramfs is read back. So the agent asks at every arming.
 */
int kdump_ready(struct err *err);

/* The same with a made-up system under root. */
int kdump_ready_at(const char *root, struct err *err);

/*
 * What is good to know although the machine is ready, on stderr: whose crash kernel it is, where not ours (it takes no
 * capsule), and when a capture was tested last. Looks through the reserved memory, which can take a second.
 */
void kdump_tell(const char *who);

#endif
