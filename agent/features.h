/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * features.h - what this kernel can do: one table, which every choice between two paths asks.
 *
 * Whether a feature is there is found out by trying it (agent/features_try.h), never by the kernel's version, and
 * remembered. Trying takes privileges: without them the answer is not "no" but "unknown", with what it would take.
 */
#ifndef AGENT_FEATURES_H
#define AGENT_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

enum feature {
	FEATURE_TRACING,
	FEATURE_ENGINES,
	FEATURE_COOKIES,
	FEATURE_LOOPS,
	FEATURE_TIMERS,
	FEATURE_TASK_STORAGE,
	FEATURE_RINGBUF,
	FEATURE_BLOOM,
	FEATURE_KPROBE_MULTI,
	FEATURE_MISSED,
	FEATURE_SESSION,
	FEATURE_ADDRESSES,
	FEATURE_LISTS,
	FEATURE_USER_RINGBUF,
	FEATURE_STATS,
	FEATURE_CRASH_KEXEC,
	FEATURE_BPF_PANIC,
	FEATURE_BRANCHES,
	FEATURE_CASTS,
	FEATURES
};

enum feature_state { FEATURE_NO, FEATURE_YES, FEATURE_UNKNOWN };

struct feature_info {
	const char *name;
	const char *since;	/* kernel commit and version that brought it */
	const char *used_for;
	const char *without;	/* what is done on kernels that lack it; NULL: no set can be loaded there */
	uint64_t caps;		/* capabilities that trying takes, a mask */
	int (*try)(void);	/* 0: it is there; else -errno */
};

extern const struct feature_info feature_infos[FEATURES];

/* Does this kernel have it? Tried once, then remembered. */
enum feature_state feature_state(enum feature f);

/* Of an unknown feature: what this process would need to find out; "" of others. */
const char *feature_needs(enum feature f);

/* Is it known to be there? The path of the table is taken, else the other. */
bool feature_has(enum feature f);

/*
 * Before a set is loaded: all that it cannot do without is there, and all else is known, so that no path is taken only
 * for want of a privilege. ERR_UNSUPPORTED, ERR_ENVIRONMENT.
 */
int features_suffice(struct err *err);

#endif
