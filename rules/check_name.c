// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_name.c - what a name stands for: the event's arguments, the current task, an earlier step, a constant.
 */
#include "rules/check_match.h"

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/probe.h"
#include "rules/schema.h"

/* Types of builtins that are not integers. */
enum builtin_type { INTEGER, BOOLEAN, TASK, COMM, FUNCTION };

static const struct builtin_name {
	const char *name;
	enum builtin builtin;
	enum builtin_type type;
	uint8_t size;
	bool is_signed;
} globals[] = {
	{ "task", BUILTIN_TASK, TASK, 8, false }, { "current", BUILTIN_TASK, TASK, 8, false },
	{ "cpu", BUILTIN_CPU, INTEGER, 4, false }, { "now", BUILTIN_NOW, INTEGER, 8, false },
	{ "func", BUILTIN_FUNC, FUNCTION, 8, false }, { "cgroup", BUILTIN_CGROUP, INTEGER, 8, false },
	{ "kthread", BUILTIN_KTHREAD, BOOLEAN, 1, false }, { "irqs_off", BUILTIN_IRQS_OFF, BOOLEAN, 1, false },
	{ "in_irq", BUILTIN_IN_IRQ, BOOLEAN, 1, false }, { "in_hardirq", BUILTIN_IN_IRQ, BOOLEAN, 1, false },
	{ "in_softirq", BUILTIN_IN_SOFTIRQ, BOOLEAN, 1, false }, { "in_task", BUILTIN_IN_TASK, BOOLEAN, 1, false },
	{ "in_serving_softirq", BUILTIN_IN_SERVING_SOFTIRQ, BOOLEAN, 1, false },
	{ "pidns", BUILTIN_PIDNS, INTEGER, 4, false },
	{ "netns", BUILTIN_NETNS, INTEGER, 4, false },
	{ "kernel_version", BUILTIN_KERNEL_VERSION, INTEGER, 4, true },
};

/* task.NAME */
static const struct builtin_name of_task[] = {
	{ "comm", BUILTIN_COMM, COMM, 16, false }, { "pid", BUILTIN_PID, INTEGER, 4, true },
	{ "tid", BUILTIN_TID, INTEGER, 4, true }, { "uid", BUILTIN_UID, INTEGER, 4, false },
	{ "gid", BUILTIN_GID, INTEGER, 4, false }, { "parent", BUILTIN_PARENT, TASK, 8, false },
	{ "cgroup", BUILTIN_CGROUP, INTEGER, 8, false }, { "kthread", BUILTIN_KTHREAD, BOOLEAN, 1, false },
	{ "pidns", BUILTIN_PIDNS, INTEGER, 4, false }, { "netns", BUILTIN_NETNS, INTEGER, 4, false },
};

/* What is known of an earlier step besides its fields. */
static const struct {
	const char *name;
	enum step_attr attr;
	uint8_t size;
	bool is_signed;
} of_step[] = {
	{ "comm", STEP_COMM, 16, false }, { "pid", STEP_PID, 4, true }, { "tid", STEP_TID, 4, true },
	{ "cpu", STEP_CPU, 4, false }, { "time", STEP_TIME, 8, false }, { "func", STEP_FUNC, 8, false },
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct builtin_name *find_builtin(const struct builtin_name *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

static const struct type *function_ptr(struct check *c)
{
	struct type *f = arena_new(c->arena, struct type);

	f->kind = TYPE_FUNC;
	return type_ptr(c->types, f);
}

static const struct type *task_ptr(struct check *c, struct span span)
{
	const struct type *task = type_by_name(c->types, "struct task_struct");

	if (task)
		return type_ptr(c->types, task);
	diag_error(c->diags, TAG_UNKNOWN_TYPE, span, "the kernel's BTF has no struct task_struct");
	return NULL;
}

/* A timer comes by an interrupt. */
static bool is_never(struct check *c, const struct expr *e, const struct builtin_name *b)
{
	if (b->builtin != BUILTIN_IRQS_OFF || !c->event || !event_any(c->event, PROBE_NO_CODE))
		return false;
	diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, e->span, "a timer never finds interrupts off: it comes by one"),
		  "rules/catalog/kernel-irqs-off.yaml asks how late timers come, and shows who had interrupts off");
	return true;
}

