/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_ring.h - the engine on kernels without BPF lists (before v6.3): history in an array, a range of nodes for
 * each slot of the eviction clock, used as a ring.
 *
 * The place is reserved under the key's lock and written after it, since no helper may be called under a lock: a
 * node with sequence number 0 is being written, one older than its entry belonged to the slot's previous key. Tasks
 * cannot be held in a map there, so a deadline comes without the stack of the task waited for.
 */
#ifndef BPF_ENGINE_RING_H
#define BPF_ENGINE_RING_H

#include "bpf/engine.h"

static int ring_deadline(void *map, struct df_mkey *key, struct df_state_ring *value);

static __always_inline void ring_start_timer(struct df_state_ring *s, __u64 ns)
{
	bpf_timer_init(&s->timer, &df_keys_ring, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&s->timer, ring_deadline);
	bpf_timer_start(&s->timer, timer_wait(ns), 0);
}

static __always_inline void ring_record(struct df_rec *r, __u32 index, struct df_effect *e)
{
	struct df_ring_node *n = bpf_map_lookup_elem(&df_ring, &index);
	__u32 size = (__u32)r->nwords * 8;

	if (!n) {
		count_event(r, nomem);
		return;
	}
	n->e.seq = 0;
	barrier();
	event_fill(&n->e, r, e->node_flags);
	if (size > df_cfg_words * 8)
		size = df_cfg_words * 8;
	bpf_probe_read_kernel(n->w, size, r->w);
	barrier();
	n->e.seq = r->seq;
	r->recorded++;
}

static __always_inline bool ring_step(struct df_state_ring *s, struct df_rec *r, const struct df_machine *mc,
				      struct df_effect *e, bool is_deadline)
{
	__u32 flags = r->flags, version, at, index;
	__u16 last = mc->last ? mc->last : 1, pins = mc->pins ? mc->pins : 1;
	const struct df_decision *d;
	bool done = false;

	for (int try = 0; try < TRIES && !done; try++) {
		version = s->m.version;
		barrier();
		inherit_generation(&s->m, r, mc);
		at = first_decision(&s->m, r, mc);
		d = decision_get(at);
		if (d && !is_certain(d)) {
			e->near = DF_TEST_NONE;
			at = df_decide(&s->m, r, at);
			d = decision_get(at);
		}
		bpf_spin_lock(&s->lock);
		if (!key_is(s, r) || (is_deadline && !deadline_is(&s->m, r))) {
			bpf_spin_unlock(&s->lock);
			break;
		}
		if (s->m.version != version) {
			bpf_spin_unlock(&s->lock);
			continue;
		}
		done = true;
		touch(&s->m, r, mc, e);
		if (d)
			apply(&s->m, r, mc, d, e);
		s->m.version++;
		index = s->m.first_node;
		if (e->pin)
			index += last + s->m.npinned++ % pins;
		else
			index += s->m.nring++ % last;
		bpf_spin_unlock(&s->lock);
		ring_record(r, index, e);
	}
	r->flags = flags;
	return done;
}

static long ring_look(__u32 i, struct told_walk *w)
{
	__u32 index = w->r->pinned + i;
	struct df_ring_node *n = bpf_map_lookup_elem(&df_ring, &index);

	if (!n || i >= w->r->npinned)
		return 1;
	told_look(w->r, (__u64)&n->e);
	return 0;
}

/* Tell the agent of a verdict, and before that of the match's steps. */
__attribute__((noinline)) int df_ring_tell(struct df_rec *r, __u32 rule, __u32 verdict)
{
	struct told_walk w = { r };
	__u32 wanted;

	if (!r)
		return 0;
	wanted = told_begin(r, rule);
	if (wanted)
		bpf_loop(TOLD_NODES, ring_look, &w, 0);
	told_end(r, wanted);
	tell(r, rule, verdict);
	return 0;
}

