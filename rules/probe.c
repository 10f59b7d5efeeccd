// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe.c - what is asked of all probes of an event together: their arguments, what they return.
 *
 * An expression names an argument once; each function of the event has it at its own place. A slot of event->args[]
 * stands for the name; event_bodies() finds the places, and functions with equal ones share a body.
 */
#include "rules/probe.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"

#define REGISTERS_MAX 6		/* integer arguments that come in registers on x86-64 */
#define TRACING_ARGS_MAX 12

bool event_all(const struct event *ev, uint32_t flag)
{
	for (uint32_t i = 0; i < ev->nprobes; i++) {
		if (!(probe_info(ev->probes[i].kind)->flags & flag))
			return false;
	}
	return ev->nprobes > 0;
}

bool event_any(const struct event *ev, uint32_t flag)
{
	for (uint32_t i = 0; i < ev->nprobes; i++) {
		if (probe_info(ev->probes[i].kind)->flags & flag)
			return true;
	}
	return false;
}

/* Where an argument is: its slot in registers (or the trampoline's array); -1 beyond them. */
static int arg_place(struct check *c, const struct probe *p, const struct probe_func *f, uint32_t n)
{
	int max = probe_info(p->kind)->flags & PROBE_TRACING ? TRACING_ARGS_MAX : REGISTERS_MAX;
	const struct type *type;
	const char *name;
	int place = 0;

	if (!f->btf)
		return n < REGISTERS_MAX ? (int)n : -1;
	if (p->kind == PROBE_RAWTP)
		return (int)n - 1;

	for (uint32_t i = 0; i <= n; i++) {
		uint32_t words;

		if (!type_proto_param(c->types, f->btf, f->proto_id, i, &name, &type))
			return -1;
		words = type->size > 16 ? 0 : type->size > 8 ? 2 : 1;
		if (i == n)
			return words && place + (int)words <= max ? place : -1;
		place += (int)words;
	}
	return -1;
}

/* The number of the parameter that is meant in this function; -1: it has none. */
static int find_param(struct check *c, const struct probe *p, const struct probe_func *f, const char *name,
		      uint32_t number, const struct type **type)
{
	uint32_t first = probe_info(p->kind)->flags & PROBE_TRACE ? 1 : 0;
	const char *have;

	*type = type_int(c->types, 8, false);
	if (!f->btf)
		return name ? -1 : (int)number;
	for (uint32_t i = first; type_proto_param(c->types, f->btf, f->proto_id, i, &have, type); i++) {
		if (name ? have && !strcmp(have, name) : i - first == number)
			return (int)i;
	}
	return -1;
}

static const char *list_params(struct check *c, const struct probe_func *f)
{
	const struct type *type;
	const char *all = "", *name;

	for (uint32_t i = 0; f->btf && type_proto_param(c->types, f->btf, f->proto_id, i, &name, &type); i++)
		all = arena_printf(c->arena, "%s%s%s", all, i ? ", " : "", name ? name : "?");
	return all;
}

static void hint_arg(struct check *c, struct diag *d, const struct probe_func *f, const char *name)
{
	struct nearest n = nearest_init(name);
	const struct type *type;
	const char *have;

	for (uint32_t i = 0; type_proto_param(c->types, f->btf, f->proto_id, i, &have, &type); i++) {
		if (have)
			nearest_offer(&n, have);
	}
	if (nearest_best(&n))
		diag_hint(c->diags, d, "did you mean '%s'? Its arguments are: %s", nearest_best(&n),
			  list_params(c, f));
	else if (!strncmp(f->name, "__x64_sys_", 10))
		diag_hint(c->diags, d, "a system call's arguments are arg.regs->di, si, dx, r10, r8, r9");
	else
		diag_hint(c->diags, d, "its arguments are: %s", *list_params(c, f) ? list_params(c, f) : "none");
}

