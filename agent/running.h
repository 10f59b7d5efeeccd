/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * running.h - which sets run here: one file each in /run/deadfall/sets, written by `run`, read by `status` and `list`.
 *
 * The file names the set's maps by id, so that its counters can be read whether or not its agent answers.
 */
#ifndef AGENT_RUNNING_H
#define AGENT_RUNNING_H

#include "agent/load.h"

#define SETS_DIR "/run/deadfall/sets"

struct running {
	char path[256];
	uint32_t pid;
	struct set_info info;
	const char *manifest;
	int ctl_fd, stats_fd, rules_fd, fires_fd, reach_fd;	/* maps; negative: gone */
	int params_fd, losses_fd, in_fd, sets_fd, bloom_fd;
	int drain_fd;					/* the program that applies commands */
	uint32_t ctl_id;				/* of the control map */
	bool dry_run;					/* arming it lets rules log, not panic */
	uint32_t functions;
	uint64_t memory;				/* kernel memory it takes at most, bytes */
	struct probed_module *modules;			/* whose functions it probes */
	uint32_t nmodules;
	const char *armed_text;				/* why armed or not, as run said it */
};

/* Announce a loaded set, one of several of this process perhaps: number tells them apart. path receives the file's name, to be removed at the end. */
int running_write(struct arena *a, const struct loaded *s, const struct attach_plan *plan, const char *manifest, const char *armed_text,
		  bool dry_run, uint32_t number, char *path, size_t size, struct err *err);

/* Call fn for each file there whose name ends so. */
int each_set_file(const char *suffix, void (*fn)(const char *path, void *arg), void *arg, struct err *err);

/*
 * Read all running sets; files of sets that are gone are removed. The caller closes with running_close.
 * *ret is in the arena.
 */
int running_read(struct arena *a, struct running **ret, uint32_t *n, struct err *err);
void running_close(struct running *sets, uint32_t n);

/* A set as users name it: by its name, its agent's process id, or NAME@PID. */
struct set_name {
	const char *set;
	uint32_t pid;
};

/*
 * Which of these is meant by the name; NULL: the only one there is. Its index, or -1 and ERR_ENVIRONMENT if none or several
 * fit, with what there is. by_agent: several of one agent are one.
 */
int set_by_name(const struct set_name *all, uint32_t n, const char *name, bool by_agent, struct err *err);

/* The same of sets that run; NULL: err. */
struct running *running_find(struct running *sets, uint32_t n, const char *name, struct err *err);

/* Sum an event's counters, in a set's df_stats, over all CPUs. */
int stats_read(int fd, uint32_t event, struct df_stats *ret);

#endif
