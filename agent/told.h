/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * told.h - events of the steps of a match, which the kernel tells before the verdict (bpf/told.h), kept until that comes.
 * Of several sets of steps that come at once, from several CPUs, all are kept; of very many, the last TOLD_MAX.
 */
#ifndef AGENT_TOLD_H
#define AGENT_TOLD_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/layout.h"

#define TOLD_MAX 64

struct told {
	struct df_told items[TOLD_MAX];	/* note.kind 0: none */
	uint32_t next;
};

/* What the ring buffer brought: size bytes. */
void told_add(struct told *t, const void *data, size_t size);

/* The event of that number, or NULL. */
const struct df_told *told_find(const struct told *t, uint64_t seq);

#endif