static __always_inline void ring_after(struct df_state_ring *s, struct df_rec *r, const struct df_machine *mc,
				       const struct df_effect *e)
{
	__u32 verdict;

	if (e->alive)
		live_add(r->machine, e->alive);
	reached(r, mc, e);
	if (!(e->ops & DF_OP_FIRE))
		return;
	r->pinned = s->m.first_node + (mc->last ? mc->last : 1);
	r->npinned = mc->pins ? mc->pins : 1;
	verdict = df_verdict(r, mc->rule);
	if (verdict)
		df_ring_tell(r, mc->rule, verdict);
}

static long ring_clock(__u32 i, struct clock_walk *w)
{
	return clock_step(&df_keys_ring, __builtin_offsetof(struct df_state_ring, key), i, w);
}

/* The record is looked up again: as an argument of a global function it could not be a map's key on v6.1. */
__attribute__((noinline)) int df_ring_key(__u32 prog)
{
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);

	return r ? key_create(&df_keys_ring, __builtin_offsetof(struct df_state_ring, key), ring_clock, r, prog) : 0;
}

static __always_inline bool ring_pass(struct df_rec *r, __u32 prog)
{
	const struct df_machine *mc = machine_get(r->machine);
	struct df_effect *e;
	struct df_state_ring *s;

	if (!mc || !admit(r, mc->rule))
		return false;
	e = effect_of(r);
	s = bpf_map_lookup_elem(&df_keys_ring, &r->key);
	if (!s) {
		if (!df_ring_key(prog))
			return false;
		s = bpf_map_lookup_elem(&df_keys_ring, &r->key);
	}
	if (!s || !ring_step(s, r, mc, e, false)) {
		count_event(r, raced);
		loss(mc->rule);
		return false;
	}
	if (!e->rest)
		return false;
	if (e->ops & DF_OP_TIMER)
		ring_start_timer(s, e->timer_ns);
	ring_after(s, r, mc, e);
	return follow(r, mc, e);
}

static __always_inline void engine_ring(struct df_rec *r, __u32 prog)
{
	if (r->flags & (DF_ASK | DF_WAIT)) {
		if (r->flags & DF_WAIT)
			delay_answer(r);
		else
			df_ring_ask(prog);
		return;
	}
	current_task(r);
	for (int pass = 0; pass < 2; pass++) {
		if (!ring_pass(r, prog))
			return;
	}
}

/*
 * A timer ran out. The deadline in the entry is the truth: it may have been stopped or moved since. The entry is
 * looked up again, because v6.1's verifier tells locks apart by an id that only a lookup gives.
 */
static int ring_deadline(void *map, struct df_mkey *key, struct df_state_ring *value)
{
	struct df_state_ring *s = bpf_map_lookup_elem(&df_keys_ring, key);
	__u32 prog = DF_PROG_TIMER, event;
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);
	__u64 now = clock_ns(), deadline;
	const struct df_machine *mc;
	struct df_effect *e;
	struct df_stats *st;

	if (!s || !r || df_ctl.frozen)
		return 0;
	mc = machine_get(s->m.machine);
	deadline = s->m.deadline_ns;
	if (!mc || !deadline)
		return 0;
	if (now < deadline) {
		bpf_timer_start(&s->timer, timer_wait(deadline - now), 0);
		return 0;
	}
	event = mc->deadline_event;
	st = bpf_map_lookup_elem(&df_stats, &event);
	if (!st)
		return 0;
	st->seen++;
	deadline_record(r, &s->m, mc, now);
	e = effect_of(r);
	record_key(r, s);
	if (!ring_step(s, r, mc, e, true))
		return 0;
	st->hit++;
	st->recorded += r->recorded;
	if (e->ops & DF_OP_TIMER)
		bpf_timer_start(&s->timer, timer_wait(e->timer_ns), 0);	/* the callback stays */
	ring_after(s, r, mc, e);
	return 0;
}

#endif
