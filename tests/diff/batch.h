/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batch.h - some hundred expressions in one BPF program, run by BPF_PROG_TEST_RUN: each leaves its value, or that it is
 * unknown, in a map. The arguments of the imagined probe are in a struct pt_regs in that map too.
 */
#ifndef TESTS_DIFF_BATCH_H
#define TESTS_DIFF_BATCH_H

#include "lib/arena.h"
#include "rules/kbtf.h"
#include "rules/rule.h"
#include "tests/diff/memory.h"

#define BATCH 400		/* expressions */
#define REGS 32
#define UNKNOWN 1

/* What the program and the test share; the map's value. */
struct shared {
	uint64_t base;		/* address of memory in the kernel, written by the program */
	uint64_t regs[REGS];
	uint64_t results[2 * BATCH];	/* value, then 0 or UNKNOWN */
	uint64_t memory[MEMORY_SIZE / 8];
};

/* One expression, checked against both layouts. */
struct subject {
	const char *text;	/* of the rule */
	const char *c;		/* as C has it, or NULL */
	struct rule_set *here;	/* against the layout that it is compiled for */
	struct rule_set *there;	/* against the layout that it runs on */
};

struct batch {
	struct bpf_object *object;
	int prog;
	struct shared *shared;	/* mapped */
};

/* Compile and load; prints what fails and returns -1. btf: path of the layout that it runs on. */
int batch_load(struct arena *a, struct kbtf *here, const char *btf, const struct subject *subjects, uint32_t n,
	       struct batch *ret);

/* Evaluate all. */
int batch_run(struct batch *b);

void batch_unload(struct batch *b);

#endif
