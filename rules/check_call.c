// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_call.c - functions of the language, one handler each, and what looks like one: sizeof, exists, old.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/probe.h"

static struct expr *make_call(struct check *c, struct expr *e, enum func func, const struct type *type,
			      struct expr **args)
{
	struct expr *r = new_expr(c, EXPR_CALL, e->span, type, NULL, NULL);

	r->index = func;
	r->text = e->text;
	r->list = args;
	r->nlist = e->nlist;
	return r;
}

/* All arguments as values; NULL after an error. */
static struct expr **check_args(struct check *c, struct expr *e)
{
	struct expr **args = arena_array(c->arena, e->nlist, sizeof(*args));
	bool failed = false;

	for (uint32_t i = 0; i < e->nlist; i++) {
		args[i] = check_value(c, e->list[i]);
		failed |= !args[i];
	}
	return failed ? NULL : args;
}

static bool want_integers(struct check *c, const struct expr *e, struct expr **args)
{
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (type_is_integer(args[i]->type))
			continue;
		diag_error(c->diags, TAG_TYPE, args[i]->span, "%s() takes integers, not '%s'", e->text,
			   type_text(c->arena, args[i]->type));
		return false;
	}
	return true;
}

/* IS_ERR(p), IS_ERR_OR_NULL(p): of a pointer, or an integer that holds one or a negative errno. */
static struct expr *call_is_err(struct check *c, struct expr *e, enum func func)
{
	struct expr **args = check_args(c, e);

	if (!args)
		return NULL;
	if (!type_is_scalar(args[0]->type) || args[0]->type->kind == TYPE_BOOL) {
		diag_error(c->diags, TAG_TYPE, args[0]->span, "%s() takes a pointer or an integer", e->text);
		return NULL;
	}
	args[0] = convert(c, args[0], type_int(c->types, 8, false));
	return make_call(c, e, func, type_bool(c->types), args);
}

static struct expr *call_ptr_err(struct check *c, struct expr *e, enum func func)
{
	struct expr **args = check_args(c, e);

	(void)func;
	return args ? convert(c, args[0], type_int(c->types, 8, true)) : NULL;
}

/* str(p), ustr(p), with an optional length of at most 256 */
static struct expr *call_str(struct check *c, struct expr *e, enum func func)
{
	struct expr *p = check_expr(c, e->list[0]), *len = e->nlist > 1 ? check_value(c, e->list[1]) : NULL;
	struct expr **args = arena_new(c->arena, struct expr *);
	uint32_t size = 64;

	if (!p || (e->nlist > 1 && !len))
		return NULL;
	if (len && (!is_const(len) || !len->value || len->value > 256)) {
		diag_error(c->diags, TAG_BAD_VALUE, len->span, "the length is a constant from 1 to 256");
		return NULL;
	}
	if (p->type->kind == TYPE_ARRAY && p->type->nelems && p->type->nelems < 256)
		size = p->type->nelems;
	p = make_value(c, p);
	if (!p)
		return NULL;
	if (p->type->kind == TYPE_STR || (p->type->kind != TYPE_PTR && p->type->size != 8)) {
		diag_error(c->diags, TAG_TYPE, p->span, "%s() takes an address, not '%s'", e->text,
			   type_text(c->arena, p->type));
		return NULL;
	}
	args[0] = p;
	e = make_call(c, e, func, type_str(c->types, len ? (uint32_t)len->value : size), args);
	e->nlist = 1;
	return e;
}

/* before(a, b), after(a, b): right also when the counter wraps */
static struct expr *call_order(struct check *c, struct expr *e, enum func func)
{
	struct expr **args = check_args(c, e);
	const struct type *t;

	if (!args || !want_integers(c, e, args))
		return NULL;
	t = common_type(c, args[0], args[1]);
	t = type_int(c->types, t->size, false);
	for (int i = 0; i < 2; i++)
		args[i] = convert(c, args[i], t);
	return make_call(c, e, func, type_bool(c->types), args);
}

static struct expr *call_min_max(struct check *c, struct expr *e, enum func func)
{
	struct expr **args = check_args(c, e);
	const struct type *t;