static struct expr *make_builtin(struct check *c, struct expr *e, const struct builtin_name *b)
{
	struct expr *r = new_expr(c, EXPR_BUILTIN, e->span, NULL, NULL, NULL);

	if (is_never(c, e, b))
		return NULL;
	r->index = b->builtin;
	r->text = b->name;
	switch (b->type) {
	case INTEGER:
		r->type = type_int(c->types, b->size, b->is_signed);
		break;
	case BOOLEAN:
		r->type = type_bool(c->types);
		break;
	case COMM:
		r->type = type_str(c->types, 16);
		break;
	case FUNCTION:
		r->type = function_ptr(c);
		break;
	case TASK:
		r->type = task_ptr(c, e->span);
		break;
	}
	return r->type ? r : NULL;
}

/* A name that needs an event: said where there is none, as in a parameter. */
static bool needs_event(struct check *c, const struct expr *e, const char *name)
{
	if (c->event)
		return true;
	diag_error(c->diags, TAG_NOT_HERE, e->span, "'%s' is known only at an event", name);
	return false;
}

static struct expr *make_arg(struct check *c, struct expr *e, const char *name, uint32_t number, struct span span)
{
	struct expr *r;
	int slot;

	if (!needs_event(c, e, name ? name : "argN"))
		return NULL;
	slot = event_arg(c, c->event, name, number, span);
	if (slot < 0)
		return NULL;
	r = new_expr(c, EXPR_ARG, e->span, c->event->args[slot].type, NULL, NULL);
	r->index = (uint32_t)slot;
	r->text = name ? name : arena_printf(c->arena, "%u", number);
	return r;
}

static struct expr *make_retval(struct check *c, struct expr *e)
{
	const struct type *t;

	if (!needs_event(c, e, "retval"))
		return NULL;
	if (c->in_old) {
		diag_error(c->diags, TAG_NOT_HERE, e->span, "old() is evaluated at entry, where there is no retval");
		return NULL;
	}
	t = event_retval(c, c->event, e->span);
	return t ? new_expr(c, EXPR_RETVAL, e->span, t, NULL, NULL) : NULL;
}

/* "arg3" -> 3 */
static bool numbered_arg(const char *name, uint32_t *number)
{
	if (strncmp(name, "arg", 3) || strlen(name) > 5 || !name[3] || name[3 + strspn(name + 3, "0123456789")])
		return false;
	*number = (uint32_t)atoi(name + 3);
	return true;
}

/* The event of step n, and what conditions call it: an automaton's steps are its events. */
static const struct event *step_of(const struct check *c, uint32_t n, const char **label)
{
	const struct match *m = &c->rule->match;

	*label = m->kind == MATCH_AUTOMATON ? m->up.items[n]->name : m->steps[n].label;
	return m->kind == MATCH_AUTOMATON ? m->up.items[n] : m->steps[n].event;
}

static int find_step(const struct check *c, const char *name)
{
	const char *label;

	for (uint32_t i = 0; i < c->nsteps; i++) {
		step_of(c, i, &label);
		if (!strcmp(label, name))
			return (int)i;
	}
	return -1;
}

