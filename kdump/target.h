/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h - where dumps go, seen from the running system: what a directory lives on, and whether a crash
 * kernel can reach it.
 */
#ifndef KDUMP_TARGET_H
#define KDUMP_TARGET_H

#include "kdump/modules.h"
#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>

/* The directory for dumps when none is named. */
#define TARGET_DEFAULT "/var/crash"

/* Whether it is a device, not a directory or a server. */
bool target_is_device(const char *target);

/*
 * Fill *t (device, fstype, fsid, options, dir) for a directory, which must exist, or for a device that was made ready
 * (raw_target.h). The error says why it cannot be a target and what could.
 */
int target_resolve(const char *dir, struct plan_target *t, struct err *err);

/*
 * The modules that the crash kernel needs for this target: the drivers of its device (major:minor of
 * `dir`), then the filesystem with what it asks for by name.
 */
int target_modules(const struct modules *m, const char *dir, struct module_list *list, struct err *err);

/* Keep `bytes` of space in the directory for capsule and status of a crash on a full disk (crash_target.h). */
int target_reserve(const char *dir, long long bytes, struct err *err);

#endif
