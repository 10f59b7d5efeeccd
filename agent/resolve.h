/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve.h - what a set attaches to on this kernel: functions found, argument positions looked up, bodies chosen.
 *
 * Globs, alternatives and argument names are resolved here and not when the rule is compiled, so that an object
 * runs on other kernels. The result is, per hook, one list of functions with a cookie each (bpf/hook.h).
 */
#ifndef AGENT_RESOLVE_H
#define AGENT_RESOLVE_H

#include "agent/functions.h"
#include "agent/setinfo.h"
#include "agent/usdt.h"
#include "lib/buf.h"
#include "lib/err.h"

struct kbtf;

/* A kernel function under a hook whose program attaches to many. */
struct target {
	const struct function *func;
	uint64_t cookie;
	uint32_t *bodies;
	uint32_t nbodies;
};

struct hook_plan {
	struct target *targets;
	uint32_t n;
	bool used;			/* something attaches to it */
};

/* A place in a program of user space, and the bodies that run there: a USDT site, or a function. */
struct site_target {
	const char *path;
	const char *what;		/* for messages */
	uint32_t hook;
	uint64_t offset, semaphore;	/* in the file */
	int pid;			/* -1: every process that runs it, now or later */
	bool is_return;
	bool is_usdt;
	struct df_usdt_site site;	/* is_usdt; its cookie is made last */
	uint64_t cookie;		/* else */
	uint32_t *bodies;
	uint32_t nbodies;
};

/* tracepoint:category:name */
struct record_target {
	const char *category, *name;
	uint32_t hook;
	uint64_t cookie;
	uint32_t *bodies;
	uint32_t nbodies;
};

/* interval: one CPU, every `rate` ns; profile: all CPUs, `rate` Hz */
struct timer_target {
	uint64_t rate;
	bool each_cpu;
	uint32_t hook;
	uint32_t body;
};

/* A tracing program: a body at one function or tracepoint. */
struct prog_target {
	uint32_t body;			/* index in info->bodies */
	const char *name, *module;	/* as users know it; module NULL: vmlinux */
	uint32_t btf_id;		/* function, or type of the tracepoint, in the BTF of its module */
};

/* What an event waits for. */
struct wait_target {
	uint32_t event;
	const char *probe;		/* as the rule has it */
	const char *module;		/* NULL: any */
};

struct attach_plan {
	struct hook_plan *hooks;	/* [info->nhooks] */
	struct site_target *sites;
	uint32_t nsites;
	struct record_target *records;
	uint32_t nrecords;
	struct timer_target *timers;
	uint32_t ntimers;
	struct prog_target *progs;	/* those of one body together */
	uint32_t nprogs;
	uint32_t *dispatch;		/* contents of df_dispatch */
	uint32_t ndispatch;
	struct wait_target *waits;	/* probes of events that wait for their module, and are not here */
	uint32_t nwaits;		/* if any, the set cannot be attached yet */
	uint32_t denied;		/* functions that a glob named and that may not be probed */
	char **notes;			/* things a user should know, one line each */
	uint32_t nnotes;
};

/*
 * Resolve the probes of a set and patch the object to the argument positions of this kernel. kbtf may be
 * NULL if no event uses named arguments. Errors name the probe: ERR_ABSENT (no such function, with near names),
 * ERR_INVALID (may not be probed), ERR_UNSUPPORTED (argument positions the object cannot serve).
 */
int resolve(struct arena *a, const struct set_info *info, struct kbtf *kbtf, struct buf *object,
	    struct attach_plan *ret, struct err *err);

#endif
