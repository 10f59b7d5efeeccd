/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - what both engines do alike: find or make the key, move its automaton, pronounce the verdict.
 *
 * Concurrency. An element of the hash can be deleted and reused for another key while a program still holds a
 * pointer to it, so after *every* lock the key and the dead flag are looked at again (key_is), and whoever deletes
 * sets the dead flag under the lock first. No helper may be called under the lock: what is needed is prepared
 * before and released after. Interrupts are off under the lock; in an NMI it is never taken.
 */
#ifndef BPF_ENGINE_H
#define BPF_ENGINE_H

#include "bpf/runtime.h"

#define EEXIST 17

/* Steps of the eviction clock per new key: each passes over a key that was touched since the last round. */
#define CLOCK_STEPS 8

/* Is this entry still the one of the record's key? Ask after every lock. */
#define key_is(s, r)                                                                                               \
	({                                                                                                         \
		bool __same = !(s)->m.dead && (s)->key.table == (r)->key.table;                                    \
		_Pragma("unroll") for (__u32 __i = 0; __i < DF_KEY_PARTS; __i++) if (__i < df_cfg_key_parts)         \
			__same = __same && (s)->key.part[__i] == (r)->key.part[__i];                               \
		__same;                                                                                            \
	})

static __always_inline __u32 transition(__u32 i)
{
	if (i >= df_cfg_ntrans)
		return 0;
	return df_trans[i];
}

/* The value of `within` in ns, or "for ever". */
static __always_inline __u64 window_ns(const struct df_rec *r)
{
	__u32 i = r->window - 1;

	if (!r->window || i >= df_cfg_nparams)
		return -1ULL;
	return df_params[i];
}

/*
 * Move the automaton of one key; called under its lock. Returns the transition taken and leaves in the record
 * what the verdict needs.
 */
static __always_inline __u32 advance(struct df_match *m, struct df_rec *r, __u64 window)
{
	__u32 t, step;

	if (r->flags & DF_BIRTH) {
		m->born++;
		m->gen = m->born;
		m->state = 0;
	}
	m->last_ns = r->ns;
	m->used = 1;
	r->gen = m->gen;
	t = transition(r->trans + m->state * r->ncols + r->col);
	if ((t & DF_OP_WITHIN) && r->ns - m->first_ns > window)
		t = transition(r->trans + r->col);
	if (!(t & DF_OP_MOVE))
		return t;
	if (t & DF_OP_START) {
		m->first_ns = r->ns;
#pragma unroll
		for (__u32 i = 0; i < DF_STEPS; i++)
			m->step[i] = 0;
	}
	step = DF_NEXT(t) - 1;
	if ((t & DF_OP_STEP) && step < DF_STEPS)
		m->step[step] = r->seq;
	m->state = DF_NEXT(t);
	if (t & DF_OP_FIRE) {
#pragma unroll
		for (__u32 i = 0; i < DF_STEPS; i++)
			r->step[i] = m->step[i];
		m->state = 0;
	}
	return t;
}

/* Fill the common part of a recorded event; e may be a list node's or a ring node's. */
#define event_fill(e, r, extra)                                                                                    \
	do {                                                                                                       \
		__u64 __id = bpf_get_current_pid_tgid();                                                           \
		__u64 __comm[DF_COMM / 8] = {};                                                                    \
		bpf_get_current_comm(__comm, sizeof(__comm));                                                      \
		(e)->ns = (r)->ns;                                                                                 \
		(e)->ip = (r)->ip;                                                                                 \
		(e)->pid = __id >> 32;                                                                             \
		(e)->tid = (__u32)__id;                                                                            \
		(e)->event = (r)->event;                                                                           \
		(e)->gen = (r)->gen;                                                                               \
		(e)->flags = (r)->flags | (extra);                                                                 \
		(e)->cpu = bpf_get_smp_processor_id();                                                             \
		(e)->nwords = (r)->nwords;                                                                         \
		(e)->nframes = (r)->nframes;                                                                       \
		(e)->stack_word = (r)->stack_word;                                                                 \
		((__u64 *)(e)->comm)[0] = __comm[0];                                                               \
		((__u64 *)(e)->comm)[1] = __comm[1];                                                               \
	} while (0)

