/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - what both engines do alike: admit an event, decide what it does to its key, apply it.
 *
 * Concurrency. An element of the hash can be deleted and reused for another key while a program still holds a
 * pointer to it, so after *every* lock the key is looked at again (key_is), and whoever deletes voids it under the lock
 * first (keys.h). No helper may be called under the lock, nor (before v6.9) a function, so
 * the decision is made before, on the unlocked state, and applied under the lock if the state's version is still the
 * same; else it is made anew. Interrupts are off under the lock; in an NMI it is never taken.
 */
#ifndef BPF_ENGINE_H
#define BPF_ENGINE_H

#include "bpf/ask.h"
#include "bpf/delay.h"
#include "bpf/keys.h"
#include "bpf/told.h"
#include "bpf/verdict.h"

/* The clock; in tests that compare with the reference it stands still between events. */
static __always_inline __u64 clock_ns(void)
{
	return df_has.test_clock ? df_ctl.test_ns : bpf_ktime_get_ns();
}

/* How long until a deadline is looked at: in tests, often. */
#define TEST_POLL_NS 5000000ULL
static __always_inline __u64 timer_wait(__u64 ns)
{
	return df_has.test_clock ? TEST_POLL_NS : ns;
}

/* How often a decision is made anew when other CPUs change the key meanwhile. */
#define TRIES 6

/* What was decided; index of the decision, or none. */
#define NO_DECISION (~0U)

/* Longer deadlines are cut: the sums of times, and the kernel's timers, end at 2^63 ns. */
#define TIMER_MAX_NS (1ULL << 61)

static __always_inline __u64 timer_of(const struct df_decision *d)
{
	__u64 ns = param(d->timer, 0);

	return ns < TIMER_MAX_NS ? ns : TIMER_MAX_NS;
}

/*
 * Is this entry still the one of the record's key? Ask after every lock; who removes a key voids it under the lock
 * (bpf/keys.h). Nested, so that one jump skips all parts that the set's keys do not have.
 */
#define PART_IS(s, r, i) ((s)->key.part[i] == (r)->key.part[i])
#define PARTS_FROM(s, r, i, rest) (df_cfg_key_parts <= (i) || (PART_IS(s, r, i) && (rest)))
#define key_is(s, r)                                                                                               \
	((s)->key.table == (r)->key.table && PART_IS(s, r, 0) &&                                                   \
	 PARTS_FROM(s, r, 1, PARTS_FROM(s, r, 2, PARTS_FROM(s, r, 3, PARTS_FROM(s, r, 4,                           \
	 PARTS_FROM(s, r, 5, PARTS_FROM(s, r, 6, PARTS_FROM(s, r, 7, true))))))))
_Static_assert(DF_KEY_PARTS == 8, "key_is");

static __always_inline bool test_registers(const struct df_match *m, const struct df_rec *r, __u8 test, __u32 i)
{
	__u64 val, keep;

	barrier_var(i);
	if (i >= DF_VALS || (r->val_bad >> i & 1) || (m->keep_bad >> i & 1))
		return false;
	barrier_var(i);
	val = r->val[i];
	keep = m->keep[i];
	if (test == DF_TEST_SAME)
		return val == keep;
	return test == DF_TEST_BEFORE ? keep < val : val != keep;
}

/* Since the match began. Events of two CPUs may come to the lock in the other order than they took their times. */
static __always_inline __u64 elapsed(const struct df_match *m, const struct df_rec *r)
{
	return r->ns > m->first_ns ? r->ns - m->first_ns : 0;
}

/* A birth forgets what was counted. */
static __always_inline __s64 count_of(const struct df_match *m, const struct df_rec *r)
{
	return r->flags & DF_BIRTH ? 0 : m->count;
}

static __always_inline bool test_holds(const struct df_match *m, struct df_rec *r, __u8 test, __u32 arg)
{
	switch (test) {
	case DF_TEST_NONE:
		return true;
	case DF_TEST_WITHIN:
		return elapsed(m, r) <= param(arg, -1ULL);
	case DF_TEST_LATER:
		return elapsed(m, r) > param(arg, -1ULL);
	case DF_TEST_COUNT_GE:
		return count_of(m, r) >= (__s64)param(arg, 1ULL << 62);
	case DF_TEST_COUNT_LE:
		return count_of(m, r) <= (__s64)param(arg, -(1ULL << 62));
	case DF_TEST_KNOWN:
		return arg < DF_VALS && !(r->val_bad >> arg & 1);
	case DF_TEST_LIVE_GE: {
		__u32 machine = r->machine;
		__s64 *live = bpf_map_lookup_elem(&df_live, &machine);

		return live && *live >= (__s64)param(arg, 1ULL << 62);
	}
	case DF_TEST_GUARD:
		return df_guard(arg, r, (struct df_match *)m) == 1;
	default:
		return test_registers(m, r, test, arg);
	}
}

