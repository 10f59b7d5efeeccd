/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.h - live keys: made, found, and evicted by our own clock.
 *
 * Every live key stands in one slot of its table's range of df_slots. A new key takes the slot under the hand of the
 * table's clock, whose key is evicted unless
 *
 *	- it has a deadline running: such a key never goes;
 *	- it has a match under way, or is alive: it goes only if no idle one stands in the next CLOCK_FAR slots;
 *	- it had a second event since the hand passed last: an idle one goes only if the next CLOCK_NEAR slots have none
 *	  without.
 *
 * A table that is full of keys with a match under way would be searched in vain, and far, for each new key. So a search
 * goes only as far as earlier ones have saved: on the whole CLOCK_NEAR slots are looked at for each new key, at most.
 * Kernel LRU maps take no locks or lists, and evict without telling.
 *
 * A slot is held by the program that fills it until its key is in the hash: else another one would see a slot whose key
 * is not there, take it as well, and leave the first key without a slot, for ever. Nobody waits for a slot: who finds
 * it held goes on to the next.
 */
#ifndef BPF_KEYS_H
#define BPF_KEYS_H

#include "bpf/runtime.h"

#define EEXIST 17

/* Slots that are looked at for one new key: in any case, and more in search of an idle key. */
#define CLOCK_NEAR 8
#define CLOCK_FAR 120

#define NO_SLOT (~0U)

/* What the entries of both hashes begin with. */
struct df_entry {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct df_match m;
};

/*
 * Elements of the set's tables. barrier_var keeps the compiler from checking one register and using another, or from
 * computing the address before the check: the verifier knows the bound of the register that was compared. Indices are 64 bits wide
 * so that they need no extension after it.
 */
static __always_inline const struct df_machine *machine_get(__u64 i)
{
	barrier_var(i);
	if (i >= df_cfg_nmachines)
		return NULL;
	barrier_var(i);
	return &df_machines[i];
}

static __always_inline const struct df_decision *decision_get(__u64 i)
{
	barrier_var(i);
	if (i >= df_cfg_ndecisions)
		return NULL;
	barrier_var(i);
	return &df_decisions[i];
}

/* A cell: index of its first decision + 1, 0: none. */
static __always_inline __u32 cell_get(__u64 i)
{
	barrier_var(i);
	if (i >= df_cfg_ncells)
		return 0;
	barrier_var(i);
	return df_cells[i];
}

/* Parameter number i, or `none` if there is no such. */
static __always_inline __u64 param(__u64 i, __u64 none)
{
	barrier_var(i);
	if (i >= df_cfg_nparams)
		return none;
	barrier_var(i);
	return df_params[i];
}

/* An event of the rule was lost: matches that rest on "it did not happen" are suspect from here. */
static __always_inline void loss(__u64 rule)
{
	barrier_var(rule);
	if (rule >= df_cfg_nrules)
		return;
	barrier_var(rule);
	__sync_fetch_and_add(&df_losses[rule], 1);
}

static __always_inline __u32 losses_of(__u64 rule)
{
	barrier_var(rule);
	if (rule >= df_cfg_nrules)
		return 0;
	barrier_var(rule);
	return df_losses[rule];
}

/*
 * What a new key takes for the losses at its match's begin: before its first event there is no begin, and "it never
 * happened" is as doubtful as all that was ever lost, and as keys that were evicted: it may have been one of them.
 */
static __always_inline __u32 losses_at_creation(__u64 rule)
{
	barrier_var(rule);
	if (rule >= df_cfg_nrules)
		return 0;
	barrier_var(rule);
	return -df_evicted[rule];
}

/* A key went with the state of its match. That harms no other key's match, so it is no loss of theirs. */
static __always_inline void count_evicted(const struct df_machine *mc)
{
	__u64 rule = mc->rule;

	if (mc->ncols <= 1)
		return;
	barrier_var(rule);
	if (rule >= df_cfg_nrules)
		return;
	barrier_var(rule);
	__sync_fetch_and_add(&df_evicted[rule], 1);
}

