/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dumps.h - the dumps in a directory or on a raw device (raw.h): what is there, from status.json and the files.
 *
 * A dump is a directory named TIME-RULE, as the crash kernel makes it (crash_target.h). One whose status.json
 * is missing or damaged is listed too, as "unknown": it may hold the only trace of a crash.
 */
#ifndef KDUMP_DUMPS_H
#define KDUMP_DUMPS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

struct dump {
	char name[160];			/* of its directory */
	char dir[1024];			/* where that is: a directory or a raw device */
	char rule[65];			/* "" if no rule fired, or the capsule failed: then */
	bool rule_unknown;		/* ... it is not known which */
	char result[16];		/* "complete", "partial", "failed", "running" (died in the middle), "unknown" */
	char kernel[128];
	char by[32];			/* who made the vmcore: "" our crash kernel, "kdump-tools" (beside.h) */
	char vmcore[1200];		/* the vmcore's path where it is not in the dump's directory: that of `by` */
	bool capsule_only;		/* no vmcore was wanted */
	char problem[400];		/* the first step that failed, with its error; "" if none did */
	long long time;			/* seconds since 1970 */
	long long bytes;		/* of all its files */
	long long vmcore_bytes, capsule_bytes;	/* 0: not there (an incomplete one does not count) */
};

struct dump_list {
	struct dump *dumps;		/* oldest first */
	size_t count;
};

/* Read the directory or raw device `dir`. ERR_SYSTEM if it cannot be read; none there is an empty list. */
int dumps_scan(const char *dir, struct dump_list *ret, struct err *err);

/*
 * The dumps of several places, newlines between them; servers (ssh) are passed over. A place that cannot be read is
 * an error only if all are so.
 */
int dumps_scan_all(const char *places, struct dump_list *ret, struct err *err);
void dumps_free(struct dump_list *list);

/* The dump of that name, or the only one whose name begins so; NULL if there is none or more than one. */
const struct dump *dumps_find(const struct dump_list *list, const char *name);

/* Delete a dump: its files, then its directory. Refuses what does not look like a dump. */
int dumps_delete(const char *dir, const struct dump *d, struct err *err);

/* Delete the oldest so that the limits of dumps_choose() hold; *deleted may be NULL. */
int dumps_prune(const char *dir, size_t max_dumps, long long max_bytes, size_t *deleted, struct err *err);

/* A dump's file, opened for reading wherever it lies (from a raw device: a copy in memory). -1: *err. */
int dumps_open_file(const struct dump *d, const char *file, struct err *err);

/*
 * Which dumps to delete, oldest first, to be left with at most max_dumps (0: any number) of together at most
 * max_bytes (0: any size). The newest is always kept. Marks them in doomed[list->count].
 */
void dumps_choose(const struct dump_list *list, size_t max_dumps, long long max_bytes, bool *doomed);

/* The time that a dump's name begins with, in seconds since 1970, or -1. */
long long dumps_name_time(const char *name);

/* What status.json (text, len bytes) says of a dump. */
void dumps_read_status(const char *text, size_t len, struct dump *d);

/* Find the dumps of another service that belong to those of ours; a list in order of time (dumps_service.c). */
void dumps_join_service(struct dump_list *list);

/* Append. False: no memory. */
bool dumps_add(struct dump_list *list, const struct dump *d);

/* ---- dumps on a raw device (dumps_raw.c) ---- */

int dumps_raw_scan(const char *device, struct dump_list *ret, struct err *err);
int dumps_raw_delete(const char *device, const struct dump *d, struct err *err);

/* Copy a dump from its device to a directory dir/name like those of other targets; its vmcore becomes a plain one. */
int dumps_raw_extract(const struct dump *d, const char *dir, struct err *err);

#endif
