/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late.h - constants that only the target kernel decides: addresses of symbols, where a function's code is, what the
 * configuration has, the version. They are words of read-only data (df_late), which the agent fills in before the set
 * is loaded (agent/late.c), from the list in the manifest; the verifier then knows them and drops what cannot run.
 */
#ifndef RULES_LATE_H
#define RULES_LATE_H

#include <stdint.h>

#include "rules/source.h"

struct arena;

enum late_kind {
	LATE_SYMBOL,	/* one word: address of a function or variable; 0 if it may be absent and is */
	LATE_FUNC,	/* one word: 1 if there is such a function */
	LATE_CODE,	/* LATE_CODE_WORDS: number of parts, then begin and end of each (bpf/text.h) */
	LATE_KCONFIG,	/* one word: 1 for y and m, the value of a number, 0 for what is not set */
	LATE_VERSION,	/* one word: KERNEL_VERSION() */
	LATE_FILTERED,	/* one word: 1 if the set of this number (as text) has a Bloom filter in front */
	LATE_KINDS
};

#define LATE_CODE_RANGES 8
#define LATE_CODE_WORDS (1 + 2 * LATE_CODE_RANGES)

struct late {
	enum late_kind kind;
	const char *name;
	struct span span;	/* first use */
	uint32_t rule;
	uint32_t word;		/* in df_late */
};

struct lates {
	struct late *items;
	uint32_t n, words;
};

/* The place in df_late of a constant, which is added if it is new. */
uint32_t late_word(struct arena *a, struct lates *lates, enum late_kind kind, const char *name, struct span span,
		   uint32_t rule);

/* As the manifest has it: "symbol", "func", ... */
const char *late_kind_name(enum late_kind kind);

#endif
