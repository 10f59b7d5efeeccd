/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracing.h - tracing programs (fentry, fexit, typed tracepoints): one function each, as the kernel has it.
 *
 * What a tracing program attaches to is fixed when it is loaded, so a body that serves many functions is loaded once
 * for each. libbpf loads the first; while it does, with instructions relocated and type information at hand, the
 * others are loaded from the same, each with another function (a handler of program sections, libbpf 0.8).
 */
#ifndef AGENT_TRACING_H
#define AGENT_TRACING_H

#include "agent/load.h"
#include "rules/kbtf.h"

struct tracing;

/* Before the object with these programs is loaded: mark those that the plan needs. */
int tracing_begin(struct arena *a, struct loaded *s, const struct attach_plan *plan, struct tracing **ret,
		  struct err *err);

/* After it was loaded: note the programs that libbpf made. Returns 0. */
int tracing_loaded(struct tracing *t);

/* At last, whether it was loaded or not. */
void tracing_end(struct tracing *t);

/*
 * Does the kernel attach tracing programs to this function? Tried where it takes more arguments than there are registers
 * for (which trampolines cannot pass on before v6.6), variable ones, or structs by value, or returns one.
 */
bool tracing_takes(const struct kbtf_func *f);

/* Attach the programs of hook number h. */
int attach_tracing(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err);

#endif
