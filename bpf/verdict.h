/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - a match is complete: what is done about it.
 *
 * The least of what the rule may do, what the set may do (armed, dry run), and what losses allow. A panic is
 * pronounced once: the first freezes the recording on all CPUs before the crash; if crash_kexec comes back (it
 * returns silently when no crash kernel is loaded or another CPU holds the kexec lock) recording goes on and the
 * agent is told to take the next rung.
 */
#ifndef BPF_VERDICT_H
#define BPF_VERDICT_H

#include "bpf/runtime.h"

static __always_inline void note(__u32 kind, __u32 index)
{
	struct df_note n = { .kind = kind, .index = index };

	if (bpf_ringbuf_output(&df_out, &n, sizeof(n), 0))
		__sync_fetch_and_add(&df_ctl.notes_lost, 1);
}

static __always_inline void fire_write(struct df_rec *r, __u32 rule, __u32 index, __u32 act)
{
	struct df_fire *f = bpf_map_lookup_elem(&df_fires, &index);

	if (!f)
		return;
	f->valid = 0;
	barrier();
	f->rule = rule;
	f->event = r->event;
	f->act = act;
	f->ns = r->ns;
	f->seq = r->seq;
	f->pid = r->pid_tgid >> 32;
	f->tid = (__u32)r->pid_tgid;
	f->cpu = bpf_get_smp_processor_id();
	f->gen = r->gen;
	f->losses = r->losses;
	((__u64 *)f->comm)[0] = r->comm[0];
	((__u64 *)f->comm)[1] = r->comm[1];
	f->nsteps = DF_STEPS;
	__builtin_memcpy(f->step, r->step, sizeof(f->step));
	f->key.table = r->key.table;
	f->key.pad = 0;
	__builtin_memcpy(f->key.part, r->key.part, sizeof(f->key.part));
	barrier();
	f->valid = 1;
}

#define ONLY_COUNT (-1)

/* Would a crash be captured? The crash kernel may have been unloaded since the set was armed. */
static __always_inline bool dump_possible(const struct df_rule *rule)
{
	__u64 image = 0;

	if (!rule->needs_dump || !df_has.crash_image)
		return true;
	return bpf_probe_read_kernel(&image, sizeof(image), (void *)df_has.crash_image) || image;
}

/* What this match may do now: DF_ACT_*, or ONLY_COUNT. */
static __always_inline int verdict(const struct df_rec *r, struct df_rule *rule)
{
	__u32 act = rule->act < df_ctl.armed ? rule->act : df_ctl.armed;
	__u32 n = __sync_fetch_and_add(&rule->fires, 1) + 1;

	if (act == DF_ACT_NONE || (rule->every > 1 && n % rule->every))
		return ONLY_COUNT;
	if (rule->cooldown_ns && rule->last_ns && (r->ns <= rule->last_ns || r->ns - rule->last_ns < rule->cooldown_ns))
		return ONLY_COUNT;
	if (r->losses && rule->on_loss == DF_LOSS_SUPPRESS)
		return DF_ACT_NONE;
	if (r->losses && rule->on_loss == DF_LOSS_LOG)
		return DF_ACT_LOG;
	return act == DF_ACT_PANIC && (r->ns < rule->not_before || !dump_possible(rule)) ? DF_ACT_LOG : act;
}

/* One pair of df_flag_sets. */
static __always_inline void flag_set(__u32 i)
{
	__u64 flag;

	barrier_var(i);
	if (i >= df_cfg_nflag_sets)
		return;
	barrier_var(i);
	flag = df_flag_sets[2 * i];
	if (flag < df_cfg_nflags)
		df_flags[flag] = df_flag_sets[2 * i + 1];
}

/*
 * What a rule does besides a panic or a log. In a dry run flags are set and rules stop, because that decides what
 * happens next; no signal is sent. Nor is one when a deadline has passed: the running task is any.
 */
static __always_inline void other_actions(const struct df_rec *r, struct df_rule *rule)
{
	for (__u32 i = 0; i < DF_FLAGS_SET; i++) {
		if (i < rule->nflags)
			flag_set(rule->first_flag + i);
	}
	if (rule->stop)
		rule->act = DF_ACT_NONE;
	if (rule->signal && df_ctl.armed == DF_ACT_PANIC && !(r->flags & DF_DEADLINE))
		bpf_send_signal(rule->signal);
}

static const char reason_format[] SEC(".rodata.df_text") = "%s: key 0x%llx, task %s, tid %u";

/* The first rung: a panic that tells the kernel's log which rule it was. */
static __always_inline void panic_with_reason(const struct df_rec *r, struct df_rule *rule, __u32 rule_index)
{
	__u64 args[4] = { (__u64)rule->name, r->key.part[0], (__u64)r->comm, (__u32)r->pid_tgid };

	bpf_snprintf(df_ctl.reason, sizeof(df_ctl.reason), reason_format, args, sizeof(args));
	bpf_panic(df_ctl.reason, rule_index);
}

static __always_inline void crash(const struct df_rec *r, struct df_rule *rule, __u32 rule_index, __u32 index)
{
	df_ctl.fired = index + 1;
	if (df_has.bpf_panic)
		panic_with_reason(r, rule, rule_index);
	if (df_has.crash_kexec)
		crash_kexec(NULL);
	__sync_fetch_and_add(&df_ctl.crash_returned, 1);
	__sync_val_compare_and_swap(&df_ctl.frozen, DF_FROZEN_CRASH, DF_FROZEN_NOT);
	note(DF_NOTE_CRASH_RETURNED, index);
}

/* A verdict in one number, never 0. */
#define VERDICT(index, act) (((index) << 2 | (__u32)(act)) + 1)
#define VERDICT_INDEX(v) (((v) - 1) >> 2)
#define VERDICT_ACT(v) (((v) - 1) & 3)

/*
 * The match that the record's event completed. Returns the VERDICT that the agent is to be told (bpf/told.h), or 0. A global function: the verifier checks it once, on its own, and not
 * for every path through the engine that leads here (v6.1 would need more than its million instructions).
 */
__attribute__((noinline)) int df_verdict(struct df_rec *r, __u32 rule_index)
{
	struct df_stats *st;
	struct df_rule *rule;
	__u32 index, event;
	int act;

	if (!r)
		return 0;
	event = r->event;
	st = bpf_map_lookup_elem(&df_stats, &event);
	rule = bpf_map_lookup_elem(&df_rules, &rule_index);
	if (!rule || !st)
		return 0;
	if (rule->last_seq == r->seq)
		return 0;
	rule->last_seq = r->seq;
	st->fired++;
	act = verdict(r, rule);
	if (act == ONLY_COUNT)
		return 0;
	rule->last_ns = r->ns;
	if (act == DF_ACT_PANIC && __sync_val_compare_and_swap(&df_ctl.frozen, DF_FROZEN_NOT, DF_FROZEN_CRASH))
		return 0;
	if (df_ctl.frozen == DF_FROZEN_PARTIAL)
		return 0;
	index = __sync_fetch_and_add(&df_ctl.fires, 1);
	if (index >= DF_FIRES)
		index = DF_FIRES + rule_index;
	if (act != DF_ACT_NONE)
		other_actions(r, rule);
	fire_write(r, rule_index, index, act);
	if (act != DF_ACT_PANIC)
		return VERDICT(index, act);
	crash(r, rule, rule_index, index);
	return 0;
}

#endif