/* CAPITALS */
static bool is_macro_name(const char *name)
{
	return !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

/* What a return value is called elsewhere. */
static bool means_retval(const char *name)
{
	static const char *const names[] = { "ret", "rc", "rv", "res", "result", "returned" };

	for (size_t i = 0; i < LEN(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/* The name of something that the rule has, but that is written otherwise: how? NULL: it has none. */
static const char *written_otherwise(struct check *c, const char *name)
{
	for (uint32_t i = 0; c->event && i < c->event->nfields; i++) {
		if (!strcmp(c->event->fields[i].name, name))
			return "what this event records is known to others only: write its expression once more";
	}
	for (uint32_t i = 0; i < c->rule->nparams; i++) {
		if (!strcmp(c->rule->params[i].name, name))
			return arena_printf(c->arena, "a parameter is written $%s", name);
	}
	return NULL;
}

static struct expr *unknown_name(struct check *c, const struct expr *e)
{
	struct nearest n = nearest_init(means_retval(e->text) ? "retval" : e->text);
	bool is_arg = c->event && event_has_arg(c, c->event, e->text);
	const char *how = written_otherwise(c, e->text);
	struct kbtf_func f;
	struct diag *d;

	if (!is_arg && find_step(c, e->text) < 0 && check_misplaced_event(c, e))
		return NULL;
	d = diag_error(c->diags, TAG_UNKNOWN_NAME, e->span, "nothing is called '%s' here", e->text);
	if (d == &c->diags->dropped)
		return NULL;
	if (is_arg) {
		diag_hint(c->diags, d, "the function's argument is written arg.%s", e->text);
		return NULL;
	}
	if (how) {
		diag_hint(c->diags, d, "%s", how);
		return NULL;
	}
	if (kbtf_find_func(c->kbtf, NULL, e->text, &f)) {
		diag_hint(c->diags, d, "the address of a function is written &%s", e->text);
		return NULL;
	}
	if (find_step(c, e->text) >= 0) {
		diag_hint(c->diags, d, "'%s' is a step: name what is meant of it, such as %s.tid", e->text, e->text);
		return NULL;
	}
	for (size_t i = 0; i < LEN(globals); i++)
		nearest_offer(&n, globals[i].name);
	nearest_offer(&n, "retval");
	macro_offer_names(&n);
	kbtf_offer_names(c->kbtf, BTF_KIND_ENUM64, &n);
	if (nearest_best(&n))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&n));
	else if (find_builtin(of_task, LEN(of_task), e->text))
		diag_hint(c->diags, d, "did you mean 'task.%s'?", e->text);
	else if (is_macro_name(e->text))
		diag_hint(c->diags, d, "the kernel's types tell nothing of its macros: write the number");
	else
		diag_hint(c->diags, d, "of a variable of the kernel the address is known: *(int *)&%s, ((struct TYPE *)&%s)->FIELD",
			  e->text, e->text);
	return NULL;
}

/* An enumerator: its name and enum stay with the number, because another kernel may have given it another one. */
static struct expr *make_enumerator(struct check *c, const struct expr *e, const struct type *type,
				    const struct type *of, int64_t value)
{
	struct expr *r = new_int(c, e->span, type, (uint64_t)value);

	r->text = e->text;
	r->member.base = of;
	return r;
}

/* Flags of requests are macros: REQ_FUA is bit number __REQ_FUA. */
static bool is_flag(struct check *c, const char *name)
{
	const struct btf *btf;
	int64_t bit;
	uint32_t id;

	return (!strncmp(name, "REQ_", 4) || !strncmp(name, "RQF_", 4)) &&
	       kbtf_find_enumerator(c->kbtf, arena_printf(c->arena, "__%s", name), &bit, &btf, &id) == 1 && bit >= 0 && bit < 32;
}

/* An enumerator of the wanted enum, a macro, a flag, an enumerator of any enum. */
static struct expr *check_constant(struct check *c, struct expr *e, const struct type *wanted)
{
	const struct type *of;
	const struct btf *btf;
	uint32_t n, id, size;
	struct expr *r;
	int64_t value;

	if (wanted && wanted->kind == TYPE_ENUM && type_enum_value(wanted, e->text, &value))
		return make_enumerator(c, e, wanted, wanted, value);
	if (macro_value(c->kbtf, e->text, &value)) {
		size = value > UINT32_MAX ? 8 : 4;
		r = new_int(c, e->span, type_int(c->types, size, value <= INT32_MAX), (uint64_t)value);
		r->text = e->text;
		return r;
	}
	n = kbtf_find_enumerator(c->kbtf, e->text, &value, &btf, &id);
	if (!n && is_flag(c, e->text))
		return check_text(c, arena_printf(c->arena, "1u << __%s", e->text), NULL, e);
	if (!n)
		return unknown_name(c, e);
	if (n > 1) {
		diag_hint(c->diags, diag_error(c->diags, TAG_AMBIGUOUS, e->span,
					       "several enums of the kernel have '%s', with different values", e->text),
			  "say which one: (enum NAME)%s", e->text);
		return NULL;
	}
	of = type_from_btf(c->types, btf, id);
	/* In C an enumerator is an int where that holds it. */
	if (value >= INT32_MIN && value <= INT32_MAX)
		return make_enumerator(c, e, type_int(c->types, 4, true), of, value);
	return make_enumerator(c, e, of, of, value);
}

struct expr *check_name(struct check *c, struct expr *e, const struct type *wanted)
{
	const struct builtin_name *b = find_builtin(globals, LEN(globals), e->text);
	uint32_t number;

	if (is_bound(c, e->text, false))
		return check_bound(c, e, NULL);
	if (b)
		return make_builtin(c, e, b);
	if (numbered_arg(e->text, &number))
		return make_arg(c, e, NULL, number, e->span);
	if (!strcmp(e->text, "retval"))
		return make_retval(c, e);
	if (!strcmp(e->text, "true") || !strcmp(e->text, "false"))
		return new_int(c, e->span, type_bool(c->types), *e->text == 't');
	if (!strcmp(e->text, "NULL"))
		return new_int(c, e->span, type_ptr(c->types, type_void(c->types)), 0);
	if (!strcmp(e->text, "arg")) {
		diag_error(c->diags, TAG_SYNTAX, e->span, "an argument is written arg.NAME or arg0");
		return NULL;
	}
	return check_constant(c, e, wanted);
}

/* A field of the event of an earlier step, or what every event has. */
static struct expr *check_step(struct check *c, struct expr *e, uint32_t step)
{
	const char *label;
	const struct event *ev = step_of(c, step, &label);
	struct expr *r = new_expr(c, EXPR_STEP, e->span, NULL, NULL, NULL);
	struct nearest n = nearest_init(e->member.name);
	struct diag *d;

	r->index = step;
	r->text = label;
	r->member.name = e->member.name;
	for (uint32_t i = 0; i < ev->nfields; i++) {
		nearest_offer(&n, ev->fields[i].name);
		if (strcmp(ev->fields[i].name, e->member.name))
			continue;
		r->value = STEP_FIELD;
		r->field = &ev->fields[i];
		r->type = ev->fields[i].expr ? ev->fields[i].expr->type : NULL;
		return r->type ? r : NULL;
	}
	for (size_t i = 0; i < LEN(of_step); i++) {
		nearest_offer(&n, of_step[i].name);
		if (strcmp(of_step[i].name, e->member.name))
			continue;
		r->value = of_step[i].attr;
		r->type = r->value == STEP_COMM ? type_str(c->types, 16) :
			  r->value == STEP_FUNC ? function_ptr(c) :
			  type_int(c->types, of_step[i].size, of_step[i].is_signed);
		return r;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_FIELD, expr_member_span(e), "event '%s' has no field '%s'", ev->name,
		       e->member.name);
	if (nearest_best(&n))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&n));
	else
		diag_hint(c->diags, d, "record it there: fields: {%s: ...}", e->member.name);
	return NULL;
}

