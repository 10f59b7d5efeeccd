/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - kinds of probes: how each is written, and what it resolves to.
 *
 * probe.c		the table of kinds, and what is asked of an event's probes together (arguments, return value)
 * probe_parse.c	text of a probe to struct probe
 * probe_tp.c		tracepoints
 * probe_func.c		functions: alternatives, globs, modules, what is denied
 */
#ifndef RULES_PROBE_H
#define RULES_PROBE_H

#include "rules/check.h"
#include "rules/schema.h"

enum probe_flag {
	PROBE_FUNCTION = 1 << 0,	/* at a kernel function whose prototype is in BTF */
	PROBE_AT_RETURN = 1 << 1,	/* has a return value; arguments are those of the entry */
	PROBE_NUMBERED = 1 << 2,	/* in user space: arguments only by number, 64-bit integers */
	PROBE_TRACING = 1 << 3,		/* arguments beyond the registers are there too */
	PROBE_NO_CODE = 1 << 4,		/* a timer: there are no arguments */
	PROBE_RECORD = 1 << 5,		/* arguments are fields of a tracepoint's record */
	PROBE_TRACE = 1 << 6,		/* a tracepoint: the first parameter of its function is not ours */
};

struct probe_kind_info {
	const char *name;
	enum probe_kind kind;
	uint32_t flags;
	const char *form;		/* for messages: "kprobe:FUNCTION" */
	/* The text after "kind:"; returns what is wrong with it, or NULL. */
	const char *(*parse)(struct arena *a, const char *rest, struct probe *p);
};

extern const struct probe_kind_info probe_kinds[];	/* ends with a NULL name */
const struct probe_kind_info *probe_info(enum probe_kind kind);

/* Text of one probe; false after an error that is in r->diags. */
bool probe_parse(struct reader *r, const struct node *n, struct probe *ret);

/* Find the functions of an event's probes. */
void probe_resolve(struct check *c, struct event *ev);
void probe_resolve_functions(struct check *c, struct event *ev, struct probe *p);
void probe_resolve_tracepoint(struct check *c, struct event *ev, struct probe *p);
int tracepoint_arg(struct check *c, struct event *ev, const char *name, struct span span);

/* Do all probes of the event have this flag? Has one of them? */
bool event_all(const struct event *ev, uint32_t flag);
bool event_any(const struct event *ev, uint32_t flag);

/* The slot of an argument, by name or (name NULL) by number; -1 after an error that is in diags. */
int event_arg(struct check *c, struct event *ev, const char *name, uint32_t number, struct span span);

/* The type that all probes of the event return; NULL after an error. */
const struct type *event_retval(struct check *c, struct event *ev, struct span span);

/* After all expressions are checked: positions of the used arguments in each function, equal ones as one body. */
void event_bodies(struct check *c, struct event *ev);

/* Is there an argument of this name, for hints? */
bool event_has_arg(struct check *c, const struct event *ev, const char *name);

#endif
