/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_list.h - the engine on kernels with BPF linked lists (v6.3 on): history in lists of the key's entry.
 *
 * An event takes the lock twice. The first time it moves the automaton and, when its list is full, pops the oldest
 * node; between, it fills that node (or a new one: allocation is not allowed under a lock, and recycling costs half);
 * the second time it pushes the node. Two events of one key on two CPUs may so be pushed in the other order: the
 * sequence number, taken before, tells.
 */
#ifndef BPF_ENGINE_LIST_H
#define BPF_ENGINE_LIST_H

#include "bpf/engine.h"

/* Take the oldest node out of a full list; NULL if there is room. Called under the lock. */
#define list_recycle(head, count, max)                                                                             \
	({                                                                                                         \
		struct bpf_list_node *__old = NULL;                                                                \
		if ((count) < (max))                                                                               \
			(count)++;                                                                                 \
		else                                                                                               \
			__old = bpf_list_pop_front(head);                                                          \
		__old;                                                                                             \
	})

static __always_inline void engine_list(struct df_rec *r, __u32 prog)
{
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &r->event);
	struct bpf_list_node *old = NULL;
	struct df_node *n = NULL;
	struct df_state *s;
	__u64 window;
	bool pin, same;
	__u32 t;

	if (!st || !admit(r, st))
		return;
	s = bpf_map_lookup_elem(&df_keys, &r->key);
	if (!s)
		s = key_create(&df_keys, __builtin_offsetof(struct df_state, key), r, prog, st);
	if (!s)
		return;
	window = window_ns(r);

	bpf_spin_lock(&s->lock);
	if (!key_is(s, r)) {
		bpf_spin_unlock(&s->lock);
		st->raced++;
		return;
	}
	t = advance(&s->m, r, window);
	pin = (r->flags & DF_PIN) || (t & DF_OP_STEP);
	if (pin)
		old = list_recycle(&s->pinned, s->m.npinned, r->pins);
	else
		old = list_recycle(&s->ring, s->m.nring, r->last);
	bpf_spin_unlock(&s->lock);

	if (old)
		n = container_of(old, struct df_node, node);
	else
		n = bpf_obj_new_impl(bpf_core_type_id_local(struct df_node), NULL);
	if (n) {
		n->e.seq = r->seq;
		event_fill(&n->e, r, node_flags(t));
		payload_copy(n, r);
		bpf_spin_lock(&s->lock);
		same = key_is(s, r);
		if (same && pin)
			bpf_list_push_back_impl(&s->pinned, &n->node, NULL, 0);
		else if (same)
			bpf_list_push_back_impl(&s->ring, &n->node, NULL, 0);
		bpf_spin_unlock(&s->lock);
		if (same) {
			st->recorded++;
		} else {
			bpf_obj_drop_impl(n, NULL);
			st->raced++;
		}
	} else {
		st->nomem++;
	}
	if (t & DF_OP_FIRE)
		fire(r, st);
}

#endif