	if (!args || !want_integers(c, e, args))
		return NULL;
	t = e->nlist > 1 ? common_type(c, args[0], args[1]) : promoted(c, args[0]);
	for (uint32_t i = 0; i < e->nlist; i++)
		args[i] = convert(c, args[i], t);
	return make_call(c, e, func, t, args);
}

/* kconfig(X): y or m is 1, what is not set is 0 */
static struct expr *call_kconfig(struct check *c, struct expr *e, enum func func)
{
	const struct expr *name = e->list[0];

	if (name->op != EXPR_NAME) {
		diag_error(c->diags, TAG_TYPE, name->span, "kconfig() takes the name of an option: kconfig(KASAN)");
		return NULL;
	}
	e = make_call(c, e, func, type_bool(c->types), NULL);
	e->nlist = 0;
	e->text = strncmp(name->text, "CONFIG_", 7) ? arena_printf(c->arena, "CONFIG_%s", name->text) : name->text;
	return e;
}

bool find_path(struct check *c, const struct expr *e, const struct type *st, const char *path,
		      struct type_member *ret)
{
	char *copy = arena_strdup(c->arena, path), *save = NULL;
	uint32_t bit_off = 0;

	for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save)) {
		const char *near;
		struct diag *d;

		if (type_find_member(c->types, st, name, ret)) {
			ret->bit_off += bit_off;
			bit_off = ret->bit_off;
			st = ret->type;
			continue;
		}
		if (e) {
			d = diag_error(c->diags, TAG_UNKNOWN_FIELD, e->span, "no field '%s' in %s", name,
				       type_text(c->arena, st));
			near = type_nearest_member(c->types, st, name);
			if (near)
				diag_hint(c->diags, d, "did you mean '%s'?", near);
		}
		return false;
	}
	return true;
}

/* container_of(p, struct foo, member): p - offset, typed */
static struct expr *check_container_of(struct check *c, struct expr *e)
{
	const struct type *st = check_cast_type(c, e);
	struct expr *p = check_value(c, e->a), *r;
	struct type_member m;

	if (!st || !p)
		return NULL;
	if (st->kind != TYPE_STRUCT) {
		diag_error(c->diags, TAG_TYPE, e->span, "container_of() takes a struct, not '%s'",
			   type_text(c->arena, st));
		return NULL;
	}
	if (p->type->kind != TYPE_PTR && p->type->size != 8) {
		diag_error(c->diags, TAG_TYPE, p->span, "container_of() takes a pointer, not '%s'",
			   type_text(c->arena, p->type));
		return NULL;
	}
	if (!find_path(c, e, st, e->member.name, &m))
		return NULL;
	if (m.bit_size) {
		diag_error(c->diags, TAG_TYPE, e->span, "a bit-field has no address");
		return NULL;
	}
	if (p->type->kind == TYPE_PTR && p->type->target->kind == TYPE_STRUCT && m.type->kind == TYPE_STRUCT &&
	    !type_same(p->type->target, m.type))
		diag_warn(c->diags, TAG_TYPE, p->span, "'%s' is a %s, this points to a %s", e->member.name,
			  type_text(c->arena, m.type), type_text(c->arena, p->type->target));
	r = new_expr(c, EXPR_CALL, e->span, type_ptr(c->types, st), p, NULL);
	r->index = FUNC_CONTAINER_OF;
	r->text = e->text;
	r->member = (struct member_ref){ .base = st, .name = e->member.name, .bit_off = m.bit_off };
	return r;
}

/* list(head, struct foo, member): a pointer to struct foo for each */
struct expr *check_list(struct check *c, struct expr *e)
{
	const struct type *st = check_cast_type(c, e);
	struct expr *head = check_expr(c, e->a), *r;
	struct type_member m;

