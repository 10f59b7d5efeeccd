/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - the kernel memory of a set: what it takes when it is loaded, what it may take, and the budget.
 *
 * Three parts: maps and programs, the same whatever happens; the keys of each table; the histories of keys. (Sets of
 * values are told beside them: they hold what the user puts there, and do not grow with what happens.) Maps of keys
 * are taken whole when the set is loaded. Where the kernel has lists, histories grow with the events: DF_FLOOR nodes a
 * list are each key's by right, all others are shared, and the budget bounds them (bpf/layout.h). Where it has none,
 * histories are arrays, taken whole as well. So a set fits if `least` does: the rest is what histories may have.
 *
 * Sizes are those that the kernel's allocators hand out (kmalloc's size classes, whole pages), in bytes.
 */
#ifndef RULES_MEMORY_H
#define RULES_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct arena;

#define MEMORY_DEFAULT (64ULL << 20)	/* budget of a set */

/* A table of keys. */
struct memory_table {
	const char *rule, *name;	/* name: of a further table; NULL: the rule's own */
	uint32_t slots, last, pins;
	uint64_t keys;			/* filled in: the keys ... */
	uint64_t least, full;		/* ... with the histories they have by right, and with whole ones */
};

/* What the size depends on. */
struct memory_spec {
	bool lists;			/* the kernel has BPF lists */
	uint32_t cpus;			/* possible ones */
	uint32_t key_parts, words;
	uint32_t nevents, nstates, nrules;
	uint32_t members;		/* of sets of values */
	uint32_t hooks;			/* kinds of probe that share a program */
	uint32_t programs;		/* tracing programs: one for each function of fentry, fexit, rawtp */
	uint32_t functions, singles;	/* probed: by one link for all, by a link each */
	uint64_t text;			/* manifest and tables of automata */
	struct memory_table *tables;
	uint32_t ntables;
};

struct memory {
	uint64_t key, node;		/* one key, one event of a history */
	uint64_t fixed;			/* maps and programs */
	uint64_t keys;			/* maps of keys, and their slack */
	uint64_t least;			/* of the whole set: below it nothing works */
	uint64_t full;			/* with every history of every key whole */
	uint64_t start;			/* taken at once */
	uint64_t sets;			/* sets of values, beside all that */
};

void memory_compute(struct memory_spec *spec, struct memory *ret);

/* Can the set be loaded within the budget? */
bool memory_fits(const struct memory *m, uint64_t budget);

/* List nodes that histories may have beyond DF_FLOOR, within a budget that fits. */
int64_t memory_nodes(const struct memory *m, uint64_t budget);

/* The set as a text of some lines: what it takes, by table. */
void memory_tell(struct buf *out, const struct memory_spec *spec, const struct memory *m, uint64_t budget);

/* The table that takes most. */
const struct memory_table *memory_largest(const struct memory_spec *spec);

/* Of a set that does not fit: what takes most, and what could be changed; in the arena. */
const char *memory_excess(struct arena *a, const struct memory_spec *spec, const struct memory *m, uint64_t budget);
const char *memory_advice(struct arena *a, const struct memory_spec *spec, const struct memory *m, uint64_t budget);

/* "64M", "1G", "65536": bytes. ERR_INVALID. */
int memory_parse(const char *text, uint64_t *bytes, struct err *err);

/* Bytes as people read them: "87.2 MB". */
const char *memory_size(char *text, size_t size, uint64_t bytes);

#endif