static __always_inline void live_add(__u32 machine, __s64 n)
{
	__s64 *live = bpf_map_lookup_elem(&df_live, &machine);

	if (live)
		__sync_fetch_and_add(live, n);
}

/*
 * The entry is nobody's. The dead flag alone does not do: when the memory is used again, the kernel copies the new entry
 * in, without the lock and from front to back, so there is a moment with the flag cleared and the old key behind it.
 */
static __always_inline void key_void(struct df_mkey *k)
{
	k->table = 0;
#pragma unroll
	for (__u32 i = 0; i < DF_KEY_PARTS; i++) {
		if (i < df_cfg_key_parts)
			k->part[i] = ~k->part[i];
	}
}

/* Nodes of a list that are not its own by right: they go back to all. */
static __always_inline __s64 beyond_floor(__u16 n)
{
	return n > DF_FLOOR ? n - DF_FLOOR : 0;
}

/* A search for a slot: bpf_loop calls a function for each step, which ends the loop when it has one. */
struct clock_walk {
	const struct df_machine *mc;
	struct df_clock *clock;
	struct df_stats *st;
	__u32 far;			/* steps in search of an idle key, before CLOCK_NEAR more */
	__u32 steps;			/* that were taken */
	__u32 slot;			/* the result, held; or NO_SLOT */
};

/* Has the key something to lose? Looked at without its lock, to choose; what is wrong by then is only a worse choice. */
static __always_inline bool is_busy(const struct df_match *m)
{
	return m->state || m->alive;
}

/* Is it the key's turn to go? Of those that stay the hand has seen that they were used. */
static __always_inline bool may_go(struct df_match *m, const struct clock_walk *w, __u32 step)
{
	__u32 left = w->far + CLOCK_NEAR - step;	/* steps, this one included */

	if (m->deadline_ns || (left > CLOCK_NEAR / 2 && is_busy(m)))
		return false;
	if (!m->used || left == 1 || (step >= CLOCK_NEAR && !is_busy(m)))
		return true;
	m->used = 0;
	return false;
}

/*
 * Is the slot free, or can it be freed? An entry is identified by the slot it names itself: a key that stands in two
 * slots (two CPUs made it at the same time) keeps the other one.
 */
static __always_inline bool slot_free(void *map, __u32 key_off, struct df_mkey *c, __u32 slot, __u32 step,
				      const struct clock_walk *w)
{
	struct df_entry *v;
	bool mine, alive, busy;
	__u32 machine;
	__s64 nodes;

	if (!c->table)
		return true;
	v = bpf_map_lookup_elem(map, c);
	if (!v || v->m.slot != slot)
		return true;
	if (!may_go(&v->m, w, step))
		return false;
	bpf_spin_lock(&v->lock);
	mine = v->m.slot == slot && !v->m.dead && !v->m.deadline_ns;
	alive = v->m.alive;
	busy = is_busy(&v->m);
	machine = v->m.machine;
	nodes = beyond_floor(v->m.nring) + beyond_floor(v->m.npinned);
	if (mine) {
		v->m.dead = 1;
		key_void((void *)v + key_off);
	}
	bpf_spin_unlock(&v->lock);
	if (!mine)
		return false;
	if (!bpf_map_delete_elem(map, c)) {
		w->st->evicted++;
		if (busy)
			w->st->unfinished++;
		count_evicted(w->mc);
		__sync_fetch_and_add(&df_ctl.nodes_left, nodes);	/* which only lists ask for */
		if (alive)
			live_add(machine, -1);
	}
	return true;
}

static __always_inline void slot_write(struct df_mkey *c, const struct df_rec *r)
{
	c->table = r->key.table;
#pragma unroll
	for (__u32 i = 0; i < DF_KEY_PARTS; i++) {
		if (i < df_cfg_key_parts)
			c->part[i] = r->key.part[i];
	}
}

