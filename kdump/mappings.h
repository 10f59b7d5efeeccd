/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mappings.h - the executable files that a task had mapped when the kernel died, from its struct mm_struct.
 *
 * Kernels since v6.1 keep them in a maple tree (d4af56c5c7c6 "mm: start tracking VMAs with maple tree").
 */
#ifndef KDUMP_MAPPINGS_H
#define KDUMP_MAPPINGS_H

#include "kdump/kernel.h"
#include "lib/arena.h"

struct mapping {
	uint64_t start, end;	/* addresses */
	uint64_t offset;	/* of start in the file, bytes */
	const char *path;	/* from the root of its file system */
};

struct mappings {
	struct mapping *items;
	size_t count;
	bool incomplete;	/* something on the way could not be read */
};

/* Those of one task (struct task_struct). Fails when it has none, or the tree cannot be read at all. */
int mappings_read(struct kernel *k, struct arena *a, uint64_t task, struct mappings *ret, struct err *err);

/* The mapping at an address, or NULL. */
const struct mapping *mapping_at(const struct mappings *m, uint64_t addr);

/* The one mapping that holds an offset of its file; NULL: none, or several could be meant. */
const struct mapping *mapping_of_offset(const struct mappings *m, uint64_t offset);

#endif