/*
 * Copy the payload in use, four words at a time, without a loop: a node's words may be written at constant offsets
 * only, and the verifier drops what lies beyond df_cfg_words.
 */
#define COPY4(n, r, i)                                                                                             \
	if ((i) >= df_cfg_words || (i) >= (r)->nwords)                                                             \
		break;                                                                                             \
	(n)->w[(i)] = (r)->w[(i)];                                                                                 \
	(n)->w[(i) + 1] = (r)->w[(i) + 1];                                                                         \
	(n)->w[(i) + 2] = (r)->w[(i) + 2];                                                                         \
	(n)->w[(i) + 3] = (r)->w[(i) + 3];
#define COPY16(n, r, i) COPY4(n, r, i) COPY4(n, r, (i) + 4) COPY4(n, r, (i) + 8) COPY4(n, r, (i) + 12)
#define COPY64(n, r, i) COPY16(n, r, i) COPY16(n, r, (i) + 16) COPY16(n, r, (i) + 32) COPY16(n, r, (i) + 48)
#define payload_copy(n, r)                                                                                         \
	do {                                                                                                       \
		COPY64(n, r, 0U) COPY64(n, r, 64U) COPY64(n, r, 128U)                                              \
	} while (0)
_Static_assert(DF_WORDS == 192, "payload_copy");

static __always_inline __u32 node_flags(__u32 t)
{
	return (t & DF_OP_STEP ? DF_STEP : 0) | (t & DF_OP_FIRE ? DF_FIRED : 0);
}

static __always_inline void note(__u32 kind, __u32 index)
{
	struct df_note n = { .kind = kind, .index = index };

	bpf_ringbuf_output(&df_out, &n, sizeof(n), 0);
}

static __always_inline void fire_write(struct df_rec *r, __u32 index, __u32 act)
{
	struct df_fire *f = bpf_map_lookup_elem(&df_fires, &index);
	__u64 id = bpf_get_current_pid_tgid();

	if (!f)
		return;
	f->rule = r->rule;
	f->event = r->event;
	f->act = act;
	f->ns = r->ns;
	f->seq = r->seq;
	f->pid = id >> 32;
	f->tid = (__u32)id;
	f->cpu = bpf_get_smp_processor_id();
	f->gen = r->gen;
	bpf_get_current_comm(f->comm, sizeof(f->comm));
	f->nsteps = DF_STEPS;
	__builtin_memcpy(f->step, r->step, sizeof(f->step));
	f->key.table = r->key.table;
	f->key.pad = 0;
	__builtin_memcpy(f->key.part, r->key.part, sizeof(f->key.part));
	barrier();
	f->valid = 1;
}

/*
 * A match is complete: write the verdict down, then do what the rule and the set may do, the lesser of the two.
 * The first panic wins: it freezes the recording on all CPUs before the crash, and if crash_kexec comes back (it
 * returns silently when no crash kernel is loaded or another CPU holds the kexec lock) recording goes on and the
 * agent is told to take the next rung.
 */
static __always_inline void fire(struct df_rec *r, struct df_stats *st)
{
	struct df_rule *rule = bpf_map_lookup_elem(&df_rules, &r->rule);
	__u32 act, index;

	st->fired++;
	if (!rule)
		return;
	__sync_fetch_and_add(&rule->fires, 1);
	act = rule->act < df_ctl.armed ? rule->act : df_ctl.armed;
	if (act == DF_ACT_NONE)
		return;
	if (act == DF_ACT_PANIC && r->ns < rule->not_before)
		act = DF_ACT_LOG;
	if (act == DF_ACT_PANIC && __sync_val_compare_and_swap(&df_ctl.frozen, 0, 1))
		return;
	index = __sync_fetch_and_add(&df_ctl.fires, 1);
	fire_write(r, index, act);
	if (act != DF_ACT_PANIC) {
		note(DF_NOTE_FIRE, index);
		return;
	}
	df_ctl.fired = index + 1;
	if (df_has.crash_kexec)
		crash_kexec(NULL);
	__sync_fetch_and_add(&df_ctl.crash_returned, 1);
	df_ctl.frozen = 0;
	note(DF_NOTE_CRASH_RETURNED, index);
}

