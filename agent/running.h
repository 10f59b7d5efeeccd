/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * running.h - which sets run here: one file each in /run/deadfall/sets, written by `run`, read by `status` and `list`.
 *
 * The file names the set's maps by id, so that its counters can be read whether or not its agent answers.
 */
#ifndef AGENT_RUNNING_H
#define AGENT_RUNNING_H

#include "agent/load.h"

#define STATE_DIR "/run/deadfall/sets"

struct running {
	char path[256];
	uint32_t pid;
	struct set_info info;
	const char *manifest;
	int ctl_fd, stats_fd, rules_fd, fires_fd;	/* maps; negative: gone */
	uint32_t functions;
	const char *armed_text;				/* why armed or not, as run said it */
};

/* Announce a loaded set. path receives the file's name, to be removed at the end. */
int running_write(const struct loaded *s, const char *manifest, const char *armed_text, char *path, size_t size,
		struct err *err);

/*
 * Read all running sets; files of sets that are gone are removed. The caller closes with running_close.
 * *ret is in the arena.
 */
int running_read(struct arena *a, struct running **ret, uint32_t *n, struct err *err);
void running_close(struct running *sets, uint32_t n);

/* Sum an event's counters over all CPUs. */
int running_stats(const struct running *r, uint32_t event, struct df_stats *ret);

#endif