static struct expr *no_member(struct check *c, const struct expr *e, const struct type *st)
{
	struct diag *d;
	const char *near;

	if (!st->size && st->kind == TYPE_STRUCT) {
		d = diag_error(c->diags, TAG_UNKNOWN_FIELD, expr_member_span(e), "%s is only declared, not defined, in this BTF",
			       type_text(c->arena, st));
		diag_hint(c->diags, d, "it may be in a module that is not loaded (--btf MODULE.ko)");
		return NULL;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_FIELD, expr_member_span(e), "no field '%s' in %s", e->member.name,
		       type_text(c->arena, st));
	near = type_nearest_member(c->types, st, e->member.name);
	if (near)
		diag_hint(c->diags, d, "did you mean '%s'?", near);
	return NULL;
}

/* Fields that are macros in the kernel's sources, unknown to BTF: what a name's prefix stands for. */
static const struct {
	const char *type, *prefix, *real;
} member_macros[] = {
	{ "sock", "sk_", "__sk_common.skc_" },
	{ "inet_sock", "inet_", "sk.__sk_common.skc_" },
	{ "inet_timewait_sock", "tw_", "__tw_common.skc_" },
	{ "file", "f_dentry", "f_path.dentry" },
	{ "file", "f_vfsmnt", "f_path.mnt" },
	{ "task_struct", "state", "__state" },
};

