/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.h - live() and any_live(): what a condition asks of other live keys.
 *
 * Conditions are evaluated in hooks, which may not touch maps with locks and lists. So the question goes the way of
 * an event: a record with DF_ASK to the engine, which answers in it.
 *
 *	key.table	the table
 *	event		0: is there a live key.part[]?  n: does condition n - 1 (df_guard) hold for one of the live keys?
 *	machine		... of which so many are looked at
 *	val, val_bad	what the condition takes along
 *	ops		the answer: 1 yes, 0 no, -1 unknown
 *	step		while a key is looked at: what the condition asks of it, enum df_live_attr
 */
#ifndef BPF_ASK_H
#define BPF_ASK_H

#include "bpf/keys.h"

/*
 * A key is live from its birth until its death or its eviction; without a birth from its first event, and again from
 * one after its death.
 */
#define key_is_live(m) (!(m).dead && ((m).alive || (!(m).born && !(m).ended)))

#define ASK_LOOKED w[0]		/* keys looked at so far */
#define ASK_UNKNOWN w[1]	/* for some the condition was unknown */

/* The attributes of a live key, for the condition. */
#define ask_describe(r, s, now)                                                                                    \
	do {                                                                                                       \
		(r)->step[DF_LIVE_AGE] = (now) - (s)->m.born_ns;                                                   \
		(r)->step[DF_LIVE_IDLE] = (now) - (s)->m.last_ns;                                                  \
		(r)->step[DF_LIVE_GENERATION] = (s)->m.gen;                                                        \
		(r)->step[DF_LIVE_TID] = (s)->m.last_tid;                                                          \
		(r)->step[DF_LIVE_PID] = (s)->m.last_pid;                                                          \
		(r)->step[DF_LIVE_CPU] = (s)->m.last_cpu;                                                          \
		(r)->step[DF_LIVE_KEY] = (s)->key.part[0];                                                         \
		(r)->step[DF_LIVE_EVENTS] = (s)->m.events;                                                         \
	} while (0)

/* The two flavours differ in the map and in what it holds. */
#define ASK(flavour, map, type)                                                                                    \
	static long flavour##_ask_key(void *keys, struct df_mkey *key, struct type *s, __u32 *prog)                \
	{                                                                                                          \
		struct df_rec *r = bpf_map_lookup_elem(&df_scratch, prog);                                         \
		int answer;                                                                                        \
                                                                                                                   \
		if (!r)                                                                                            \
			return 1;                                                                                  \
		if (s->key.table != r->key.table || !key_is_live(s->m))                                            \
			return 0;                                                                                  \
		if (r->ASK_LOOKED++ >= r->machine) {                                                               \
			r->ASK_UNKNOWN = 1;                                                                        \
			return 1;                                                                                  \
		}                                                                                                  \
		ask_describe(r, s, r->ns);                                                                         \
		answer = df_guard(r->event - 1, r, &s->m);                                                         \
		if (answer < 0)                                                                                    \
			r->ASK_UNKNOWN = 1;                                                                        \
		if (answer <= 0)                                                                                   \
			return 0;                                                                                  \
		r->ops = 1;                                                                                        \
		return 1;                                                                                          \
	}                                                                                                          \
                                                                                                                   \
	__attribute__((noinline)) int df_##flavour##_ask(__u32 prog)                                               \
	{                                                                                                          \
		struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);                                        \
		struct type *s;                                                                                    \
                                                                                                                   \
		if (!r)                                                                                            \
			return 0;                                                                                  \
		if (!r->event) {                                                                                   \
			s = bpf_map_lookup_elem(&map, &r->key);                                                    \
			r->ops = s && key_is_live(s->m);                                                           \
			return 0;                                                                                  \
		}                                                                                                  \
		r->ops = 0;                                                                                        \
		r->ns = bpf_ktime_get_ns();                                                                        \
		r->ASK_LOOKED = r->ASK_UNKNOWN = 0;                                                                \
		bpf_for_each_map_elem(&map, flavour##_ask_key, &prog, 0);                                          \
		if (!r->ops && r->ASK_UNKNOWN)                                                                     \
			r->ops = -1;                                                                               \
		return 0;                                                                                          \
	}

ASK(list, df_keys, df_state)
ASK(ring, df_keys_ring, df_state_ring)

#endif
