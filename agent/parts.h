/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parts.h - the sets of one `deadfall run`. Rules are armed together, as one set; those that wait for a module are sets of
 * their own, so that the others lose nothing when it comes: a waiting set is compiled, checked against the module's types
 * and armed then. It sleeps until all that it waits for is there, and again when a module that it probes is unloaded (as
 * far as its probes let it go: those of kprobe_multi, fentry and fexit hold it).
 */
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/armed.h"
#include "agent/modwatch.h"

/* A module that an armed part has probes in. */
struct part_module {
	const char *name;
	uint64_t identity;
};

struct part {
	struct source_part src;
	uint32_t number;
	struct arena *a;		/* of what is below; emptied at each try */
	const char *name;		/* of the set */
	enum df_act act;		/* what it is armed as: as run's options say, or as it was when its module went */
	bool is_armed;
	struct armed armed;
	struct wait_target *waits;	/* while it is not */
	const char **wait_events;	/* names of their events, as RULE.EVENT */
	uint32_t nwaits;
	const char *problem;		/* the module came, and yet it could not be armed */
	struct part_module *modules;	/* while it is, if it may wait again */
	uint32_t nmodules;
};

struct parts {
	const struct run_options *opts;
	struct arena *a;
	struct source_parts src;
	struct set_info all;		/* of all rules together */
	struct part *items;
	uint32_t n;
	struct modwatch watch;
	bool retry;			/* a module is still being loaded: look again soon */
	char waiting_path[256];		/* the file that tells `status` who waits, if somebody does */
};

/*
 * Compile, check the guards, and arm what can be; said on stdout, notes on stderr. Returns 0; 1: the rules have errors,
 * which were printed; negative: err. The caller ends with parts_end, also after an error.
 */
int parts_start(struct parts *ps, const struct run_options *o, struct err *err);

/* Modules came or went, or `retry` is due: arm who waited for them, send back who lost them. */
void parts_look(struct parts *ps);

void parts_end(struct parts *ps);

#endif