static __always_inline bool slot_hold(struct df_slot *c)
{
	return !__sync_lock_test_and_set(&c->held, 1);
}

static __always_inline void slot_let_go(struct df_slot *c)
{
	barrier();
	c->held = 0;
}

/* One step of the clock's hand; the engines make bpf_loop's callbacks of it, each with the map that it has. */
static __always_inline long clock_step(void *map, __u32 key_off, __u32 step, struct clock_walk *w)
{
	__u32 slot = w->mc->first_slot + (__sync_fetch_and_add(&w->clock->hand, 1) & (w->mc->slots - 1));
	struct df_slot *c = bpf_map_lookup_elem(&df_slots, &slot);

	w->steps = step + 1;
	if (!c)
		return 1;
	if (!slot_hold(c))
		return 0;
	if (!slot_free(map, key_off, &c->key, slot, step, w)) {
		slot_let_go(c);
		return 0;
	}
	w->slot = slot;
	return 1;
}

typedef long clock_fn(__u32 step, struct clock_walk *w);

/* A slot for a new key of the machine's table, evicting another one if need be; it is held. */
static __always_inline __u32 slot_take(clock_fn *step, struct df_rec *r, const struct df_machine *mc, struct df_stats *st)
{
	__u32 machine = r->machine;
	struct clock_walk w = { .mc = mc, .st = st, .slot = NO_SLOT };
	struct df_slot *c;
	__u32 saved;

	w.clock = bpf_map_lookup_elem(&df_clocks, &machine);
	if (!w.clock)
		return NO_SLOT;
	w.far = w.clock->saved;
	bpf_loop(w.far + CLOCK_NEAR, step, &w, 0);
	saved = w.far + CLOCK_NEAR - w.steps;
	w.clock->saved = saved < CLOCK_FAR ? saved : CLOCK_FAR;
	c = bpf_map_lookup_elem(&df_slots, &w.slot);
	if (!c)
		return NO_SLOT;
	slot_write(&c->key, r);
	return w.slot;
}

/* The slot's key is in the hash now, or (err) could not get there. */
static __always_inline void slot_settle(__u32 slot, long err)
{
	struct df_slot *c = bpf_map_lookup_elem(&df_slots, &slot);

	if (!c)
		return;
	if (err)
		c->key.table = 0;
	slot_let_go(c);
}

/*
 * Make the record's key live. 0: it could not be done, and that is counted. prog numbers the program, whose blank entry
 * is used. The engines make global functions of it, which the verifier checks once.
 */
static __always_inline int key_create(void *map, __u32 key_off, clock_fn *step, struct df_rec *r, __u32 prog)
{
	struct df_blank *blank = bpf_map_lookup_elem(&df_blank, &prog);
	struct df_entry *e = (struct df_entry *)blank;
	const struct df_machine *mc = machine_get(r->machine);
	__u32 slot, event = r->event;
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &event);
	long err;

	if (!blank || !mc || !st)
		return 0;
	slot = slot_take(step, r, mc, st);
	if (slot == NO_SLOT) {
		st->full++;
		loss(mc->rule);
		return 0;
	}
	e->m.slot = slot;
	e->m.first_node = mc->first_node + (slot - mc->first_slot) * (mc->last + mc->pins);
	e->m.created_seq = r->seq;
	e->m.used = 1;
	e->m.machine = r->machine;
	e->m.keep_bad = -1;
	e->m.losses = losses_at_creation(mc->rule);
	e->m.version = r->seq;	/* no earlier life of this memory has it */
	slot_write((struct df_mkey *)((void *)blank + key_off), r);
	err = bpf_map_update_elem(map, &r->key, blank, BPF_NOEXIST);
	slot_settle(slot, err);
	if (err && err != -EEXIST) {
		st->full++;
		loss(mc->rule);
		return 0;
	}
	return 1;
}

#endif
