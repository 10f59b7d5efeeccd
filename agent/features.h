/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * features.h - what this kernel can do, found out by trying, never by its version.
 */
#ifndef AGENT_FEATURES_H
#define AGENT_FEATURES_H

#include <stdbool.h>

enum feature {
	FEATURE_KPROBE_MULTI,
	FEATURE_LISTS,
	FEATURE_CRASH_KEXEC,
	FEATURE_BPF_PANIC,
	FEATURE_USER_RINGBUF,
	FEATURE_STATS,
	FEATURE_MISSED,
	FEATURE_SESSION,
	FEATURES
};

struct feature_info {
	const char *name;
	const char *since;	/* kernel commit and version that brought it */
	const char *used_for;
	const char *without;	/* what happens on kernels that lack it */
};

extern const struct feature_info feature_infos[FEATURES];

/* Does this kernel have it? Asked once, then remembered. */
bool feature_has(enum feature f);

#endif
