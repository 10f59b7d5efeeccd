/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crash_target.h - in the crash kernel: drivers, the target filesystem, the dump's directory. */
#ifndef KDUMP_CRASH_TARGET_H
#define KDUMP_CRASH_TARGET_H

#include "kdump/plan.h"
#include "lib/err.h"

#include <stddef.h>

/* Where the target filesystem is mounted. */
#define TARGET_MOUNT "/run/deadfall/target"
/* Space kept free for capsule and status on a full disk: a file of this name in the target's directory. */
#define RESERVE_NAME ".deadfall-reserve"

/*
 * Load the plan's modules in order. All are tried; an error names those that failed (a module that is
 * loaded already is none).
 */
int crash_load_modules(const struct plan *p, struct err *err);

/*
 * Wait up to `patience` seconds for the block device that carries the target's filesystem, or for the network, and
 * mount the target on TARGET_MOUNT. The device's path (the server's, for nfs) is stored in device. A target without a
 * filesystem gets a directory in memory there (crash_store.h).
 */
int crash_mount_target(const struct plan_target *t, unsigned int patience, char *device, size_t size, struct err *err);

/*
 * Make the dump's directory (0700), named by the time of the crash and `rule`; a name that is taken gets a
 * number. The name, relative to the target's directory, is stored in name.
 */
int crash_make_dir(const struct plan_target *t, long long when, const char *rule, char *name, size_t size,
		   struct err *err);

/*
 * Make a file that holds this much space, or leave it if it is there. ERR_SYSTEM with errnum ENOSPC if there is
 * none. setup does the same in the running system (target_reserve).
 */
int crash_reserve(const char *path, long long bytes, struct err *err);

/* Give the reserved space back to the filesystem. */
void crash_release_reserve(const struct plan_target *t);

#endif
