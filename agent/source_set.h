/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source_set.h - from what the user names on the command line to an object in memory: rule files are compiled
 * together, a compiled set is read.
 */
#ifndef AGENT_SOURCE_SET_H
#define AGENT_SOURCE_SET_H

#include "lib/buf.h"
#include "lib/err.h"

struct arena;
struct kbtf;

/*
 * 0: out holds an object. 1: the rules have errors, printed on stderr (as JSON if asked). Negative: err.
 */
int source_set_read(struct arena *a, char *const files[], int n, struct kbtf *kbtf, bool json, struct buf *out,
		    struct err *err);

/* Is it a compiled set (an ELF file), by its first bytes? */
bool source_is_object(const char *path);

#endif