/* Loaded where it is asked for, instead of being kept in registers all along: little of it is asked of most events. */
static __always_inline __u32 flags_of(const struct df_machine *mc)
{
	return *(const volatile __u32 *)&mc->flags;
}

/* The first decision of the record's event in the key's present state, or none. */
static __always_inline __u32 first_decision(const struct df_match *m, const struct df_rec *r,
					    const struct df_machine *mc)
{
	bool reset = r->flags & DF_BIRTH && !(flags_of(mc) & DF_MACHINE_KEEPS);
	__u32 state = reset ? 0 : m->state;

	if (r->col == DF_NO_COL)
		return NO_DECISION;
	return cell_get(mc->first_cell + (__u64)state * mc->ncols + r->col) - 1;
}

/* Is it taken whatever the state and the event hold? Of most cells the one decision is. */
static __always_inline bool is_certain(const struct df_decision *d)
{
	return !*(const __u16 *)d->test;
}
_Static_assert(DF_TEST_NONE == 0 && sizeof(((struct df_decision *)0)->test) == 2, "is_certain");

/* The awaited event came, but not in time, or a condition over earlier steps did not hold. */
static __always_inline void note_near(struct df_rec *r, __u8 test)
{
	r->effect.near = test;
	r->effect.rest = 1;
}

/*
 * The first decision from number `at` on whose tests hold. Global, so that the verifier checks it once, with any key
 * and any event.
 */
__attribute__((noinline)) __u32 df_decide(struct df_match *m, struct df_rec *r, __u32 at)
{
	const struct df_decision *d;
	bool first;

	if (!m || !r)
		return NO_DECISION;
	for (int i = 0; i < DF_CHAIN; i++, at++) {
		d = decision_get(at);
		if (!d)
			return NO_DECISION;
		first = test_holds(m, r, d->test[0], d->arg[0]);
		if (first && test_holds(m, r, d->test[1], d->arg[1]))
			return at;
		if (!i && d->awaited)
			note_near(r, first ? d->test[1] : d->test[0]);
		if (!d->more)
			return NO_DECISION;
	}
	return NO_DECISION;
}

/*
 * What applying a decision leaves to be done without the lock. It stands in the record, that is in map memory, whose
 * contents the verifier does not follow: on the stack each combination would be a path of its own, over a million
 * instructions before v6.8. And where it knew from the set's constants that no deadline ever starts, it would not look
 * at the timer's callback, and then take it for a function that is called with all its stack.
 */
static __always_inline struct df_effect *effect_of(struct df_rec *r)
{
	r->effect = (struct df_effect){ 0 };
	return &r->effect;
}

/* Nothing came before: no steps, and values of theirs are unknown. */
static __always_inline void forget_steps(struct df_match *m)
{
#pragma unroll
	for (__u32 i = 0; i < DF_STEPS; i++)
		m->step[i] = 0;
	m->keep_bad = -1;
}

static __always_inline void begin_generation(struct df_match *m, const struct df_rec *r, const struct df_machine *mc,
					     __u32 losses)
{
	bool inherits = flags_of(mc) & DF_MACHINE_OWNERS;

	m->born++;
	m->gen = inherits ? r->gen : m->born;
	m->losses = inherits ? r->base : losses;
	m->matches = 0;
	m->events = 0;
	if (flags_of(mc) & DF_MACHINE_KEEPS)
		return;
	m->state = 0;
	m->count = 0;
	m->deadline_ns = 0;
	forget_steps(m);
}

