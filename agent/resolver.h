/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolver.h - the parts of resolve.c, by kind of probe.
 *
 * resolve.c		events and probes in turn; notes and errors; cookies
 * resolve_body.c	which body of an event serves a function, by the positions of its arguments
 * resolve_func.c	kernel functions: found, denied, and by which of the ways that the kernel has
 * resolve_site.c	functions and USDT probes of programs in user space
 * resolve_trace.c	tracepoints
 */
#ifndef AGENT_RESOLVER_H
#define AGENT_RESOLVER_H

#include "agent/resolve.h"
#include "agent/tracers.h"
#include "rules/kbtf.h"

/* Arguments of one event. */
#define ARGS_MAX 12

#define NO_HOOK UINT32_MAX
#define NO_BODY UINT32_MAX

struct resolver {
	struct arena *a;
	const struct set_info *info;
	struct kbtf *kbtf;
	struct buf *object;
	struct functions funcs;
	bool have_functions;
	struct attach_plan *plan;
	struct err *err;
	struct tracers tracers;
	bool *assigned;			/* [info->nbodies]: the body serves positions already */
	uint32_t **target_of;		/* [hook][function]: its target's index + 1, 0: none yet */
	bool failed;
	/* while one probe is resolved */
	const struct info_event *event;
	uint32_t event_index;
	const struct info_probe *probe;
};

/* resolve.c */
void resolve_note(struct resolver *r, char *note);
void resolve_fail(struct resolver *r, enum err_code code, const char *text);

/* The number of a hook by its name. */
uint32_t find_hook(const struct resolver *r, const char *name);

/* The only body of the event under a hook, by its index in the set; NO_BODY if there is none. */
uint32_t only_body(const struct resolver *r, uint32_t hook);

/*
 * May the event be without this probe, which is not here, now or for good? If so a note says it, or the plan: no trap is
 * missing silently.
 */
bool leave_out(struct resolver *r);

/* An event with a delay is under a hook where others on the CPU are missed while it waits: a note says it. */
void note_wait(struct resolver *r);

/* resolve_body.c: positions of the event's arguments in a function; false after an error. */
bool find_positions(struct resolver *r, const char *name, const struct kbtf_func *f, uint32_t first, uint8_t *pos);

/* The body under a hook that takes its arguments from these positions, patched if need be; NO_BODY: none can. */
uint32_t choose_body(struct resolver *r, uint32_t hook, bool save, const uint8_t *pos);

/* A tracing program for a body, at f. */
void add_program(struct resolver *r, uint32_t body, const char *name, const struct kbtf_func *f, uint32_t btf_id);

void resolve_function(struct resolver *r);
void resolve_site(struct resolver *r);
void resolve_rawtp(struct resolver *r);
void resolve_record(struct resolver *r);

#endif