/* One search over all functions of an event. */
struct arg_search {
	const char *name;
	uint32_t number;
	const struct type *type;		/* of the first function that has it */
	const struct probe *probe;		/* that function's */
	const struct probe_func *first, *lacks, *other, *deep;
	const struct type *other_type;
	uint32_t nlacks, nfuncs;
};

static void search_func(struct check *c, struct arg_search *s, const struct probe *p, const struct probe_func *f)
{
	const struct type *type;
	int n = find_param(c, p, f, s->name, s->number, &type);

	s->nfuncs++;
	if (n < 0) {
		s->nlacks++;
		if (!s->lacks)
			s->lacks = f;
		return;
	}
	if (!s->deep && arg_place(c, p, f, (uint32_t)n) < 0)
		s->deep = f;
	if (!s->first) {
		s->first = f;
		s->probe = p;
		s->type = type;
	} else if (!s->other && !type_same(s->type, type)) {
		s->other = f;
		s->other_type = type;
	}
}

static const char *arg_text(struct check *c, const struct arg_search *s)
{
	return s->name ? s->name : arena_printf(c->arena, "arg%u", s->number);
}

/* One that comes in a register, such as pte_t. */
static bool is_small_struct(const struct type *t)
{
	return t->kind == TYPE_STRUCT && (t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
}

/* The number of the argument that was searched by its name. */
static int find_number(struct check *c, const struct arg_search *s)
{
	const struct type *type;
	int n = find_param(c, s->probe, s->first, s->name, 0, &type);

	return probe_info(s->probe->kind)->flags & PROBE_TRACE ? n - 1 : n;
}

/* What the search found wrong, as an error; true if nothing. */
static bool search_ok(struct check *c, const struct arg_search *s, struct span span)
{
	const char *what = arg_text(c, s);
	struct diag *d;

	if (s->nlacks && !s->lacks->btf) {
		d = diag_error(c->diags, TAG_UNKNOWN_ARG, span, "%s() is not in BTF: its arguments have no names",
			       s->lacks->name);
		diag_hint(c->diags, d, "they are arg0, arg1, ...: 64-bit integers; cast them: (struct NAME *)arg0");
		return false;
	}
	if (s->nlacks && s->nfuncs == 1) {
		d = diag_error(c->diags, TAG_UNKNOWN_ARG, span, "%s() has no argument '%s'", s->lacks->name, what);
		hint_arg(c, d, s->lacks, what);
		return false;
	}
	if (s->nlacks) {
		d = diag_error(c->diags, TAG_UNKNOWN_ARG, span, "%u of %u functions have no argument '%s', such as %s()",
			       s->nlacks, s->nfuncs, what, s->lacks->name);
		hint_arg(c, d, s->lacks, what);
		return false;
	}
	if (s->other) {
		d = diag_error(c->diags, TAG_DISAGREE, span, "'%s' is '%s' in %s() and '%s' in %s()", what,
			       type_text(c->arena, s->type), s->first->name, type_text(c->arena, s->other_type),
			       s->other->name);
		diag_hint(c->diags, d, "leave one of them out ({glob,!%s}), or make two events", s->other->name);
		return false;
	}
	if (s->deep) {
		d = diag_error(c->diags, TAG_NOT_HERE, span, "argument '%s' of %s() is not in a register", what,
			       s->deep->name);
		diag_hint(c->diags, d, "fentry: and fexit: see it");
		return false;
	}
	if (type_is_scalar(s->type) && s->type->size <= 8)
		return true;
	if (is_small_struct(s->type) && !s->name)
		return true;
	d = diag_error(c->diags, TAG_TYPE, span, "argument '%s' is a '%s', passed by value", what, type_text(c->arena, s->type));
	if (is_small_struct(s->type))
		diag_hint(c->diags, d, "its bytes as one number: arg%d", find_number(c, s));
	return false;
}

static int find_slot(const struct event *ev, const char *name, uint32_t number)
{
	for (uint32_t i = 0; i < ev->nargs; i++) {
		const struct event_arg *a = &ev->args[i];

		if (name ? a->name && !strcmp(a->name, name) : !a->name && a->number == number)
			return (int)i;
	}
	return -1;
}

static int add_slot(struct check *c, struct event *ev, struct event_arg arg)
{
	ev->args = arena_grow(c->arena, ev->args, ev->nargs, sizeof(arg));
	ev->args[ev->nargs] = arg;
	return (int)ev->nargs++;
}

static int numbered_arg(struct check *c, struct event *ev, const char *name, uint32_t number, struct span span)
{
	if (!event_all(ev, PROBE_NUMBERED)) {
		diag_error(c->diags, TAG_NOT_HERE, span, "probes of kernel and user functions have no arguments in common");
		return -1;
	}
	if (name) {
		diag_hint(c->diags, diag_error(c->diags, TAG_UNKNOWN_ARG, span, "arguments have no names here"),
			  "they are arg0, arg1, ...: 64-bit integers; (int)arg1, ustr(arg1)");
		return -1;
	}
	if (number >= 12) {
		diag_error(c->diags, TAG_UNKNOWN_ARG, span, "there are at most 12 arguments: arg0 to arg11");
		return -1;
	}
	return add_slot(c, ev, (struct event_arg){ .number = number, .span = span,
						   .type = type_int(c->types, 8, true) });
}

int event_arg(struct check *c, struct event *ev, const char *name, uint32_t number, struct span span)
{
	struct arg_search s = { .name = name, .number = number };
	int slot = find_slot(ev, name, number);

	if (slot >= 0)
		return slot;
	if (event_any(ev, PROBE_NO_CODE)) {
		diag_error(c->diags, TAG_NOT_HERE, span, "a timer has no arguments");
		return -1;
	}
	if (event_any(ev, PROBE_NUMBERED))
		return numbered_arg(c, ev, name, number, span);
	if (event_any(ev, PROBE_RECORD))
		return tracepoint_arg(c, ev, name, span);
	for (uint32_t i = 0; i < ev->nprobes; i++) {
		for (uint32_t j = 0; j < ev->probes[i].nfuncs; j++)
			search_func(c, &s, &ev->probes[i], &ev->probes[i].funcs[j]);
	}
	if (!s.nfuncs || !search_ok(c, &s, span))
		return -1;
	if (is_small_struct(s.type))
		s.type = type_int(c->types, s.type->size, false);
	return add_slot(c, ev, (struct event_arg){ .name = name, .number = number, .type = s.type, .span = span });
}

bool event_has_arg(struct check *c, const struct event *ev, const char *name)
{
	const struct type *type;

	for (uint32_t i = 0; i < ev->nprobes; i++) {
		if (ev->probes[i].nfuncs && find_param(c, &ev->probes[i], &ev->probes[i].funcs[0], name, 0, &type) >= 0)
			return true;
	}
	return false;
}

/* Functions return different things: what takes those that agree. */
static void hint_returns(struct check *c, struct diag *d, const struct probe *p)
{
	if (p->nfuncs > 1 && !p->returns)
		diag_hint(c->diags, d, "\"%s -> int\" takes those that return an int, and so on", p->text);
	else
		diag_hint(c->diags, d, "make two events: where a match names an event, a list may stand");
}

static bool retval_ok(struct check *c, const struct type *type, const struct probe *p, const struct probe_func *f,
		      struct span span)
{
	struct diag *d;

	if (type_is_scalar(type) && type->size <= 8)
		return true;
	if (type->kind == TYPE_VOID)
		d = diag_error(c->diags, TAG_TYPE, span, "%s() returns nothing", f->name);
	else
		d = diag_error(c->diags, TAG_TYPE, span, "%s() returns a '%s', which does not fit a register", f->name,
			       type_text(c->arena, type));
	if (p->nfuncs > 1)
		hint_returns(c, d, p);
	return false;
}

static const char *returns_text(struct check *c, const struct probe_func *f, const struct type *type)
{
	return arena_printf(c->arena, "%s() returns '%s'", f->name, type_text(c->arena, type));
}

const struct type *event_retval(struct check *c, struct event *ev, struct span span)
{
	const struct type *first = NULL, *type;
	const struct probe_func *where = NULL;
	struct diag *d;

	if (!event_all(ev, PROBE_AT_RETURN)) {
		diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, span, "there is no return value at entry"),
			  "use kretprobe: or fexit:");
		return NULL;
	}
	if (event_any(ev, PROBE_NUMBERED))
		return type_int(c->types, 8, true);
	for (uint32_t i = 0; i < ev->nprobes; i++) {
		const struct probe *p = &ev->probes[i];

		for (uint32_t j = 0; j < p->nfuncs; j++) {
			const struct probe_func *f = &p->funcs[j];

			type = f->btf ? type_proto_ret(c->types, f->btf, f->proto_id) : type_int(c->types, 8, true);
			if (!first && !retval_ok(c, type, p, f, span))
				return NULL;
			if (first && !type_same(first, type)) {
				d = diag_error(c->diags, TAG_DISAGREE, span, "%s, %s", returns_text(c, where, first),
					       returns_text(c, f, type));
				hint_returns(c, d, p);
				return NULL;
			}
			first = first ? first : type;
			where = where ? where : f;
		}
	}
	return first;
}