/* Without branches: eight would be 256 paths to verify wherever the verifier does not see that they meet (v6.1). */
static __always_inline void keep_values(struct df_match *m, const struct df_rec *r, __u8 mask)
{
#pragma unroll
	for (__u32 i = 0; i < DF_VALS; i++) {
		__u64 take = -(__u64)(mask >> i & 1);

		barrier_var(take);
		m->keep[i] = (r->val[i] & take) | (m->keep[i] & ~take);
	}
	m->keep_bad = (m->keep_bad & ~mask) | (r->val_bad & mask);
}

/* From where on losses make a complete match doubtful. An evicted live key is no longer counted, but in its group is. */
static __always_inline __u32 begin_of_losses(const struct df_match *m, const struct df_machine *mc,
					     const struct df_decision *d)
{
	if (!(d->ops & DF_OP_WHOLE))
		return m->losses;
	return d->test[0] == DF_TEST_LIVE_GE ? 0 : losses_at_creation(mc->rule);
}

/* The key comes to life, or its life ends: what is counted as live. */
static __always_inline void set_alive(struct df_match *m, bool alive, struct df_effect *e)
{
	m->ended = !alive;
	if (m->alive == alive)
		return;
	m->alive = alive;
	e->alive = alive ? 1 : -1;
	e->rest = 1;
}

/* Whom the match names: who began it, or (a deadline takes the stack of the task it waits for) brought the key into this state. */
static __always_inline void name_task(struct df_match *m, const struct df_rec *r)
{
	*(__u64 *)&m->tid = r->pid_tgid;
	((__u64 *)m->comm)[0] = r->comm[0];
	((__u64 *)m->comm)[1] = r->comm[1];
}

/* The match begins with this event. */
static __always_inline void start_match(struct df_match *m, const struct df_rec *r, const struct df_machine *mc)
{
	m->first_ns = r->ns;
	m->losses = losses_of(mc->rule);
	name_task(m, r);
	forget_steps(m);
}

/* A match is complete, and the next one begins with the same event, and with what was kept of it. */
static __always_inline void start_again(struct df_match *m, const struct df_rec *r, const struct df_machine *mc)
{
	__u16 bad = m->keep_bad;

	start_match(m, r, mc);
	m->keep_bad = bad;
	m->step[0] = r->seq;
}

/* What only some decisions do, asked for together: most events cost one test. */
#define RARE_OPS (0xffff & ~(DF_OP_START | DF_OP_WHOLE))

static __always_inline void apply_rare(struct df_match *m, struct df_rec *r, const struct df_machine *mc,
				       const struct df_decision *d, struct df_effect *e)
{
	e->rest = 1;
	if (d->ops & DF_OP_ZERO)
		m->count = 0;
	if (d->ops & DF_OP_UP)
		m->count++;
	if (d->ops & DF_OP_DOWN)
		m->count--;
	if (d->ops & DF_OP_TIMER) {
		name_task(m, r);
		e->timer_ns = timer_of(d);
		m->deadline_ns = r->ns + e->timer_ns;
	} else if (d->ops & DF_OP_STOP) {
		m->deadline_ns = 0;
	}
	e->ops = d->ops;
	if ((d->ops & DF_OP_FOLLOW) && !(m->keep_bad & 1)) {
		e->follow = true;
		e->follow_col = d->follow_col;
		e->follow_key = m->keep[0];	/* now: without the lock the key may go on, or be another */
	}
	if (d->ops & DF_OP_FIRE) {
		m->matches++;
		if (m->matches < mc->times)
			e->ops &= ~DF_OP_FIRE;
		else
			e->node_flags |= DF_FIRED;
#pragma unroll
		for (__u32 i = 0; i < DF_STEPS; i++)
			r->step[i] = m->step[i];
		r->losses = losses_of(mc->rule) - begin_of_losses(m, mc, d);
	}
	if (d->ops & DF_OP_AGAIN)
		start_again(m, r, mc);
	if (!(d->ops & (DF_OP_LIVE | DF_OP_DEAD)) || !(flags_of(mc) & DF_MACHINE_KEEPS))
		return;
	set_alive(m, d->ops & DF_OP_LIVE, e);
}

/* Apply a decision; called under the lock. */
static __always_inline void apply(struct df_match *m, struct df_rec *r, const struct df_machine *mc,
				  const struct df_decision *d, struct df_effect *e)
{
	__u32 step = d->step - 1;

	if (d->ops & DF_OP_START)
		start_match(m, r, mc);
	if (step < DF_STEPS) {
		m->step[step] = r->seq;
		e->pin = true;
		e->node_flags |= DF_STEP;
	}
	if (m->state != d->next) {
		m->state = d->next;
		if (d->next) {
			e->entered = d->next + 1;
			e->rest = 1;
		}
	}
	if (d->keep)
		keep_values(m, r, d->keep);
	if (d->ops & RARE_OPS)
		apply_rare(m, r, mc, d, e);
}