	if (!st || !head)
		return NULL;
	if (expr_is_lvalue(head) && head->type->kind == TYPE_STRUCT)
		head = new_expr(c, EXPR_ADDR, head->span, type_ptr(c->types, head->type), head, NULL);
	head = make_value(c, head);
	if (!head || st->kind != TYPE_STRUCT || head->type->kind != TYPE_PTR) {
		diag_error(c->diags, TAG_TYPE, e->span, "it is written %s(head, struct NAME, member)", e->text);
		return NULL;
	}
	if (!find_path(c, e, st, e->member.name, &m))
		return NULL;
	r = new_expr(c, EXPR_CALL, e->span, type_ptr(c->types, st), head, NULL);
	r->index = !strcmp(e->text, "list") ? FUNC_LIST : FUNC_HLIST;
	r->text = e->text;
	r->member = (struct member_ref){ .base = st, .name = e->member.name, .bit_off = m.bit_off };
	return r;
}

static const struct {
	const char *name;
	enum func func;
	uint32_t min, max;
	struct expr *(*check)(struct check *c, struct expr *e, enum func func);
	const char *form;
} functions[] = {
	{ "IS_ERR", FUNC_IS_ERR, 1, 1, call_is_err, "IS_ERR(pointer)" },
	{ "IS_ERR_OR_NULL", FUNC_IS_ERR_OR_NULL, 1, 1, call_is_err, "IS_ERR_OR_NULL(pointer)" },
	{ "PTR_ERR", FUNC_IS_ERR, 1, 1, call_ptr_err, "PTR_ERR(pointer)" },
	{ "str", FUNC_STR, 1, 2, call_str, "str(address) or str(address, length)" },
	{ "ustr", FUNC_USTR, 1, 2, call_str, "ustr(address) or ustr(address, length)" },
	{ "before", FUNC_BEFORE, 2, 2, call_order, "before(a, b)" },
	{ "after", FUNC_AFTER, 2, 2, call_order, "after(a, b)" },
	{ "abs", FUNC_ABS, 1, 1, call_min_max, "abs(a)" },
	{ "ntohs", FUNC_SWAP, 1, 1, call_swap, "ntohs(a)" },
	{ "ntohl", FUNC_SWAP, 1, 1, call_swap, "ntohl(a)" },
	{ "htons", FUNC_SWAP, 1, 1, call_swap, "htons(a)" },
	{ "htonl", FUNC_SWAP, 1, 1, call_swap, "htonl(a)" },
	{ "be16_to_cpu", FUNC_SWAP, 1, 1, call_swap, "be16_to_cpu(a)" },
	{ "be32_to_cpu", FUNC_SWAP, 1, 1, call_swap, "be32_to_cpu(a)" },
	{ "be64_to_cpu", FUNC_SWAP, 1, 1, call_swap, "be64_to_cpu(a)" },
	{ "cpu_to_be16", FUNC_SWAP, 1, 1, call_swap, "cpu_to_be16(a)" },
	{ "cpu_to_be32", FUNC_SWAP, 1, 1, call_swap, "cpu_to_be32(a)" },
	{ "cpu_to_be64", FUNC_SWAP, 1, 1, call_swap, "cpu_to_be64(a)" },
	{ "ipv4", FUNC_SWAP, 1, 1, call_ipv4, "ipv4(\"10.0.0.1\")" },
	{ "min", FUNC_MIN, 2, 2, call_min_max, "min(a, b)" },
	{ "max", FUNC_MAX, 2, 2, call_min_max, "max(a, b)" },
	{ "any", FUNC_ANY, 3, 4, call_loop, "any(x, elements, condition) or any(x, elements, condition, max)" },
	{ "count", FUNC_COUNT, 3, 4, call_loop, "count(x, elements, condition) or with a fourth: max" },
	{ "len", FUNC_LEN, 1, 2, call_len, "len(elements) or len(elements, max)" },
	{ "live", FUNC_LIVE, 1, 9, call_live, "live(table, key...)" },
	{ "any_live", FUNC_ANY_LIVE, 3, 4, call_any_live, "any_live(table, x, condition, max)" },
	{ "flag", FUNC_FLAG, 1, 1, call_flag, "flag(name)" },
	{ "per_cpu", FUNC_PER_CPU, 2, 2, call_per_cpu, "per_cpu(pointer, cpu)" },
	{ "in_code", FUNC_IN_CODE, 2, 2, call_in_code, "in_code(address, \"function\")" },
	{ "kconfig", FUNC_KCONFIG, 1, 1, call_kconfig, "kconfig(OPTION)" },
};

