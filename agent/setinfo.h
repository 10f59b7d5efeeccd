/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setinfo.h - what the agent needs of a compiled set's manifest, as plain data.
 */
#ifndef AGENT_SETINFO_H
#define AGENT_SETINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

struct info_probe {
	const char *kind;	/* "kprobe", "usdt", ... */
	const char *text;	/* as the rule has it */
	const char *pattern, *module, *target, *provider;	/* NULL where the kind has none */
	const char *returns;	/* only functions that return this type; NULL: any */
	const char *record;	/* tracepoint: the struct that its code reads, trace_event_raw_CLASS */
	uint64_t rate;						/* interval: ns; profile: Hz */
};

struct info_arg {
	const char *name;	/* NULL: by number */
	uint32_t number;
	const char *record;	/* tracepoint: the member of its record */
};

struct info_event {
	const char *name;
	uint32_t rule;
	uint32_t line;
	bool optional, wait_module;
	uint64_t delay_ns;
	struct info_probe *probes;
	uint32_t nprobes;
	struct info_arg *args;
	uint32_t nargs;
	const char **clauses;		/* parts of its condition that are counted each */
	uint32_t nclauses;
};

/* A table with its automaton. */
struct info_machine {
	const char *name;		/* of a further table; NULL: its rule's own */
	uint32_t rule;
	uint32_t slots, last, pins;
	uint32_t first_state;		/* in df_reach */
	const char **states;
	uint32_t nstates;
};

struct info_rule {
	const char *name, *file;
	bool panics;			/* has a panic action */
	const char *kdump;		/* guard: "required", "tested", "optional" */
	bool needs_dump;		/* not "optional", and not forced */
	uint64_t max_panics, per_ns, after_ns;
	uint64_t cooldown_ns;
	uint32_t every;
	uint32_t on_loss;		/* enum df_on_loss */
	uint32_t table, last, keys;
	uint32_t nkey;			/* parts of its key */
	uint32_t signal, stop;		/* actions: 0 none */
	uint32_t first_flag, nflags;	/* df_rule */
	uint32_t tells;			/* steps that its message speaks of, by bit */
};

struct info_hook {
	const char *name;
	const char *program;	/* NULL: tracing programs, one for each body */
	uint32_t bodies;
};

/* An instruction that loads an argument from a register: patched to the target's position. */
struct info_patch {
	const char *func;
	uint32_t insn, arg;
};

struct info_body {
	uint32_t hook, number, event;
	const char *program;		/* of a tracing hook */
	bool save;			/* only keeps values of the entry for the return */
	uint8_t *pos;			/* of each argument of the event, as compiled; npos 0: fixed */
	uint32_t npos;
	struct info_patch *patches;
	uint32_t npatches;
};

struct info_param {
	const char *name;
	uint32_t rule;
	const char *kind;	/* "int", "duration", "size", "str" */
	uint64_t value;		/* as compiled */
};

/* A constant that this kernel decides (rules/late.h). */
struct info_late {
	const char *kind, *name;
	uint32_t rule, line, word;
};

/* A set of numbers that rules ask by `in $name`. */
struct info_members {
	const char *name, *file;	/* file: NULL if none */
	uint32_t max;
	uint64_t *values;
	uint32_t nvalues;
};

struct set_info {
	const char *name;
	/* for tests, and not in the manifest: time is df_ctl.test_ns; history in arrays as on kernels without lists */
	bool test_clock, test_arrays;
	/* set by agent/budget.h: list nodes that histories share, no limit before; bytes that the set takes at most */
	int64_t nodes_left;
	uint64_t memory;
	size_t manifest_len;
	uint32_t slots, nodes, words, key_parts, nmachines;
	struct info_machine *machines;
	uint32_t nstates;		/* of all machines */
	struct info_rule *rules;
	uint32_t nrules;
	struct info_param *params;	/* by number */
	uint32_t nparams;
	struct info_event *events;
	uint32_t nevents;
	struct info_hook *hooks;
	uint32_t nhooks;
	struct info_body *bodies;
	uint32_t nbodies;
	struct info_late *lates;
	uint32_t nlates, late_words;
	struct info_members *sets;
	uint32_t nsets;
};

/*
 * Parse a manifest; all of it lives in the arena. Every number that indexes something is checked.
 * Errors: ERR_CORRUPT, ERR_UNSUPPORTED (a later version of the format).
 */
int set_info_parse(struct arena *a, const char *text, size_t len, struct set_info *ret, struct err *err);

#endif