/* The number of an equal vector, or of a new one. */
static uint32_t body_number(struct check *c, struct event *ev, const uint8_t ***bodies, const uint8_t *pos)
{
	for (uint32_t i = 0; i < ev->nbodies; i++) {
		if (!memcmp((*bodies)[i], pos, ev->nargs))
			return i;
	}
	*bodies = arena_grow(c->arena, *bodies, ev->nbodies, sizeof(**bodies));
	(*bodies)[ev->nbodies] = pos;
	return ev->nbodies++;
}

void event_bodies(struct check *c, struct event *ev)
{
	const uint8_t **bodies = NULL;

	ev->nbodies = 0;
	for (uint32_t i = 0; i < ev->nprobes; i++) {
		struct probe *p = &ev->probes[i];

		for (uint32_t j = 0; j < p->nfuncs; j++) {
			struct probe_func *f = &p->funcs[j];

			f->argpos = arena_alloc(c->arena, ev->nargs + 1);
			if (probe_info(p->kind)->flags & PROBE_RECORD)
				continue;
			for (uint32_t k = 0; k < ev->nargs; k++) {
				const struct type *type;
				int n = find_param(c, p, f, ev->args[k].name, ev->args[k].number, &type);

				f->argpos[k] = n < 0 ? (uint8_t)ev->args[k].number :
					       (uint8_t)arg_place(c, p, f, (uint32_t)n);
			}
			f->body = body_number(c, ev, &bodies, f->argpos);
		}
	}
	if (!ev->nbodies)
		ev->nbodies = 1;
}

void probe_resolve(struct check *c, struct event *ev)
{
	uint32_t nfuncs = 0, nfunction_probes = 0;

	for (uint32_t i = 0; i < ev->nprobes; i++) {
		struct probe *p = &ev->probes[i];
		const struct probe_kind_info *info = probe_info(p->kind);

		if (!(info->flags & (PROBE_FUNCTION | PROBE_TRACE)))
			continue;
		nfunction_probes++;
		if (info->flags & PROBE_TRACE)
			probe_resolve_tracepoint(c, ev, p);
		else
			probe_resolve_functions(c, ev, p);
		nfuncs += p->nfuncs;
		ev->waits = ev->waits || (ev->wait_module && !p->nfuncs);
	}
	ev->unresolved = nfunction_probes && !nfuncs;
}