/* What people write who know C and the kernel. */
static const struct {
	const char *name, *hint;
} instead[] = {
	{ "strcmp", "'==' compares text: name == \"sda\"" },
	{ "strncmp", "'like' compares the beginning of text: name like \"sd*\"" },
	{ "strstr", "'like' finds text in text: name like \"*sd*\"" },
	{ "memcmp", "compare words, ((u64 *)p)[0] == ..., or elements: any(b, array(p, 16), b != 0)" },
	{ "READ_ONCE", "each read is one already: leave it out" },
	{ "rcu_dereference", "each read is safe already: leave it out" },
	{ "current", "'task' is the running task: task->FIELD" },
	{ "offsetof", "(u64)&((struct foo *)0)->member is an offset" },
	{ "get_random_u32", "for one hit of many: every: N in the match" },
};

static struct expr *unknown_function(struct check *c, const struct expr *e)
{
	struct nearest n = nearest_init(e->text);
	struct diag *d = diag_error(c->diags, TAG_UNKNOWN_NAME, e->span, "no function '%s'", e->text);
	const char *all = "old, sizeof, container_of, exists";

	for (size_t i = 0; i < sizeof(instead) / sizeof(instead[0]); i++) {
		if (strcmp(instead[i].name, e->text))
			continue;
		diag_hint(c->diags, d, "%s", instead[i].hint);
		return NULL;
	}
	macro_offer_calls(&n);
	nearest_offer(&n, "old");
	nearest_offer(&n, "exists");
	nearest_offer(&n, "container_of");
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		nearest_offer(&n, functions[i].name);
		all = arena_printf(c->arena, "%s, %s", all, functions[i].name);
	}
	if (nearest_best(&n))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&n));
	else
		diag_hint(c->diags, d, "functions of the kernel cannot be called; there are: %s", all);
	return NULL;
}

struct expr *check_call(struct check *c, struct expr *e)
{
	if (!strcmp(e->text, "container_of") && e->cast_name)
		return check_container_of(c, e);
	if (e->cast_name || !strcmp(e->text, "array")) {
		diag_error(c->diags, TAG_TYPE, e->span, "%s() stands only inside any(), count() and len()", e->text);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strcmp(functions[i].name, e->text))
			continue;
		if (e->nlist >= functions[i].min && e->nlist <= functions[i].max)
			return functions[i].check(c, e, functions[i].func);
		diag_error(c->diags, TAG_TYPE, e->span, "it is written %s", functions[i].form);
		return NULL;
	}
	if (is_macro_call(e))
		return check_macro_call(c, e);
	if (!strcmp(e->text, "old")) {
		diag_error(c->diags, TAG_TYPE, e->span, "it is written old(expression)");
		return NULL;
	}
	return unknown_function(c, e);
}

struct expr *check_sizeof(struct check *c, struct expr *e)
{
	const struct type *t;
	struct expr *a;

	if (e->cast_name) {
		t = check_cast_type(c, e);
	} else {
		a = check_expr(c, e->a);
		t = a ? a->type : NULL;
	}
	if (t && !t->size) {
		diag_error(c->diags, TAG_TYPE, e->span, "the size of '%s' is not known", type_text(c->arena, t));
		return NULL;
	}
	return t ? new_int(c, e->span, type_int(c->types, 8, false), t->size) : NULL;
}

static struct expr *absent(struct check *c, const struct expr *e)
{
	return new_int(c, e->span, type_bool(c->types), 0);
}

/* The struct that m takes a member of, whose left side is a; NULL: it is none. */
static const struct type *struct_of(const struct expr *m, const struct expr *a)
{
	const struct type *t = m->arrow && a->type->kind == TYPE_PTR ? a->type->target : a->type;

	return t->kind == TYPE_STRUCT ? t : NULL;
}

