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

struct target {
	const struct function *func;
	uint64_t cookie;
	uint32_t *bodies;
	uint32_t nbodies;
};

struct hook_plan {
	struct target *targets;
	uint32_t n;
};

/* A USDT site, or several bodies at one. */
struct site_target {
	const char *path;
	uint32_t hook;
	struct usdt_note note;		/* note.site.cookie is made last */
	uint32_t *bodies;
	uint32_t nbodies;
};

struct attach_plan {
	struct hook_plan *hooks;	/* [info->nhooks] */
	struct site_target *sites;
	uint32_t nsites;
	uint32_t *dispatch;		/* contents of df_dispatch */
	uint32_t ndispatch;
	uint32_t denied;		/* functions that a glob named and that may not be probed */
	char **notes;			/* things a user should know, one line each */
	uint32_t nnotes;
};

/*
 * Resolve the function probes of a set and patch the object to the argument positions of this kernel. kbtf may be
 * NULL if no event uses named arguments. Errors name the probe: ERR_ABSENT (no such function, with near names),
 * ERR_INVALID (may not be probed), ERR_UNSUPPORTED (argument positions the object cannot serve).
 */
int resolve(struct arena *a, const struct set_info *info, struct kbtf *kbtf, struct buf *object,
	    struct attach_plan *ret, struct err *err);

#endif
