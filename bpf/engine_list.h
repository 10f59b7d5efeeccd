/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_list.h - the engine on kernels with BPF linked lists (v6.3 on): history in lists of the key's entry.
 *
 * An event takes the lock, moves the automaton and, when its list is full, turns the oldest node into the newest. Only
 * while a list grows it takes the lock twice, because allocation is not allowed under it: the new node is pushed the
 * second time. Two events of one key on two CPUs may so be pushed in the other order: the sequence number, taken
 * before, tells.
 */
#ifndef BPF_ENGINE_LIST_H
#define BPF_ENGINE_LIST_H

#include "bpf/engine.h"

/* A node more for a list that has DF_FLOOR; called under the lock. */
static __always_inline bool node_take(void)
{
	if (__sync_fetch_and_add(&df_ctl.nodes_left, -1) > 0)
		return true;
	__sync_fetch_and_add(&df_ctl.nodes_left, 1);
	return false;
}

/* May a list with so many nodes grow? Called under the lock. */
static __always_inline bool list_grows(__u16 count, __u16 max, struct df_effect *e)
{
	if (count >= max)
		return false;
	if (count < DF_FLOOR || node_take())
		return true;
	e->cut = 1;
	return false;
}

/* Take the oldest node out of a list that does not grow; NULL if it does. Called under the lock. */
#define list_recycle(head, count, max, e)                                                                          \
	({                                                                                                         \
		struct bpf_list_node *__old = NULL;                                                                \
		if (list_grows(count, max, e) )                                                                    \
			(count)++;                                                                                 \
		else                                                                                               \
			__old = bpf_list_pop_front(head);                                                          \
		__old;                                                                                             \
	})

static int list_deadline(void *map, struct df_mkey *key, struct df_state *s);

/* Hold on to the task whose wait has a deadline, so that its stack can be taken then. */
static __always_inline void list_hold_task(struct df_state *s)
{
	struct task_struct *t = bpf_task_acquire(bpf_get_current_task_btf());

	if (!t)
		return;
	t = bpf_kptr_xchg(&s->task, t);
	if (t)
		bpf_task_release(t);
}

static __always_inline void list_start_timer(struct df_state *s, __u64 ns)
{
	bpf_timer_init(&s->timer, &df_keys, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&s->timer, list_deadline);
	bpf_timer_start(&s->timer, timer_wait(ns), 0);
}

/* Write the event into a node of our own. */
#define node_fill(n, r, flags)                                                                                     \
	do {                                                                                                       \
		(n)->e.seq = (r)->seq;                                                                             \
		event_fill(&(n)->e, r, flags);                                                                     \
		payload_copy(n, r);                                                                                \
	} while (0)

#define list_push(s, n, pin)                                                                                       \
	do {                                                                                                       \
		if (pin)                                                                                           \
			bpf_list_push_back_impl(&(s)->pinned, &(n)->node, NULL, 0);                                \
		else                                                                                               \
			bpf_list_push_back_impl(&(s)->ring, &(n)->node, NULL, 0);                                  \
	} while (0)

/* The event into a new node, and that into the list: the second hold of the lock. */
static __always_inline void list_grow(struct df_state *s, struct df_rec *r, struct df_effect *e, __u32 rule)
{
	struct df_node *n = bpf_obj_new_impl(bpf_core_type_id_local(struct df_node), NULL);
	bool same;

	if (!n) {
		count_event(r, nomem);
		return;
	}
	node_fill(n, r, e->node_flags);
	bpf_spin_lock(&s->lock);
	same = key_is(s, r);
	if (same)
		list_push(s, n, e->pin);
	bpf_spin_unlock(&s->lock);
	if (same) {
		r->recorded++;
		return;
	}
	bpf_obj_drop_impl(n, NULL);
	count_event(r, raced);
	loss(rule);
}

/*
 * Decide what the record's event does, and take the lock with a decision made of the state as it then is. False, and not
 * locked: the entry is another key's by now, its deadline was moved, or other CPUs changed it time and again. barrier_var
 * keeps the compiler from computing addresses ahead of their use, for which they would wait on the stack.
 */
static __always_inline bool list_decide(struct df_state *s, struct df_rec *r, const struct df_machine *mc,
					const struct df_decision **ret, bool is_deadline)
{
	const struct df_decision *d;
	__u32 version, at;
	bool mine;

	for (int try = 0; try < TRIES; try++) {
		version = s->m.version;
		barrier();
		inherit_generation(&s->m, r, mc);
		at = first_decision(&s->m, r, mc);
		d = decision_get(at);
		if (d && !is_certain(d)) {
			r->effect.near = DF_TEST_NONE;
			at = df_decide(&s->m, r, at);
			d = decision_get(at);
		}
		bpf_spin_lock(&s->lock);
		barrier_var(s);
		mine = key_is(s, r) && (!is_deadline || deadline_is(&s->m, r));
		if (mine && s->m.version == version) {
			*ret = d;
			return true;
		}
		bpf_spin_unlock(&s->lock);
		if (!mine)
			return false;
	}
	return false;
}

/* What the decision does to the entry: automaton, history; it is locked, and is no more afterwards. */
static __always_inline void list_apply(struct df_state *s, struct df_rec *r, const struct df_machine *mc,
				       const struct df_decision *d, struct df_effect *e)
{
	struct bpf_list_node *old = NULL;
	struct df_node *n;

	touch(&s->m, r, mc, e);
	if (d)
		apply(&s->m, r, mc, d, e);
	s->m.version++;
	if (e->pin)
		old = list_recycle(&s->pinned, s->m.npinned, mc->pins, e);
	else
		old = list_recycle(&s->ring, s->m.nring, mc->last, e);
	if (old) {
		n = container_of(old, struct df_node, node);
		node_fill(n, r, e->node_flags);
		list_push(s, n, e->pin);
	}
	bpf_spin_unlock(&s->lock);
	if (e->cut)
		count_event(r, cut);
	if (old)
		r->recorded++;
	else
		list_grow(s, r, e, mc->rule);
}

