/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * told.h - a match that is only logged: to the agent go the verdict, its event, and before them the events of the match's
 * earlier steps, as far as the rule's message speaks of them.
 *
 * Steps are pinned, so they are among the pinned events of their key. These are looked through without the key's lock, as a
 * reader of a dump would do it: a list's nodes are never given back, only used again, and a node that gets another
 * event has its sequence number changed first. So what is copied, and still has its number afterwards, is whole. What is
 * not found, or finds no room in the ring buffer, is counted: df_ctl.untold.
 */
#ifndef BPF_TOLD_H
#define BPF_TOLD_H

#include "bpf/verdict.h"

#define TOLD_NODES 256		/* pinned events that are looked at */

/*
 * What a look through the pinned events needs. All that changes is in the record, in map memory, which the verifier does
 * not follow: on the stack each number of events found would be a path of its own.
 */
struct told_walk {
	struct df_rec *r;
};

/* 1 if they are the same, without a branch: each would double the paths. */
static __always_inline __u32 is_same(__u64 a, __u64 b)
{
	__u64 d = a ^ b;

	barrier_var(d);
	return ((d | -d) >> 63) ^ 1;
}

/* An event's struct df_event, with its payload behind it, is copied to the agent. */
static __always_inline bool told_send(__u64 event, __u64 seq)
{
	struct df_told *t = bpf_ringbuf_reserve(&df_out, sizeof(*t), 0);
	__u32 words = df_cfg_words;
	__u64 now = 0;

	if (!t)
		return false;
	if (words > DF_WORDS)
		words = DF_WORDS;
	t->note.kind = DF_NOTE_STEP;
	t->note.index = 0;
	if (bpf_probe_read_kernel(&t->e, sizeof(t->e), (void *)event) ||
	    bpf_probe_read_kernel(t->w, words * 8, (void *)(event + sizeof(struct df_event))) ||
	    bpf_probe_read_kernel(&now, sizeof(now), (void *)event) || t->e.seq != seq || now != seq) {
		bpf_ringbuf_discard(t, 0);
		return false;
	}
	bpf_ringbuf_submit(t, 0);
	return true;
}

/* The event there, if it is one of the steps. */
static __always_inline void told_look(struct df_rec *r, __u64 event)
{
	__u64 seq = 0;
	__u32 is_step = 0;

	if (bpf_probe_read_kernel(&seq, sizeof(seq), (void *)event) || !seq)
		return;
#pragma unroll
	for (__u32 i = 0; i < DF_STEPS; i++)
		is_step |= is_same(r->step[i], seq) & r->tells >> i;
	if (is_step & 1 && told_send(event, seq))
		r->told++;
}

/* Which steps the message speaks of, beside the event that the verdict's note has anyway. How many? */
static __always_inline __u32 told_begin(struct df_rec *r, __u32 rule_index)
{
	struct df_rule *rule = bpf_map_lookup_elem(&df_rules, &rule_index);
	__u32 n = 0;

	r->told = 0;
	r->tells = 0;
	if (!rule)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < DF_STEPS; i++) {
		__u32 known = is_same(r->step[i], 0) | is_same(r->step[i], r->seq);
		__u32 wanted = rule->tells >> i & (known ^ 1) & 1;

		r->tells |= wanted << i;
		n += wanted;
	}
	return n;
}

static __always_inline void told_end(const struct df_rec *r, __u32 wanted)
{
	if (r->told < wanted)
		__sync_fetch_and_add(&df_ctl.untold, wanted - r->told);
}

/* The verdict and its event to the agent; where there is no room for that, the verdict's number. */
static __always_inline void tell(const struct df_rec *r, __u32 rule, __u32 verdict)
{
	struct df_said *s = bpf_ringbuf_reserve(&df_out, sizeof(*s), 0);

	if (!s) {
		note(DF_NOTE_FIRE, VERDICT_INDEX(verdict));
		return;
	}
	s->note.kind = DF_NOTE_FIRE;
	s->note.index = VERDICT_INDEX(verdict);
	s->rule = rule;
	s->act = VERDICT_ACT(verdict);
	bpf_probe_read_kernel(&s->rec, sizeof(s->rec), r);
	bpf_ringbuf_submit(s, 0);
}

#endif
