/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash_files.h - in the crash kernel: all that touches the target's storage.
 *
 * These run in children of the worker (process.h), so that a hang of the disk hangs only them; they report on stderr,
 * and the results are exit statuses. The argument is a struct crash_call.
 */
#ifndef KDUMP_CRASH_FILES_H
#define KDUMP_CRASH_FILES_H

#include "kdump/crash.h"

#include <stddef.h>

struct crash_call {
	struct crash *c;
	const char *from, *to;		/* file names in the dump's directory */
	const char *const *argv;
	bool finished;			/* child_retain: the dump is complete */
};

/* Path of a file in the dump's directory. */
void crash_path(const struct crash *c, char *out, size_t size, const char *file);

/* Its size, 0 if it is not there. */
long long crash_file_size(const struct crash *c, const char *file);

int child_modules(void *arg);

/* Find and mount the target, and make the dump's directory. */
int child_target(void *arg);

/* status.json, with space kept for the next one. */
int child_write_status(void *arg);

/* Make the finished file `from` durable: its data, then its final name `to`, then the directory. */
int child_settle(void *arg);

/* makedumpfile's flattened output (argv) to a target without a filesystem. */
int child_stream(void *arg);

/* Rename the directory to the rule's name, which is `to`. */
int child_rename_dir(void *arg);

/* The vmcore begins like one and is not absurdly small. */
int child_check(void *arg);

/* Fail if the target has no space left or cannot be written to. */
int child_probe(void *arg);

/* Delete old dumps as the plan says; prints "deleted N". */
int child_retain(void *arg);

/* This kernel's own log: where a step failed, the reason is often there (a driver, a filesystem, no memory). */
int child_save_own_log(void *arg);

int child_unmount(void *arg);

#endif
