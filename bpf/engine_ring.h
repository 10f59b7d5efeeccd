/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_ring.h - the engine on kernels without BPF lists (before v6.3): history in an array, a range of nodes for
 * each slot of the eviction clock, used as a ring.
 *
 * The place is reserved under the key's lock and written after it, since no helper may be called under a lock: a
 * node with sequence number 0 is being written, one older than its entry belonged to the slot's previous key.
 */
#ifndef BPF_ENGINE_RING_H
#define BPF_ENGINE_RING_H

#include "bpf/engine.h"

static __always_inline void engine_ring(struct df_rec *r, __u32 prog)
{
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &r->event);
	struct df_state_ring *s;
	struct df_ring_node *n;
	__u32 t, place, index;
	__u64 window;

	if (!st || !admit(r, st))
		return;
	s = bpf_map_lookup_elem(&df_keys_ring, &r->key);
	if (!s)
		s = key_create(&df_keys_ring, __builtin_offsetof(struct df_state_ring, key), r, prog, st);
	if (!s || !r->last || !r->pins)
		return;
	window = window_ns(r);

	bpf_spin_lock(&s->lock);
	if (!key_is(s, r)) {
		bpf_spin_unlock(&s->lock);
		st->raced++;
		return;
	}
	t = advance(&s->m, r, window);
	if ((r->flags & DF_PIN) || (t & DF_OP_STEP))
		place = r->last + s->m.npinned++ % r->pins;
	else
		place = s->m.nring++ % r->last;
	index = s->m.first_node + place;
	bpf_spin_unlock(&s->lock);

	n = bpf_map_lookup_elem(&df_ring, &index);
	if (n) {
		n->e.seq = 0;
		barrier();
		event_fill(&n->e, r, node_flags(t));
		payload_copy(n, r);
		barrier();
		n->e.seq = r->seq;
		st->recorded++;
	} else {
		st->nomem++;
	}
	if (t & DF_OP_FIRE)
		fire(r, st);
}

#endif