const char *member_macro(struct check *c, const struct type *st, const char *name)
{
	struct type_member m;
	const char *path;

	for (size_t i = 0; st->name && i < LEN(member_macros); i++) {
		size_t len = strlen(member_macros[i].prefix);

		if (strcmp(member_macros[i].type, st->name) || strncmp(name, member_macros[i].prefix, len))
			continue;
		path = arena_printf(c->arena, "%s%s", member_macros[i].real, name + len);
		if (find_path(c, NULL, st, path, &m))
			return path;
	}
	return NULL;
}

static struct expr *make_member(struct check *c, struct expr *e, struct expr *a, const char *name, bool arrow)
{
	const struct type *st = arrow ? a->type->target : a->type;
	struct type_member m;
	const char *path;
	struct expr *r;
	char *save;

	if (!type_find_member(c->types, st, name, &m)) {
		path = member_macro(c, st, name);
		if (!path)
			return no_member(c, e, st);
		for (name = strtok_r(arena_strdup(c->arena, path), ".", &save); name; name = strtok_r(NULL, ".", &save)) {
			a = make_member(c, e, a, name, arrow);
			arrow = false;
		}
		return a;
	}
	r = new_expr(c, EXPR_MEMBER, e->span, m.type, a, NULL);
	r->arrow = arrow;
	r->member = (struct member_ref){ .base = st, .name = m.name, .bit_off = m.bit_off, .bit_size = m.bit_size };
	return r;
}

/* What helpers tell of the current task, of another one. */
static const char *text_of_task(const char *name)
{
	static const char *const texts[][2] = {
		{ "uid", "a->cred->uid.val" }, { "gid", "a->cred->gid.val" }, { "kthread", "(a->flags & PF_KTHREAD) != 0" },
		{ "cgroup", "a->cgroups->dfl_cgrp->kn->id" }, { "netns", "a->nsproxy->net_ns->ns.inum" },
	};

	for (size_t i = 0; i < LEN(texts); i++) {
		if (!strcmp(texts[i][0], name))
			return texts[i][1];
	}
	return NULL;
}

/* task.parent.pid: the names that users know, at any task. */
static struct expr *check_task_member(struct check *c, struct expr *e, struct expr *task)
{
	static const char *const aliases[][2] = { { "pid", "tgid" }, { "tid", "pid" }, { "parent", "real_parent" } };
	const struct builtin_name *b = find_builtin(of_task, LEN(of_task), e->member.name);
	const char *name = e->member.name;

	if (b && task->op == EXPR_BUILTIN && task->index == BUILTIN_TASK)
		return make_builtin(c, e, b);
	if (text_of_task(name))
		return check_text(c, text_of_task(name), &e->a, e);
	for (size_t i = 0; i < LEN(aliases); i++) {
		if (!strcmp(name, aliases[i][0])) {
			name = aliases[i][1];
			break;
		}
	}
	return make_member(c, e, task, name, true);
}

static bool is_task_chain(const struct expr *e)
{
	const struct type *t = e->type;

	if (e->op == EXPR_MEMBER && e->arrow)
		return !strcmp(e->member.name, "real_parent") && is_task_chain(e->a);
	return e->op == EXPR_BUILTIN && t->kind == TYPE_PTR && t->target->name &&
	       !strcmp(t->target->name, "task_struct");
}

/* What a.name or a->name is wrong about, with a of this type. */
static struct expr *not_a_struct(struct check *c, const struct expr *e, const struct expr *a)
{
	bool to_struct = a->type->kind == TYPE_PTR && a->type->target->kind == TYPE_STRUCT;
	struct diag *d = diag_error(c->diags, TAG_TYPE, e->span, "'%s' takes %s on its left, not '%s'",
				    e->arrow ? "->" : ".", e->arrow ? "a pointer to a struct" : "a struct",
				    type_text(c->arena, a->type));

	if (!e->arrow && to_struct)
		diag_hint(c->diags, d, "it is a pointer: write ->%s", e->member.name);
	else if (e->arrow && a->type->kind == TYPE_STRUCT)
		diag_hint(c->diags, d, "it is not a pointer: write .%s", e->member.name);
	else if (a->type->kind == TYPE_PTR && a->type->target->kind == TYPE_VOID)
		diag_hint(c->diags, d, "cast it: ((struct NAME *)...)->%s", e->member.name);
	else if (type_is_integer(a->type) && a->type->size == 8)
		diag_hint(c->diags, d, "if it is an address, cast it: ((struct NAME *)...)->%s", e->member.name);
	return NULL;
}