/* The record's event for this entry. False: nothing was done, as list_decide says. */
static __always_inline bool list_step(struct df_state *s, struct df_rec *r, const struct df_machine *mc, bool is_deadline)
{
	__u32 flags = r->flags;
	const struct df_decision *d;
	bool done;

	barrier_var(r);
	done = list_decide(s, r, mc, &d, is_deadline);
	if (done)
		list_apply(s, r, mc, d, &r->effect);
	if (flags_of(mc) & DF_MACHINE_OWNERS)
		r->flags = flags;
	return done;
}

/* A node of the pinned list; the next one is where a list node begins. */
static long list_look(__u32 i, struct told_walk *w)
{
	struct df_rec *r = w->r;

	if (!r->at || r->at == r->pinned)
		return 1;
	told_look(r, r->at + __builtin_offsetof(struct df_node, e));
	return bpf_probe_read_kernel(&r->at, sizeof(r->at), (void *)r->at) != 0;
}

/* Tell the agent of a verdict, and before that of the match's steps. */
__attribute__((noinline)) int df_list_tell(struct df_rec *r, __u32 rule, __u32 verdict)
{
	struct told_walk w = { r };
	__u32 wanted;

	if (!r)
		return 0;
	wanted = told_begin(r, rule);
	if (wanted && !bpf_probe_read_kernel(&r->at, sizeof(r->at), (void *)r->pinned))
		bpf_loop(TOLD_NODES, list_look, &w, 0);
	told_end(r, wanted);
	tell(r, rule, verdict);
	return 0;
}

static __always_inline void list_after(struct df_state *s, struct df_rec *r, const struct df_machine *mc,
				       const struct df_effect *e)
{
	__u32 verdict;

	if (e->alive)
		live_add(r->machine, e->alive);
	reached(r, mc, e);
	if (!(e->ops & DF_OP_FIRE))
		return;
	r->pinned = (__u64)&s->pinned;
	verdict = df_verdict(r, mc->rule);
	if (verdict)
		df_list_tell(r, mc->rule, verdict);
}

static long list_clock(__u32 i, struct clock_walk *w)
{
	return clock_step(&df_keys, __builtin_offsetof(struct df_state, key), i, w);
}

/* The record is looked up again: as an argument of a global function it could not be a map's key on v6.1. */
__attribute__((noinline)) int df_list_key(__u32 prog)
{
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);

	return r ? key_create(&df_keys, __builtin_offsetof(struct df_state, key), list_clock, r, prog) : 0;
}

/* The event for one machine; true if the follow machine is next (its key and column are then in the record). */
static __always_inline bool list_pass(struct df_rec *r, __u32 prog)
{
	const struct df_machine *mc = machine_get(r->machine);
	struct df_effect *e;
	struct df_state *s;

	if (!mc || !admit(r, mc->rule))
		return false;
	e = effect_of(r);
	s = bpf_map_lookup_elem(&df_keys, &r->key);
	if (!s) {
		if (!df_list_key(prog))
			return false;
		s = bpf_map_lookup_elem(&df_keys, &r->key);
	}
	if (!s || !list_step(s, r, mc, false)) {
		count_event(r, raced);
		loss(mc->rule);
		return false;
	}
	if (!e->rest)
		return false;
	if (e->ops & DF_OP_TIMER) {
		list_hold_task(s);
		list_start_timer(s, e->timer_ns);
	}
	list_after(s, r, mc, e);
	return follow(r, mc, e);
}

static __always_inline void engine_list(struct df_rec *r, __u32 prog)
{
	if (r->flags & (DF_ASK | DF_WAIT)) {
		if (r->flags & DF_WAIT)
			delay_answer(r);
		else
			df_list_ask(prog);
		return;
	}
	current_task(r);
	for (int pass = 0; pass < 2; pass++) {
		barrier_var(r);	/* as in list_decide */
		if (!list_pass(r, prog))
			return;
	}
}

/* The stack of the task that the deadline waited for, as far as it can be taken: a task that runs has none. */
static __always_inline void list_task_stack(struct df_state *s, struct df_rec *r)
{
	struct task_struct *t = bpf_kptr_xchg(&s->task, NULL);
	long n;

	if (!t)
		return;
	n = bpf_get_task_stack(t, r->w, DF_STACK_DEPTH * 8, 0);
	if (n > 0) {
		r->nframes = n / 8;
		r->nwords = n / 8;
	}
	t = bpf_kptr_xchg(&s->task, t);
	if (t)
		bpf_task_release(t);
}

/* A timer ran out. The deadline in the entry is the truth: it may have been stopped or moved since. */
static int list_deadline(void *map, struct df_mkey *key, struct df_state *s)
{
	__u32 prog = DF_PROG_TIMER, event;
	struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);
	__u64 now = clock_ns(), deadline = s->m.deadline_ns;
	const struct df_machine *mc = machine_get(s->m.machine);
	struct df_effect *e;
	struct df_stats *st;

	if (!r || !mc || !deadline || df_ctl.frozen)
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
	list_task_stack(s, r);
	if (!list_step(s, r, mc, true))
		return 0;
	st->hit++;
	st->recorded += r->recorded;
	if (e->ops & DF_OP_TIMER)
		bpf_timer_start(&s->timer, timer_wait(e->timer_ns), 0);	/* the callback stays */
	list_after(s, r, mc, e);
	return 0;
}

#endif
