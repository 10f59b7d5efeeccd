/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * beside.h - `deadfall kdump setup --beside`: our capsule as the first step of another service's dump.
 *
 * Nothing is loaded and no file of the service is changed. A drop-in for its systemd units makes them run deadfall-init
 * first, with a plan of its own (plan.h) of which only target and capsule remain. In the crash kernel that takes a
 * second or two and can neither stop the service nor keep it waiting for longer than the plan's limits.
 *
 *	/etc/systemd/system/kdump-tools-dump.service.d/deadfall.conf	the hook; it stays until it is deleted
 *	/var/lib/deadfall/kdump-tools.plan				what it does
 *	KDUMP_COREDIR/deadfall/TIME-RULE/				capsule and status.json
 *
 * A directory of our own in that of the service, because kdump-tools counts and deletes all that begins with a 2 in its.
 */
#ifndef KDUMP_BESIDE_H
#define KDUMP_BESIDE_H

#include "kdump/service.h"
#include "kdump/setup.h"
#include "lib/err.h"

#include <stddef.h>

/* Programs of ours that run in the crash kernel. */
struct beside_programs {
	const char *init, *deadfall;
};

/* Install the hook, see that the service's crash kernel is loaded, record. Progress on stdout. */
int beside_setup(const struct setup_options *o, const struct beside_programs *programs, struct err *err);

/* Whether the hook is there and whole. ERR_ABSENT: there is none; ERR_ENVIRONMENT: what it names is missing. */
int beside_check(const char *root, struct err *err);

/* The directory of our dumps beside those of the service. */
void beside_directory(const struct kdump_service *service, char *out, size_t size);

#endif
