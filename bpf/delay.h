/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay.h - `delay`: keep a CPU busy at an event, so that a race which is narrow gets wide.
 *
 * Who waits holds something up: what must not be held up is left alone, and counted.
 *
 *	interrupts off	longer than DF_DELAY_IRQS_OFF_NS: clocks, other CPUs' calls and the watchdogs would suffer
 *	too often	a CPU earns the time for waiting: half of what passes, and DF_DELAY_CREDIT_NS at most are saved up;
 *			a wait costs what it took
 *	not armed	a dry run leaves the machine as it is
 *
 * Whether interrupts are off is known to kprobes only, which have the registers of who was probed; a trampoline saves
 * none. But who takes a bpf_spin_lock leaves the flags register in a variable of the kernel's (kernel/bpf/helpers.c,
 * irqsave_flags): so we take one, of our CPU's, and look. An interrupt that does the same in between leaves "off" there: who
 * sees it looks again, and if it stays so the wait is left out, which is the safe side.
 *
 * Only tracing programs may take locks; and while a kprobe, tracepoint or perf event program waits, all others of these
 * kinds on its CPU are missed (bpf_prog_active). So events wait in fentry or fexit programs as far as the agent can have
 * it so; else the hook asks its engine, by a record with DF_WAIT. A uprobe comes with interrupts on and holds up no
 * other: it waits itself.
 */
#ifndef BPF_DELAY_H
#define BPF_DELAY_H

#include "bpf/runtime.h"

#define DELAY_SPINS (1 << 23)	/* as many as bpf_loop allows; the clock ends the wait before */

struct df_delay_lock {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);		/* CPUs, set by the agent */
	__type(key, __u32);
	__type(value, struct df_delay_lock);
} df_delay_locks SEC(".maps");

/* Time for waiting that a CPU has, as of a moment. */
struct df_delay_credit {
	__u64 ns;
	__u64 at;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_delay_credit);
} df_delays SEC(".maps");

/* Take the wait out of this CPU's credit, if it has so much. */
static __always_inline bool delay_afford(__u64 now, __u64 ns)
{
	__u32 zero = 0;
	struct df_delay_credit *c = bpf_map_lookup_elem(&df_delays, &zero);
	__u64 credit;

	if (!c)
		return false;
	credit = c->ns + (now - c->at) / 2;
	if (!c->at || credit > DF_DELAY_CREDIT_NS)
		credit = DF_DELAY_CREDIT_NS;
	c->at = now;
	c->ns = credit;
	if (credit < ns)
		return false;
	c->ns = credit - ns;
	return true;
}

/* A wait took so much longer: interrupts came meanwhile, or the machine below was elsewhere. */
static __always_inline void delay_pay(__u64 ns)
{
	__u32 zero = 0;
	struct df_delay_credit *c = bpf_map_lookup_elem(&df_delays, &zero);

	if (c)
		c->ns -= ns < c->ns ? ns : c->ns;
}

/* The event's counters, if it may wait at all, else NULL. */
static __always_inline struct df_stats *delay_wanted(__u32 event, __u32 rule)
{
	struct df_stats *st = bpf_map_lookup_elem(&df_stats, &event);
	struct df_rule *r = bpf_map_lookup_elem(&df_rules, &rule);

	if (!st || !r || df_ctl.frozen || r->act == DF_ACT_NONE || df_ctl.armed == DF_ACT_NONE)
		return NULL;
	if (df_ctl.tgid && bpf_get_current_pid_tgid() >> 32 == df_ctl.tgid)
		return NULL;
	if (df_ctl.armed == DF_ACT_PANIC)
		return st;
	st->delay_dry++;
	return NULL;
}

static long delay_spin(__u32 i, __u64 *end)
{
	return bpf_ktime_get_ns() >= *end;
}

static __always_inline void delay_wait(struct df_stats *st, __u64 ns)
{
	__u64 begin = bpf_ktime_get_ns(), end = begin + ns, waited;

	if (!delay_afford(begin, ns)) {
		st->delay_often++;
		return;
	}
	bpf_loop(DELAY_SPINS, delay_spin, &end, 0);
	waited = bpf_ktime_get_ns() - begin;
	delay_pay(waited - ns);
	st->delayed++;
	st->delay_ns += waited;
}

/* Looks at the flags: an interrupt that came as we let go of the lock leaves "off" there. */
#define DELAY_LOOKS 3

/* For tracing programs. Where the kernel does not tell, they are taken to be off. */
static __always_inline bool irqs_are_off(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct df_delay_lock *l = bpf_map_lookup_elem(&df_delay_locks, &cpu);
	const unsigned long *flags;

	if (in_nmi() || !l || !&irqsave_flags)
		return true;
	flags = bpf_this_cpu_ptr(&irqsave_flags);
	for (int i = 0; i < DELAY_LOOKS; i++) {
		bpf_spin_lock(&l->lock);
		bpf_spin_unlock(&l->lock);
		if (*(const volatile unsigned long *)flags & EFLAGS_IF)
			return false;
	}
	return true;
}

/* An event waits, in a tracing program. Global, so that it is verified once. */
__attribute__((noinline)) int df_delay(__u32 event, __u32 rule, __u32 ns)
{
	struct df_stats *st = delay_wanted(event, rule);

	if (!st)
		return 0;
	if (ns > DF_DELAY_IRQS_OFF_NS && irqs_are_off())
		st->delay_irqs++;
	else
		delay_wait(st, ns);
	return 0;
}

/* In a uprobe's program. */
__hidden __attribute__((noinline)) int df_delay_user(__u32 event, __u32 rule, __u32 ns)
{
	struct df_stats *st = delay_wanted(event, rule);

	if (st)
		delay_wait(st, ns);
	return 0;
}

/* A record that asks the engine to wait, see df_delay_hit(). */
static __always_inline void delay_ask(struct df_rec *r, __u32 event, __u32 rule, __u32 ns)
{
	r->flags = DF_WAIT;
	r->event = event;
	r->machine = rule;
	r->ops = ns;
}

static __always_inline void delay_answer(const struct df_rec *r)
{
	df_delay(r->event, r->machine, r->ops);
}

#endif
