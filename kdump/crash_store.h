/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash_store.h - in the crash kernel: targets that are no filesystem (ssh, raw) take whole files.
 *
 * Small files are collected in memory, under the directory where a filesystem would be mounted, and stored from there
 * when they are complete; the vmcore, which has no room there, goes through a pipe in makedumpfile's flattened form.
 * All functions run in a child process and report on stderr; the results are exit statuses.
 */
#ifndef KDUMP_CRASH_STORE_H
#define KDUMP_CRASH_STORE_H

#include "kdump/plan.h"

#include <stdbool.h>

/* The name of a vmcore that was stored so. */
#define STORE_VMCORE "vmcore.flat"

/* Whether this target is of that kind. */
bool store_is(const struct plan_target *t);

/* Store the file `local` as dump/file. device: of a raw target, as it was found. */
int store_put(const struct plan_target *t, const char *device, const char *local, const char *dump, const char *file);

/* Store what argv writes to its stdout; prints "bytes N" when all of it is on stable storage. */
int store_stream(const struct plan_target *t, const char *device, const char *const *argv, const char *dump, const char *file);

/* Whether dump/file can be read back as it was written, and begins like a flattened dump; 0 where only the server knows. */
int store_check(const struct plan_target *t, const char *device, const char *dump, const char *file);

/* Fail where there is no space, or writing fails. */
int store_probe(const struct plan_target *t, const char *device);

#endif
