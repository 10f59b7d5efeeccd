/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.h - live keys: made, found, and evicted by our own clock.
 *
 * Every live key stands in one slot of its table's range of df_slots. A new key takes the slot under the clock's hand,
 * whose key is evicted unless it had a second event since the hand passed last, or has a deadline running. Kernel LRU
 * maps take no locks or lists, and evict without telling.
 *
 * A slot is held by the program that fills it until its key is in the hash: else another one would see a slot whose key
 * is not there, take it as well, and leave the first key without a slot, for ever. Nobody waits for a slot: who finds
 * it held goes on to the next.
 */
#ifndef BPF_KEYS_H
#define BPF_KEYS_H

#include "bpf/runtime.h"

#define EEXIST 17

/* Slots that the hand tries for one new key. */
#define CLOCK_STEPS 8

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

/*
 * Is the clock's slot free, or can it be freed? An entry is identified by the slot it names itself: a key that stands
 * in two slots (two CPUs made it at the same time) keeps the other one. Of what stands in the way, a key that was just
 * used stays, and one that is alive or has a match under way as long as others are near: keys that come and go do not
 * drive out those that are waited for.
 */
static __always_inline bool slot_free(void *map, __u32 key_off, struct df_mkey *c, __u32 slot, int step,
				      const struct df_machine *mc, struct df_stats *st)
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
	if (v->m.deadline_ns)
		return false;
	busy = v->m.state || (v->m.born && v->m.alive);
	if ((v->m.used || (busy && step < CLOCK_STEPS - 2)) && step < CLOCK_STEPS - 1) {
		v->m.used = 0;
		return false;
	}
	bpf_spin_lock(&v->lock);
	mine = v->m.slot == slot && !v->m.dead && !v->m.deadline_ns;
	alive = v->m.alive;
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
		st->evicted++;
		count_evicted(mc);
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

/* A slot for a new key of the machine's table, evicting another one if need be; it is held. */
static __always_inline __u32 slot_take(void *map, __u32 key_off, struct df_rec *r, const struct df_machine *mc, struct df_stats *st)
{
	for (int i = 0; i < CLOCK_STEPS; i++) {
		__u32 slot = mc->first_slot + (__sync_fetch_and_add(&df_ctl.clock_hand, 1) & (mc->slots - 1));
		struct df_slot *c = bpf_map_lookup_elem(&df_slots, &slot);

		if (!c)
			return NO_SLOT;
		if (!slot_hold(c))
			continue;
		if (slot_free(map, key_off, &c->key, slot, i, mc, st)) {
			slot_write(&c->key, r);
			return slot;
		}
		slot_let_go(c);
	}
	return NO_SLOT;
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
static __always_inline int key_create(void *map, __u32 key_off, struct df_rec *r, __u32 prog)
{
	struct df_blank *blank = bpf_map_lookup_elem(&df_blank, &prog);
	struct df_entry *e = (struct df_entry *)blank;
	const struct df_machine *mc = machine_get(r->machine);
	__u32 slot, event = r->event;
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &event);
	long err;

	if (!blank || !mc || !st)
		return 0;
	slot = slot_take(map, key_off, r, mc, st);
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