/*
 * A generation begins or ends, or the deadline of the present match has passed. A death is seen before the decision is
 * applied: what that asks of the key's life is asked only of machines that births and deaths do not touch.
 */
static __always_inline void turn_life(struct df_match *m, const struct df_rec *r, const struct df_machine *mc,
				      struct df_effect *e)
{
	if (r->flags & DF_BIRTH)
		begin_generation(m, r, mc, losses_of(mc->rule));
	if (r->flags & (DF_BIRTH | DF_DEATH) && !(flags_of(mc) & DF_MACHINE_KEEPS))
		set_alive(m, !(r->flags & DF_DEATH), e);
	if (r->flags & DF_DEADLINE)
		m->deadline_ns = 0;
}

/* The part of every event, whatever it does to the automaton; called under the lock. */
static __always_inline void touch(struct df_match *m, struct df_rec *r, const struct df_machine *mc, struct df_effect *e)
{
	if (r->flags & (DF_BIRTH | DF_DEATH | DF_DEADLINE))
		turn_life(m, r, mc, e);
	else
		m->ended &= mc->flags & DF_MACHINE_KEEPS;	/* no branch, for the verifier: live again, unless decisions say who is */
	if (m->events++) {
		m->used = 1;
	} else {
		m->used = 0;	/* keys with one event are the first to go: many have no more */
		m->born_ns = r->ns;
	}
	m->last_ns = r->ns;
	*(__u64 *)&m->last_tid = r->pid_tgid;
	m->last_cpu = r->cpu;
	r->gen = m->gen;
	r->base = m->losses;
	e->from = m->state;
	e->pin = r->flags & DF_PIN;
}

/*
 * In a table of owners a generation is that of the object, in whose table the same event was just before: the first
 * event of an owner in it begins the owner's.
 */
static __always_inline void inherit_generation(const struct df_match *m, struct df_rec *r, const struct df_machine *mc)
{
	if (flags_of(mc) & DF_MACHINE_OWNERS)
		r->flags = (r->flags & ~(DF_BIRTH | DF_DEATH)) | (m->gen != r->gen ? DF_BIRTH : 0);
}

/* Write down how far a key has come: what it entered, or how it just failed; indices in df_reach + 1, or 0. */
__attribute__((noinline)) int df_reached(struct df_rec *r, __u32 entered, __u32 failed)
{
	struct df_reach *a;

	if (!r)
		return 0;
	entered--;
	a = bpf_map_lookup_elem(&df_reach, &entered);
	if (a) {
		__sync_fetch_and_add(&a->entered, 1);
		a->entered_ns = r->ns;
		__builtin_memcpy(&a->entered_key, &r->key, sizeof(a->entered_key));
	}
	failed--;
	a = bpf_map_lookup_elem(&df_reach, &failed);
	if (a) {
		if (r->effect.near == DF_TEST_GUARD)
			__sync_fetch_and_add(&a->refused, 1);
		else
			__sync_fetch_and_add(&a->late, 1);
		a->near_ns = r->ns;
		__builtin_memcpy(&a->near_key, &r->key, sizeof(a->near_key));
	}
	return 0;
}

/* After an event that changed the state, or nearly did. */
static __always_inline void reached(struct df_rec *r, const struct df_machine *mc, const struct df_effect *e)
{
	if (e->entered | e->near)
		df_reached(r, e->entered ? mc->first_state + e->entered : 0, e->near ? mc->first_state + e->from + 1 : 0);
}