struct expr *check_member(struct check *c, struct expr *e)
{
	struct expr *a;
	int step;

	if (e->a->op == EXPR_NAME && !e->arrow) {
		if (!strcmp(e->a->text, "arg"))
			return make_arg(c, e, e->member.name, 0, expr_member_span(e));
		if (is_bound(c, e->a->text, true))
			return check_bound(c, e, e->member.name);
		step = find_step(c, e->a->text);
		if (step >= 0)
			return check_step(c, e, (uint32_t)step);
	}
	a = check_expr(c, e->a);
	if (!a)
		return NULL;
	if (!e->arrow && is_task_chain(a))
		return check_task_member(c, e, a);
	if (e->arrow && a->type->kind == TYPE_ARRAY)
		a = make_value(c, a);
	if (e->arrow ? a->type->kind != TYPE_PTR || a->type->target->kind != TYPE_STRUCT :
		       a->type->kind != TYPE_STRUCT)
		return not_a_struct(c, e, a);
	return make_member(c, e, a, e->member.name, e->arrow);
}

struct expr *check_param(struct check *c, struct expr *e)
{
	struct nearest n = nearest_init(e->text);
	struct diag *d;
	struct expr *r;

	for (uint32_t i = 0; i < c->rule->nparams; i++) {
		const struct param *p = &c->rule->params[i];

		nearest_offer(&n, p->name);
		if (strcmp(p->name, e->text))
			continue;
		r = new_expr(c, EXPR_PARAM, e->span, p->kind == PARAM_STR ? type_str(c->types, 64) :
			     type_int(c->types, 8, true), NULL, NULL);
		r->index = p->index;
		r->text = p->name;
		return r;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_PARAM, e->span, "the rule has no parameter '$%s'", e->text);
	if (nearest_best(&n))
		diag_hint(c->diags, d, "did you mean '$%s'?", nearest_best(&n));
	else if (!strcmp(e->text, "retval") || find_builtin(globals, LEN(globals), e->text))
		diag_hint(c->diags, d, "that is no parameter: write %s", e->text);
	else
		diag_hint(c->diags, d, "declare it: params: {%s: 10s}", e->text);
	return NULL;
}

/* The address of a function or variable; one that BTF does not know may exist all the same and is found at load. */
struct expr *check_symbol(struct check *c, struct expr *e, const char *name)
{
	const struct type *target = type_void(c->types);
	struct kbtf_func f;
	const struct btf *btf;
	struct expr *r;
	uint32_t id;

	if (!is_identifier(name)) {
		diag_error(c->diags, TAG_UNKNOWN_NAME, e->span, "'%s' is no name of a function or variable", name);
		return NULL;
	}
	if (kbtf_find_func(c->kbtf, NULL, name, &f)) {
		target = function_ptr(c)->target;
	} else {
		id = kbtf_find(c->kbtf, name, BTF_KIND_VAR, &btf);
		if (id)
			target = type_from_btf(c->types, btf, btf__type_by_id(btf, id)->type);
		else
			diag_warn(c->diags, TAG_UNCHECKED, e->span,
				  "'%s' is not in BTF: whether the kernel has it is seen when the rule is loaded",
				  name);
	}
	r = new_expr(c, EXPR_SYMBOL, e->span, type_ptr(c->types, target), NULL, NULL);
	r->text = name;
	return r;
}

const struct type *check_cast_type(struct check *c, const struct expr *e)
{
	const struct type *t = type_by_name(c->types, e->cast_name);
	const char *near;
	struct diag *d;

	if (!t) {
		d = diag_error(c->diags, TAG_UNKNOWN_TYPE, e->span, "the kernel has no type '%s'", e->cast_name);
		near = type_nearest(c->types, e->cast_name);
		if (near)
			diag_hint(c->diags, d, "did you mean '%s'?", near);
		return NULL;
	}
	for (uint32_t i = 0; i < e->cast_ptr; i++)
		t = type_ptr(c->types, t);
	return e->user_cast && t->kind == TYPE_PTR ? type_user_ptr(c->types, t->target) : t;
}
