/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting.h - which sets wait for modules: a file beside those of the sets that are armed (agent/running.h), written by
 * `run`, read by `status`, `list` and `unload`.
 */
#ifndef AGENT_WAITING_H
#define AGENT_WAITING_H

#include <stdint.h>

#include "agent/parts.h"

struct waiting_event {
	const char *event;	/* RULE.EVENT */
	const char *probe;
};

struct waiting {
	const char *set;
	uint32_t pid, map_id;	/* the agent, and a map that it holds */
	char path[256];		/* the file */
	struct waiting_event *events;
	uint32_t nevents;
	const char *problem;	/* NULL: none */
};

/* Tell who waits; where nobody does, the file goes. path receives its name, "" if there is none. */
int waiting_write(const struct parts *ps, char *path, size_t size, struct err *err);

/* All that wait here; files of agents that are gone are removed. In the arena. */
int waiting_read(struct arena *a, struct waiting **ret, uint32_t *n, struct err *err);

#endif
