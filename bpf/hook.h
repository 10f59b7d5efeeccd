/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook.h - what generated code calls, and the programs that call generated code.
 *
 * All rules of a set share one program and one link per probe kind: each further link costs every function that
 * has two (some 50 instructions a link). An event is compiled to a *body*; the function's cookie says which run:
 *
 *	high 32 bits 0		the low 32 bits are the number of the one body
 *	high 32 bits n > 0	n bodies, their numbers in df_dispatch from the low 32 bits on
 *
 * A set with a single body of a kind needs no cookie: its program is the body.
 *
 * Functions that generated code calls are hidden, so that the verifier checks them with their caller: as global
 * functions their context argument would be checked on its own, and refused.
 */
#ifndef BPF_HOOK_H
#define BPF_HOOK_H

#include "bpf/context.h"
#include "bpf/set.h"
#include "bpf/text.h"
#include "bpf/usdt.h"

#define MAX_BODIES 4096
#define NO_BODIES ~0ULL

/*
 * What engines attach to. Not inlined, and its argument used, so that the call exists and carries it.
 */
__hidden __attribute__((noinline)) int df_hit(__u32 prog)
{
	asm volatile("" ::"r"(prog));
	return 0;
}

/* An event's body begins: its counters, one more seen. A struct df_stats *, or NULL. */
__hidden __attribute__((noinline)) __u64 df_begin(__u32 event)
{
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &event);

	if (st)
		st->seen++;
	return (__u64)st;
}

/* The record of a program: a struct df_rec *, or NULL. */
__hidden __attribute__((noinline)) __u64 df_record(__u32 prog)
{
	return (__u64)bpf_map_lookup_elem(&df_scratch, &prog);
}

/* Generated, for every kind (empty where a set has no such probe): run body number `body` of a kind. */
typedef int df_run_fn(void *ctx, __u32 body);
extern df_run_fn df_run_kprobe;
extern df_run_fn df_run_kretprobe;
extern df_run_fn df_run_usdt;

struct dispatch {
	void *ctx;
	__u32 first;
	__u32 pad;
};

/* The bodies of what was hit: kprobes carry them in the cookie, a USDT site has them in its entry. */
static __always_inline __u64 bodies_of_function(void *ctx)
{
	return bpf_get_attach_cookie(ctx);
}

static __always_inline __u64 bodies_of_site(void *ctx)
{
	struct df_usdt_site *site = usdt_site(ctx);

	return site ? site->cookie : NO_BODIES;
}

#define HOOK(kind, section, bodies_of)                                                                             \
	static long dispatch_##kind(__u32 i, struct dispatch *d)                                                   \
	{                                                                                                          \
		__u32 at = d->first + i;                                                                           \
		__u32 *body = bpf_map_lookup_elem(&df_dispatch, &at);                                              \
		if (body)                                                                                          \
			df_run_##kind(d->ctx, *body);                                                              \
		return 0;                                                                                          \
	}                                                                                                          \
	SEC(section) int df_hook_##kind(struct pt_regs *ctx)                                                       \
	{                                                                                                          \
		__u64 cookie = bodies_of(ctx);                                                                     \
		__u32 n = cookie >> 32;                                                                            \
		if (cookie == NO_BODIES)                                                                           \
			return 0;                                                                                  \
		if (!n) {                                                                                          \
			df_run_##kind(ctx, (__u32)cookie);                                                         \
		} else {                                                                                           \
			struct dispatch d = { .ctx = ctx, .first = (__u32)cookie };                                \
			bpf_loop(n < MAX_BODIES ? n : MAX_BODIES, dispatch_##kind, &d, 0);                         \
		}                                                                                                  \
		return 0;                                                                                          \
	}

HOOK(kprobe, "?kprobe.multi", bodies_of_function)
HOOK(kretprobe, "?kretprobe.multi", bodies_of_function)
HOOK(usdt, "?uprobe", bodies_of_site)

#endif
