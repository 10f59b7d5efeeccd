/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.h - status.json: what the crash kernel did, step by step.
 *
 * It is written when the dump's directory is made and replaced atomically after each step, so that it says
 * how far a capture came even if the machine dies in the middle. `deadfall dumps` reads it.
 *
 *	{"deadfall": "0.1", "format": 1, "result": "complete", "kernel": "6.12...", "rule": "widget-freed-twice",
 *	 "time": "2026-11-22T13:56:07Z", "time_unix": 1795355767, "target": {"dir": "...", "device": "..."},
 *	 "steps": [{"name": "capsule", "state": "done", "seconds": 0.41, "bytes": 81234, "exit": 0}, ...],
 *	 "memory": {"total_kb": 180000, "min_available_kb": 90000}}
 *
 * `earlier_targets` tells of those that failed before this one, `deleted_dumps` how many old ones had to go. `vmcore_by`
 * names the service in whose crash kernel this was (beside.h): it makes the vmcore, after this file was written.
 *
 * `result` is "running" (the machine died, or still runs), "complete" (capsule and, unless left out on
 * purpose, a checked vmcore), "partial" (one of them), "failed".
 */
#ifndef KDUMP_STATUS_H
#define KDUMP_STATUS_H

#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>

/*
 * In directory names, in place of a rule: no rule of ours fired (`deadfall capture` says so), or the capsule failed,
 * so that it is not known. In status.json both are null.
 */
#define RULE_NONE "none"
#define RULE_UNKNOWN "unknown"

enum step_state { STATE_PENDING, STATE_RUNNING, STATE_DONE, STATE_FAILED, STATE_TIMEOUT, STATE_SKIPPED };

struct step_status {
	enum step_state state;
	double seconds;
	double started;			/* crash kernel's uptime */
	long long bytes;		/* of what the step wrote, 0 if nothing */
	int exit;			/* exit status of its program */
	char error[400];		/* "" or why it failed */
};

/* Fixed size and without pointers: it lies in memory that the steps and the watching process share. */
struct crash_status {
	char rule[65];
	char name[128];			/* the dump's directory, relative to the plan's */
	char device[64];		/* that was mounted */
	long long time;			/* of the crash, seconds since 1970 */
	unsigned int target;		/* which of the plan's is tried or was chosen */
	char earlier[600];		/* targets that failed before, and why */
	unsigned int deleted;		/* old dumps, as the plan says */
	bool named;			/* the directory has its final name (a server gets files from then on) */
	bool finished;
	char note[200];			/* "" or what went wrong outside the steps */
	long mem_total_kb, mem_min_kb;
	struct step_status steps[STEP_COUNT];
};

const char *step_state_name(enum step_state state);

/* "running", "complete", "partial" or "failed", from the steps. */
const char *status_result(const struct crash_status *s, const struct plan *p);

/* status.json into the file `path`, atomically and durably. */
int status_write(const struct crash_status *s, const struct plan *p, const char *path, struct err *err);

#endif
