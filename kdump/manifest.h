/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manifest.h - what a compiled set says of itself (docs/manifest.md), as plain data.
 *
 * The text is untrusted: it comes from a dump or an object file. Strings and arrays live in the arena given.
 */
#ifndef KDUMP_MANIFEST_H
#define KDUMP_MANIFEST_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

enum value_type {
	VALUE_UINT,
	VALUE_INT,
	VALUE_BOOL,
	VALUE_PTR,
	VALUE_ENUM,
	VALUE_STR,	/* bytes up to the first NUL */
	VALUE_BYTES,
};

/* enum value_type of its name in the manifest; names not known are VALUE_UINT. */
enum value_type value_type_of(const char *name);
const char *value_type_name(enum value_type type);

/* Words of a frame of a user stack (struct bpf_stack_build_id), and of a branch (struct perf_branch_entry). */
#define MF_FRAME_WORDS 4
#define MF_BRANCH_WORDS 3

struct mf_enumerator {
	int64_t value;
	const char *name;
};

struct mf_field {
	const char *name;
	enum value_type type;
	uint32_t size;		/* bytes */
	uint32_t word;		/* first payload word */
	bool user;		/* read from user memory, or registers of a user program */
	bool is_error;		/* a return value: what is negative is an error number */
	struct mf_enumerator *values;
	size_t nvalues;
};

struct mf_probe {
	const char *kind, *pattern, *module;	/* module may be NULL */
};

struct mf_event {
	const char *name;
	uint32_t rule;
	uint32_t line;		/* in the rule file, 0: not known */
	struct mf_probe *probes;
	size_t nprobes;
	struct mf_field *fields;
	size_t nfields;
	int owner;		/* of a balance's down: the field that is its owner as well, or -1 */
	int mask_word;		/* payload word that says which fields are unknown, or -1 */
	int ustack_word, lbr_word;	/* where they begin, or -1 */
	uint32_t ustack_depth, lbr_depth;	/* frames and branches at most; behind a word with their number */
};

struct mf_key_part {
	enum value_type type;
	const char *text;	/* the expression */
};

struct mf_step {
	const char *label;
	uint32_t event;
};

/* What a lifecycle may detect (kdump/detected.h). */
struct mf_fault {
	const char *name, *words;
	uint32_t *events;	/* at one of these ... */
	size_t nevents;
	const char *freed;	/* ... and the free that the verdict remembers is "before" it, "now", or there is none: "never" */
};

struct mf_rule {
	const char *name, *about, *file, *source;
	uint32_t last, pins, keys;
	struct mf_key_part *key;
	size_t nkey;
	const char *match;	/* kind: "sequence", ... */
	const char **states;
	size_t nstates;
	struct mf_step *steps;
	size_t nsteps;
	struct mf_fault *faults;
	size_t nfaults;
	int window;		/* parameter number, or -1 */
	const char *message;	/* template of the first action that has one, or NULL */
	const char *on_loss;
	uint64_t act;		/* DF_ACT_*: what it may do, of df_rules */
};

/* A table of keys with its automaton; a rule's own, its owners, groups, further tables. */
struct set_reach {
	uint64_t entered;	/* times that a key came into the state */
	uint64_t late, refused;	/* there the awaited event came out of its time, or its condition over steps did not hold */
};

struct mf_machine {
	uint32_t rule, slots, last, pins;
	const char *name;		/* "owners", "groups", of a further table its name; NULL: the rule's own */
	const char *tier;		/* "cpu", "rule": history of a CPU, of the whole rule; else NULL */
	const char **states;
	size_t nstates;
	struct set_reach *reach;	/* by state, from the dump (set_reach.c); NULL: not known */
};

struct mf_param {
	const char *name, *kind;
	uint32_t rule;
	uint64_t value;
};

struct manifest {
	const char *set, *version, *kernel;
	uint32_t key_parts, words;
	struct mf_rule *rules;
	size_t nrules;
	struct mf_event *events;
	size_t nevents;
	struct mf_param *params;
	size_t nparams;
	struct mf_machine *machines;	/* by df_key.table - 1 */
	size_t nmachines;
};

/*
 * Blank what may come from user space in an event's payload of `words` words: fields that are, and strings and raw
 * bytes whatever they are of, for the kernel's buffers hold users' data too. The fields become unknown.
 */
void mf_event_scrub(const struct mf_event *e, uint8_t *payload, size_t words);

/*
 * Parse len bytes of text; what follows the first NUL is ignored. *ret is in the arena. Missing members get empty
 * defaults, so that readers need not check; ERR_CORRUPT: no JSON, or the wrong shape.
 */
int manifest_parse(struct arena *a, const char *text, size_t len, struct manifest **ret, struct err *err);

#endif
