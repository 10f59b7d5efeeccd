/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source_set.h - from what the user names on the command line to objects in memory: rule files are compiled, a compiled
 * set is read.
 *
 * Rules are compiled together, and make one set; but those with an event that waits for a module (when: module-loads)
 * cannot be compiled before that module's types are there. So they are parts of their own, a part for each group of
 * rules that depend on each other.
 */
#ifndef AGENT_SOURCE_SET_H
#define AGENT_SOURCE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct arena;
struct kbtf;

/* What the user named. */
struct sources {
	char *const *files;
	int n;
	bool json;			/* diagnostics */
	bool plain;			/* the object: --plain of `deadfall compile` */
	uint64_t memory;		/* kernel memory that the rules may take, bytes (rules/memory.h); 0: not asked */
};

/* Rules that make a set. */
struct source_part {
	const char **rules;		/* names; NULL: all there are */
	uint32_t nrules;
};

struct source_parts {
	struct source_part *items;	/* those that can start now, if any, are the first */
	uint32_t n;
	bool json;
	struct source **texts;		/* what was read: a part is compiled from that, whatever becomes of the files */
	uint32_t ntexts;
	const struct buf *object;	/* or the compiled set */
};

/*
 * 0: out holds an object of all rules. 1: the rules have errors, printed on stderr. Negative: err.
 * parts NULL: no rule may wait, which is an error of the rules. Else the parts live as long as the arena.
 */
int source_set_read(struct arena *a, const struct sources *src, struct kbtf *kbtf, struct buf *out,
		    struct source_parts *parts, struct err *err);

/* The object of one part. Returns as above; what is wrong now was not when all was read, and is printed. */
int source_set_part(struct arena *a, const struct source_parts *parts, const struct source_part *part, struct kbtf *kbtf,
		    struct buf *out, struct err *err);

/* Is it a compiled set (an ELF file), by its first bytes? */
bool source_is_object(const char *path);

#endif