/* Fill the common part of a recorded event; e may be a list node's or a ring node's. */
#define event_fill(e, r, extra)                                                                                    \
	do {                                                                                                       \
		(e)->ns = (r)->ns;                                                                                 \
		(e)->ip = (r)->ip;                                                                                 \
		(e)->pid = (r)->pid_tgid >> 32;                                                                    \
		barrier(); /* one store for both would cross a member, which a list node does not allow */           \
		(e)->tid = (__u32)(r)->pid_tgid;                                                                   \
		(e)->event = (r)->event;                                                                           \
		(e)->gen = (r)->gen;                                                                               \
		(e)->flags = (r)->flags | (extra);                                                                 \
		(e)->cpu = (r)->cpu;                                                                                  \
		(e)->nwords = (r)->nwords;                                                                         \
		(e)->nframes = (r)->nframes;                                                                       \
		(e)->stack_word = (r)->stack_word;                                                                 \
		((__u64 *)(e)->comm)[0] = (r)->comm[0];                                                             \
		((__u64 *)(e)->comm)[1] = (r)->comm[1];                                                             \
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

/* Is it still the deadline that ran out? Asked under the lock. */
static __always_inline bool deadline_is(const struct df_match *m, const struct df_rec *r)
{
	return m->deadline_ns && m->deadline_ns <= r->ns;
}

/* Make up the record of a deadline that has passed; the key is filled by record_key. */
static __always_inline void deadline_record(struct df_rec *r, const struct df_match *m, const struct df_machine *mc,
					    __u64 now)
{
	r->ns = now;
	r->seq = __sync_fetch_and_add(&df_ctl.seq, 1) + 1;
	r->ip = 0;
	r->event = mc->deadline_event;
	r->recorded = 0;
	r->machine = m->machine;
	r->flags = DF_DEADLINE;
	r->col = mc->deadline_col;
	r->nwords = r->nframes = r->stack_word = 0;
	r->val_bad = -1;
	r->pid_tgid = (__u64)m->pid << 32 | m->tid;
	r->comm[0] = ((__u64 *)m->comm)[0];
	r->comm[1] = ((__u64 *)m->comm)[1];
	r->cpu = bpf_get_smp_processor_id();
}

/* The record's key is the entry's. */
#define record_key(r, s)                                                                                           \
	do {                                                                                                       \
		(r)->key.table = (s)->key.table;                                                                   \
		(r)->key.pad = 0;                                                                                  \
		_Pragma("unroll") for (__u32 __i = 0; __i < DF_KEY_PARTS; __i++) if (__i < df_cfg_key_parts)       \
			(r)->key.part[__i] = (s)->key.part[__i];                                                   \
	} while (0)

/* After the pass over a machine: turn the record to the follow machine, whose key is the entry's register 0. */
static __always_inline bool follow(struct df_rec *r, const struct df_machine *mc, const struct df_effect *e)
{
	if (!e->follow || !mc->follow)
		return false;
	r->machine = mc->follow - 1;
	r->key.table = mc->follow;
	r->key.part[0] = e->follow_key;
#pragma unroll
	for (__u32 i = 1; i < DF_KEY_PARTS; i++)
		r->key.part[i] = 0;
	r->col = e->follow_col;
	r->flags &= DF_OWN;
	return true;
}

/* One more in a counter of the record's event. */
#define count_event(r, counter)                                                                                    \
	do {                                                                                                       \
		__u32 __event = (r)->event;                                                                        \
		struct df_stats *__st = bpf_map_lookup_elem(&df_stats, &__event);                                  \
		if (__st)                                                                                          \
			__st->counter++;                                                                           \
	} while (0)

/* The task and the CPU that the event happens in. */
static __always_inline void current_task(struct df_rec *r)
{
	const struct task_struct *task = bpf_get_current_task_btf();

	r->pid_tgid = (__u64)task->tgid << 32 | (__u32)task->pid;
	r->cpu = bpf_get_smp_processor_id();
	r->comm[0] = *(const __u64 *)&task->comm[0];
	r->comm[1] = *(const __u64 *)&task->comm[8];
}

/* Common entry of all engines: false if this event is not to be recorded. */
static __always_inline bool admit(struct df_rec *r, __u32 rule)
{
	__u32 tgid = r->pid_tgid >> 32;

	if (df_ctl.frozen)
		return false;
	barrier_var(tgid);	/* else the rarer test comes first */
	if (tgid == df_ctl.tgid && tgid && !(r->flags & DF_OWN)) {
		count_event(r, own);
		return false;
	}
	if (in_nmi()) {
		count_event(r, nmi);
		loss(rule);
		return false;
	}
	if (!r->ns) {
		r->ns = clock_ns();
		r->seq = __sync_fetch_and_add(&df_ctl.seq, 1) + 1;
	}
	return true;
}

#endif
