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
 * Tracing programs (fentry, fexit, tp_btf) attach to one function each and may use lists and locks. There every
 * body is a program of its own, loaded once for each function, which calls the engine by df_direct; none of them
 * is here.
 *
 * Functions that generated code calls are hidden, so that the verifier checks them with their caller: as global
 * functions their context argument would be checked on its own, and refused.
 */
#ifndef BPF_HOOK_H
#define BPF_HOOK_H

#include "bpf/context.h"
#include "bpf/engine_list.h"
#include "bpf/engine_ring.h"
#include "bpf/saved.h"
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

/*
 * A number in kernel memory, of exactly so many bytes, by a plain load where the kernel has it: a fraction of what the helper
 * costs. 0 where it has not, and where there is nothing to read (the kernel catches the fault, and leaves addresses of user
 * space alone): who gets 0 asks the helper.
 */
__hidden __attribute__((noinline)) __u64 df_peek(__u64 address, __u32 size)
{
	const void *p;

	if (!df_has.casts)
		return 0;
	p = bpf_rdonly_cast((void *)address, bpf_core_type_id_kernel(struct timespec64));
	if (size == 8)
		return *(const __u64 *)p;
	if (size == 4)
		return *(const __u32 *)p;
	if (size == 2)
		return *(const __u16 *)p;
	return size == 1 ? *(const __u8 *)p : 0;
}

/* An event of the rule is not recorded. */
__hidden __attribute__((noinline)) int df_lose(__u32 rule)
{
	loss(rule);
	return 0;
}

/* A kernel stack as one number, to group by: of the n frames in the record from word `first` on. */
__hidden __attribute__((noinline)) __u64 df_stack_hash(void *rec, __u32 first, __u32 n)
{
	struct df_rec *r = rec;
	__u64 h = 0;

	for (__u32 i = 0; i < DF_STACK_DEPTH && i < n; i++) {
		__u32 at = first + i;

		if (at >= DF_WORDS)
			break;
		barrier_var(at);
		if (at >= DF_WORDS)
			break;
		h = DF_HASH_WORD(h, r->w[at]);
	}
	return DF_HASH_END(h);
}

/*
 * A record for a program that may be interrupted by another of its kind: the first that is free. A struct df_rec *,
 * whose `busy` the caller clears at the end, or NULL.
 */
__hidden __attribute__((noinline)) __u64 df_take(void)
{
	for (__u32 i = 0; i < DF_NESTED; i++) {
		__u32 slot = DF_PROGS + i;
		struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &slot);

		if (r && !__sync_lock_test_and_set(&r->busy, 1)) {
			r->slot = DF_PROGS + i;
			return (__u64)r;
		}
	}
	return 0;
}

/*
 * The engine, for programs that may call it: tracing programs. Where the kernel has no lists the agent swaps the two
 * symbols before it loads the set (a condition would not do: the verifier looks at callbacks of dead code as well).
 * Global, so that it is verified once (some 130,000 steps) and not again for each state that it is called in.
 */
__attribute__((noinline)) int df_direct(__u32 slot)
{
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &slot);

	if (r)
		engine_list(r, slot);
	return 0;
}

__attribute__((noinline)) int df_direct_ring(__u32 slot)
{
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &slot);

	if (r)
		engine_ring(r, slot);
	return 0;
}

/* The question's record, filled; NULL if none is free. */
static __always_inline struct df_rec *question(struct df_query *q, __u32 n)
{
	struct df_rec *r = (struct df_rec *)df_take();

	if (!r)
		return NULL;
	r->flags = DF_ASK;
	r->event = q->guard;
	r->machine = q->max;
	r->val_bad = q->bad;
	r->ops = -1;
	r->key.table = q->table;
	r->key.pad = 0;
#pragma unroll
	for (__u32 i = 0; i < DF_KEY_PARTS; i++) {
		r->key.part[i] = i < n ? q->w[i] : 0;
		r->val[i] = r->key.part[i];
	}
	return r;
}
_Static_assert(DF_KEY_PARTS == DF_VALS, "question");

