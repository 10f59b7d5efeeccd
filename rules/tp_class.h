/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tp_class.h - which record a tracepoint has: struct trace_event_raw_CLASS.
 *
 * Many events share a class (DECLARE_EVENT_CLASS, include/linux/tracepoint.h), and BTF does not say which. But the class's
 * own function __bpf_trace_CLASS() has the very prototype of __traceiter_EVENT(), which leaves one or a few. Of these:
 *
 *	- on the running kernel, if tracefs may be read, only those whose members are the event's fields;
 *	- else what is known of the kernel's sources where nothing else tells;
 *	- else the likeliest: parameters of the same names, a class that is no event itself, a name like the event's. If
 *	  that is two, none.
 *
 * Before a set is attached the fields that it uses are compared with those in tracefs, in any case (agent/resolve_trace.c).
 */
#ifndef RULES_TP_CLASS_H
#define RULES_TP_CLASS_H

#define TRACEITER "__traceiter_"

struct arena;
struct kbtf;
struct kbtf_func;
struct types;

/*
 * The record of a tracepoint, or NULL if it is not known. iter: its __traceiter_EVENT(). category: as the rule has it, or a
 * glob; used for tracefs only.
 */
const struct type *tp_record(struct arena *a, struct types *types, struct kbtf *kbtf, const char *category,
			     const struct kbtf_func *iter);

#endif