/* Of a->b.c: is there no a->b? What else is wrong with the way to the last member is left to who checks it. */
static bool way_is_absent(struct check *c, struct expr *m)
{
	struct expr *before = m->a, *a;
	const struct type *st;
	struct type_member found;

	if (before->op != EXPR_MEMBER || (before->a->op == EXPR_NAME && !before->arrow))
		return false;
	if (way_is_absent(c, before))
		return true;
	c->diags->quiet++;
	a = check_expr(c, before->a);
	c->diags->quiet--;
	st = a ? struct_of(before, a) : NULL;
	return st && !type_find_member(c->types, st, before->member.name, &found) &&
	       !member_macro(c, st, before->member.name);
}

/* exists(arg.x->y): is there a member y in what arg.x points to? */
static struct expr *exists_member(struct check *c, struct expr *e)
{
	struct expr *m = e->a, *a, *r;
	const struct type *st;
	const char *path = m->member.name;
	struct type_member found;

	if (way_is_absent(c, m))
		return absent(c, e);
	a = check_expr(c, m->a);
	if (!a)
		return NULL;
	st = struct_of(m, a);
	if (!st) {
		diag_error(c->diags, TAG_TYPE, m->span, "exists() takes a field of a struct, a type or a function");
		return NULL;
	}
	if (!type_find_member(c->types, st, path, &found)) {
		path = member_macro(c, st, path);
		if (!path || !find_path(c, NULL, st, path, &found))
			return absent(c, e);
		found.name = path;
	}
	r = new_expr(c, EXPR_EXISTS, e->span, type_bool(c->types), NULL, NULL);
	r->index = EXISTS_FIELD;
	r->member = (struct member_ref){ .base = st, .name = found.name, .bit_off = found.bit_off,
					 .bit_size = found.bit_size };
	return r;
}

/* exists(struct foo), exists(struct foo.a.b) */
static struct expr *exists_type(struct check *c, struct expr *e)
{
	const struct type *t = type_by_name(c->types, e->cast_name);
	struct type_member m;
	struct expr *r;

	if (!t || (e->member.name && !find_path(c, NULL, t, e->member.name, &m)))
		return absent(c, e);
	r = new_expr(c, EXPR_EXISTS, e->span, type_bool(c->types), NULL, NULL);
	r->index = e->member.name ? EXISTS_FIELD : EXISTS_TYPE;
	r->member.base = t;
	r->text = e->cast_name;
	if (e->member.name)
		r->member = (struct member_ref){ .base = t, .name = e->member.name, .bit_off = m.bit_off,
						 .bit_size = m.bit_size };
	return r;
}

struct expr *check_exists(struct check *c, struct expr *e)
{
	struct kbtf_func f;
	struct expr *r;

	if (e->cast_name)
		return exists_type(c, e);
	if (e->a->op == EXPR_MEMBER)
		return exists_member(c, e);
	if (e->a->op != EXPR_NAME) {
		diag_error(c->diags, TAG_TYPE, e->a->span,
			   "exists() takes a field of a struct, a type or a function");
		return NULL;
	}
	if (!kbtf_find_func(c->kbtf, NULL, e->a->text, &f))
		return absent(c, e);
	r = new_expr(c, EXPR_EXISTS, e->span, type_bool(c->types), NULL, NULL);
	r->index = EXISTS_FUNC;
	r->text = e->a->text;
	return r;
}

struct expr *check_old(struct check *c, struct expr *e)
{
	struct expr *a;
	bool nested = c->in_old;

	if (!c->event || !event_all(c->event, PROBE_AT_RETURN)) {
		diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, e->span,
					       "old() has a meaning only at a function's return"),
			  "use kretprobe: or fexit:");
		return NULL;
	}
	if (nested) {
		diag_error(c->diags, TAG_NOT_HERE, e->span, "old() inside old()");
		return NULL;
	}
	c->in_old = true;
	a = check_expr(c, e->a);
	if (a && a->type->kind == TYPE_ARRAY && make_string(c, a))
		a = make_string(c, a);
	a = make_value(c, a);
	c->in_old = nested;
	c->event->uses_old = true;
	return a ? new_expr(c, EXPR_OLD, e->span, a->type, a, NULL) : NULL;
}