/* live() and any_live(): 1 yes, 0 no, negative unknown. n words follow the query. */
__hidden __attribute__((noinline)) int df_ask(void *query, __u32 n)
{
	struct df_rec *r = question(query, n);
	int answer;

	if (!r)
		return -1;
	df_hit(r->slot);
	answer = r->ops;
	r->busy = 0;
	return answer;
}

/* The same for programs that call the engine themselves. */
__hidden __attribute__((noinline)) int df_ask_direct(void *query, __u32 n)
{
	struct df_rec *r = question(query, n);
	int answer;

	if (!r)
		return -1;
	df_direct(r->slot);
	answer = r->ops;
	r->busy = 0;
	return answer;
}

/* An event waits, in a program that may not take locks: its engine does it. */
__hidden __attribute__((noinline)) int df_delay_hit(__u32 event, __u32 rule, __u32 ns)
{
	struct df_rec *r = (struct df_rec *)df_take();
	struct df_stats *st;

	if (!r) {
		st = bpf_map_lookup_elem(&df_stats, &event);
		if (st)
			st->delay_often++;
		return 0;
	}
	delay_ask(r, event, rule, ns);
	df_hit(r->slot);
	r->busy = 0;
	return 0;
}

/* Generated, for every kind (empty where a set has no such probe): run body number `body` of a kind. */
typedef int df_run_fn(void *ctx, __u32 body);
extern df_run_fn df_run_kprobe;
extern df_run_fn df_run_kretprobe;
extern df_run_fn df_run_session;
extern df_run_fn df_run_usdt;
extern df_run_fn df_run_uprobe;
extern df_run_fn df_run_tracepoint;
extern df_run_fn df_run_perf;

struct dispatch {
	void *ctx;
	__u32 first;
	__u32 pad;
};

/* The bodies of what was hit: links carry them in the cookie, a USDT site has them in its entry. */
static __always_inline __u64 bodies_of_link(void *ctx, __u32 hook)
{
	return bpf_get_attach_cookie(ctx);
}

static __always_inline __u64 bodies_of_function(void *ctx, __u32 hook)
{
	__u64 key;
	__u32 at;

	if (!df_places_at.mask)
		return bpf_get_attach_cookie(ctx);
	key = DF_PLACE_KEY(hook, bpf_get_func_ip(ctx));
	at = key * df_places_at.seed >> df_places_at.shift;
	for (int i = 0; i < DF_PLACE_TRIES; i++) {
		__u32 slot = (at + i) & df_places_at.mask;
		const struct df_place *p = bpf_map_lookup_elem(&df_places, &slot);

		if (p && p->key == key)
			return p->bodies;
	}
	return df_places_at.left_out ? bpf_get_attach_cookie(ctx) : NO_BODIES;
}

static __always_inline __u64 bodies_of_site(void *ctx, __u32 hook)
{
	struct df_usdt_site *site = usdt_site(ctx);

	return site ? site->cookie : NO_BODIES;
}

#define HOOK(kind, section, bodies_of, hook)                                                                             \
	static long dispatch_##kind(__u32 i, struct dispatch *d)                                                   \
	{                                                                                                          \
		__u32 at = d->first + i;                                                                           \
		__u32 *body = bpf_map_lookup_elem(&df_dispatch, &at);                                              \
		if (body)                                                                                          \
			df_run_##kind(d->ctx, *body);                                                              \
		return 0;                                                                                          \
	}                                                                                                          \
	SEC(section) int df_hook_##kind(void *ctx)                                                                 \
	{                                                                                                          \
		__u64 cookie = bodies_of(ctx, hook);                                                                     \
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

HOOK(kprobe, "?kprobe.multi", bodies_of_function, DF_PLACE_KPROBE)
HOOK(kretprobe, "?kretprobe.multi", bodies_of_function, DF_PLACE_KRETPROBE)
HOOK(session, "?kprobe.multi/session", bodies_of_function, DF_PLACE_SESSION)
HOOK(usdt, "?uprobe", bodies_of_site, 0)
HOOK(uprobe, "?uprobe", bodies_of_link, 0)
HOOK(tracepoint, "?tracepoint", bodies_of_link, 0)
HOOK(perf, "?perf_event", bodies_of_link, 0)

#endif