/* Common entry of all engines: false if this event is not to be recorded. */
static __always_inline bool admit(struct df_rec *r, struct df_stats *st)
{
	if (df_ctl.frozen)
		return false;
	if (df_ctl.tgid && bpf_get_current_pid_tgid() >> 32 == df_ctl.tgid) {
		st->own++;
		return false;
	}
	if (in_nmi()) {
		st->nmi++;
		return false;
	}
	r->ns = bpf_ktime_get_ns();
	r->seq = __sync_fetch_and_add(&df_ctl.seq, 1) + 1;
	return true;
}

/* What the entries of both hashes begin with. */
struct df_entry {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct df_match m;
};

#define NO_SLOT (~0U)

/*
 * Is the clock's slot free, or can it be freed? A slot whose entry was touched since the last round is passed over
 * once. An entry is identified by the slot it names itself: a key that stands in two slots (two CPUs made it at the
 * same time) keeps the other one.
 */
static __always_inline bool slot_free(void *map, struct df_mkey *c, __u32 slot, bool last_try, struct df_stats *st)
{
	struct df_entry *v;
	bool mine;

	if (!c->table)
		return true;
	v = bpf_map_lookup_elem(map, c);
	if (!v || v->m.slot != slot)
		return true;
	if (v->m.used && !last_try) {
		v->m.used = 0;
		return false;
	}
	bpf_spin_lock(&v->lock);
	mine = v->m.slot == slot && !v->m.dead;
	if (mine)
		v->m.dead = 1;
	bpf_spin_unlock(&v->lock);
	if (mine && !bpf_map_delete_elem(map, c))
		st->evicted++;
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

/* A slot for a new key of the record's table, evicting another one if need be. */
static __always_inline __u32 slot_take(void *map, struct df_rec *r, struct df_stats *st)
{
	for (int i = 0; i < CLOCK_STEPS; i++) {
		__u32 slot = r->first_slot + (__sync_fetch_and_add(&df_ctl.clock_hand, 1) & (r->slots - 1));
		struct df_mkey *c = bpf_map_lookup_elem(&df_slots, &slot);

		if (!c)
			return NO_SLOT;
		if (slot_free(map, c, slot, i == CLOCK_STEPS - 1, st)) {
			slot_write(c, r);
			return slot;
		}
	}
	return NO_SLOT;
}

static __always_inline void slot_release(__u32 slot, const struct df_rec *r)
{
	struct df_mkey *c = bpf_map_lookup_elem(&df_slots, &slot);

	if (c && c->table == r->key.table && c->part[0] == r->key.part[0])
		c->table = 0;
}

/* Make the record's key live. prog numbers the program, whose blank entry is used. */
static __always_inline void *key_create(void *map, __u32 key_off, struct df_rec *r, __u32 prog, struct df_stats *st)
{
	struct df_blank *blank = bpf_map_lookup_elem(&df_blank, &prog);
	struct df_entry *e = (struct df_entry *)blank;
	__u32 slot;
	long err;

	if (!blank)
		return NULL;
	slot = slot_take(map, r, st);
	if (slot == NO_SLOT) {
		st->full++;
		return NULL;
	}
	e->m.slot = slot;
	e->m.first_node = r->first_node + (slot - r->first_slot) * (r->last + r->pins);
	e->m.created_seq = r->seq;
	e->m.used = 1;
	slot_write((struct df_mkey *)((void *)blank + key_off), r);
	err = bpf_map_update_elem(map, &r->key, blank, BPF_NOEXIST);
	if (err)
		slot_release(slot, r);
	if (err && err != -EEXIST) {
		st->full++;
		return NULL;
	}
	return bpf_map_lookup_elem(map, &r->key);
}

#endif
