// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe_tp.c - tracepoints.
 *
 * rawtp:NAME has the arguments that the tracepoint is called with; their names are those of __traceiter_NAME(), whose
 * first parameter is not ours. tracepoint:CATEGORY:NAME has the fields of its record (rules/tp_class.h).
 */
#include "rules/probe.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/tp_class.h"

/* The first of "a|b" that exists. */
static bool find_event(struct check *c, const char *pattern, const char **name, struct kbtf_func *f)
{
	char *copy = arena_strdup(c->arena, pattern), *save = NULL;

	for (char *part = strtok_r(copy, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
		if (kbtf_find_func(c->kbtf, NULL, arena_printf(c->arena, TRACEITER "%s", part), f)) {
			*name = part;
			return true;
		}
	}
	return false;
}

static int offer_event(const struct kbtf_func *f, void *arg)
{
	nearest_offer(arg, f->name + strlen(TRACEITER));
	return 0;
}

/* Their records are described by text in tracefs only: say where the same can be had. */
static bool is_system_call(struct check *c, const struct probe *p)
{
	bool enter = !strncmp(p->pattern, "sys_enter_", 10), leave = !strncmp(p->pattern, "sys_exit_", 9);
	struct diag *d;

	if (p->kind != PROBE_TRACEPOINT || !p->target || strcmp(p->target, "syscalls") != 0 || (!enter && !leave))
		return false;
	d = diag_error(c->diags, TAG_UNKNOWN_FUNCTION, p->span, "'%s' is described by no type in BTF", p->pattern);
	if (enter)
		diag_hint(c->diags, d, "probe kprobe:__x64_sys_%s; its arguments are arg.regs->di, si, dx, r10, r8, r9",
			  p->pattern + 10);
	else
		diag_hint(c->diags, d, "probe kretprobe:__x64_sys_%s, with retval", p->pattern + 9);
	return true;
}

static void no_event(struct check *c, struct event *ev, struct probe *p)
{
	struct nearest near = nearest_init(p->pattern);
	struct diag *d;

	if (ev->optional || ev->wait_module) {
		diag_warn(c->diags, TAG_UNCHECKED, p->span,
			  "no tracepoint '%s' here: the event's expressions are not checked", p->pattern);
		return;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_FUNCTION, p->span, "no tracepoint '%s' in this kernel", p->pattern);
	kbtf_each_func(c->kbtf, NULL, TRACEITER "*", offer_event, &near);
	if (nearest_best(&near))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&near));
	else
		diag_hint(c->diags, d, "if it is in a module: load it, or add when: module-loads");
}

void probe_resolve_tracepoint(struct check *c, struct event *ev, struct probe *p)
{
	const char *name;
	struct kbtf_func f;

	if (!find_event(c, p->pattern, &name, &f)) {
		if (!is_system_call(c, p))
			no_event(c, ev, p);
		return;
	}
	if (p->kind == PROBE_TRACEPOINT) {
		p->record = tp_record(c->arena, c->types, c->kbtf, p->target, &f);
		if (!p->record)
			diag_hint(c->diags, diag_error(c->diags, TAG_UNKNOWN_TYPE, p->span,
						       "the fields of tracepoint '%s' are not in BTF", name),
				  "rawtp:%s has the arguments that it is called with", name);
	}
	p->funcs = arena_new(c->arena, struct probe_func);
	p->nfuncs = 1;
	*p->funcs = (struct probe_func){ .name = name, .module = f.module, .btf = f.btf, .proto_id = f.proto_id };
}

static bool is_readable(const struct type *t)
{
	return type_is_scalar(t) && t->size && t->size <= 8;
}

/* arg.NAME of a tracepoint: a member of its record; a string stands at the end of it, at __data_loc_NAME. */
int tracepoint_arg(struct check *c, struct event *ev, const char *name, struct span span)
{
	const struct type *record = ev->probes[0].record;
	struct event_arg arg = { .name = name, .span = span };
	struct type_member m;
	const char *near;
	struct diag *d;

	if (ev->nprobes > 1 || !record || !name) {
		d = diag_error(c->diags, TAG_NOT_HERE, span,
			       "fields of a tracepoint are named, and it must be the event's only probe");
		if (name)
			diag_hint(c->diags, d, "make an event for each: where a match names an event, a list may stand; or take rawtp:, "
					       "whose arguments may be those of several");
		return -1;
	}
	if (type_find_member(c->types, record, name, &m)) {
		arg.type = m.type;
	} else if (type_find_member(c->types, record, arena_printf(c->arena, "__data_loc_%s", name), &m)) {
		arg.type = type_str(c->types, 64);
		arg.data_loc = true;
	} else {
		d = diag_error(c->diags, TAG_UNKNOWN_ARG, span, "the tracepoint has no field '%s'", name);
		near = type_nearest_member(c->types, record, name);
		if (near)
			diag_hint(c->diags, d, "did you mean '%s'?", near);
		else
			diag_hint(c->diags, d, "deadfall probes '%s' lists them", ev->probes[0].text);
		return -1;
	}
	if (arg.type->kind == TYPE_ARRAY && arg.type->target->is_char) {
		arg.chars = arg.type;
		arg.type = type_str(c->types, arg.type->nelems ? arg.type->nelems : 64);
	}
	if (arg.type->kind != TYPE_STR && !is_readable(arg.type) &&
	    !(arg.type->kind == TYPE_ARRAY && is_readable(arg.type->target))) {
		diag_error(c->diags, TAG_TYPE, span, "field '%s' is a '%s'", name, type_text(c->arena, arg.type));
		return -1;
	}
	arg.member = (struct member_ref){ .base = record, .name = m.name, .bit_off = m.bit_off,
					  .bit_size = m.bit_size };
	ev->args = arena_grow(c->arena, ev->args, ev->nargs, sizeof(arg));
	ev->args[ev->nargs] = arg;
	return (int)ev->nargs++;
}
