/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracers.h - tracing programs that are attached to kernel functions already: by other tools, and by other sets. */
#ifndef AGENT_TRACERS_H
#define AGENT_TRACERS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/kbtf.h"

struct arena;

/* The kernel's BPF_MAX_TRAMP_LINKS: so many at one function. */
#define TRACERS_MAX 38

/* A function as the kernel's links name it: its BTF object and its type there. */
struct tracer {
	uint32_t btf, func;
};

/* {0} before the first use; memory is the arena's. */
struct tracers {
	struct tracer *items;
	uint32_t n;
	bool read;
	const char *module;	/* of the function asked for last ... */
	uint32_t btf;		/* ... the BTF object; 0: none was asked for yet, or it has none */
};

/* How many are at this function? The kernel's links are read once. What cannot be read is not there. */
uint32_t tracers_at(struct arena *a, struct tracers *t, const struct kbtf_func *f);

#endif
