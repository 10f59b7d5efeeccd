// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_expr.c - operators: what they take, what C converts it to.
 *
 * Each function checks its operands, both before it gives up, so that one run shows all errors. NULL stands for an
 * expression with an error that was reported.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"

static const char *op_text(enum expr_op op)
{
	static const char *const texts[] = {
		[EXPR_NEG] = "-", [EXPR_COMPL] = "~", [EXPR_NOT] = "!", [EXPR_MUL] = "*", [EXPR_DIV] = "/",
		[EXPR_MOD] = "%", [EXPR_ADD] = "+", [EXPR_SUB] = "-", [EXPR_SHL] = "<<", [EXPR_SHR] = ">>",
		[EXPR_LT] = "<", [EXPR_LE] = "<=", [EXPR_GT] = ">", [EXPR_GE] = ">=", [EXPR_EQ] = "==",
		[EXPR_NE] = "!=", [EXPR_AND] = "&", [EXPR_XOR] = "^", [EXPR_OR] = "|", [EXPR_LAND] = "&&",
		[EXPR_LOR] = "||", [EXPR_IN] = "in",
	};

	return texts[op];
}

static struct expr *wrong_type(struct check *c, const struct expr *e, const char *op, const struct expr *operand,
			       const char *wanted)
{
	diag_error(c->diags, TAG_TYPE, e->span, "'%s' takes %s, not '%s'", op, wanted,
		   type_text(c->arena, operand->type));
	return NULL;
}

struct expr *make_value(struct check *c, struct expr *e)
{
	const struct type *t;

	if (!e)
		return NULL;
	t = e->type;
	if (t->kind == TYPE_ARRAY && e->op == EXPR_ARG) {
		diag_error(c->diags, TAG_TYPE, e->span, "a record's array is no value: pick an element, [0]");
		return NULL;
	}
	if (t->kind == TYPE_ARRAY)
		return new_expr(c, EXPR_ADDR, e->span, type_ptr(c->types, t->target), e, NULL);
	if (type_is_scalar(t) && t->size <= 8 && t->size)
		return e;
	if (t->kind == TYPE_STR)
		return e;
	if (t->kind == TYPE_STRUCT)
		diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, e->span, "%s as a whole is not a value",
					       type_text(c->arena, t)),
			  "name a member, take its address with &, or keep its bytes with keep: [{bytes: ..., len: ...}]");
	else if (t->kind == TYPE_FUNC)
		return new_expr(c, EXPR_ADDR, e->span, type_ptr(c->types, t), e, NULL);
	else
		diag_error(c->diags, TAG_TYPE, e->span, "'%s' is not a value that can be computed with",
			   type_text(c->arena, t));
	return NULL;
}

/* Something != 0. */
static struct expr *make_cond(struct check *c, struct expr *e)
{
	struct expr *cmp, *zero;

	e = make_value(c, e);
	if (!e)
		return NULL;
	if (e->type->kind == TYPE_BOOL)
		return e;
	if (e->type->kind == TYPE_STR) {
		diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, e->span, "a string is neither true nor false"),
			  "compare it: == \"text\", like \"pattern*\"");
		return NULL;
	}
	zero = new_int(c, e->span, e->type, 0);
	if (is_const(e) && !is_enumerator(e))
		return new_int(c, e->span, type_bool(c->types), e->value != 0);
	cmp = new_expr(c, EXPR_NE, e->span, type_bool(c->types), e, zero);
	return cmp;
}

/* A pointer to a function compared with "name" means &name. */
static bool is_func_ptr(const struct expr *e)
{
	return e->type->kind == TYPE_PTR && e->type->target->kind == TYPE_FUNC;
}

/* Pointers compare with pointers, NULL, and integers, which are extended as C extends them. */
static struct expr *compare_pointers(struct check *c, struct expr *e, struct expr *a, struct expr *b)
{
	const struct type *t = a->type->kind == TYPE_PTR ? a->type : b->type;

	if (a->type->kind != TYPE_PTR)
		a = convert(c, convert(c, a, type_int(c->types, 8, a->type->is_signed)), t);
	if (b->type->kind != TYPE_PTR)
		b = convert(c, convert(c, b, type_int(c->types, 8, b->type->is_signed)), t);
	e = new_expr(c, e->op, e->span, type_bool(c->types), a, b);
	return fold(c, e);
}

static struct expr *check_compare(struct check *c, struct expr *e, struct expr *a, struct expr *b)
{
	const struct type *t;
	struct expr *cmp;

	if (is_cgroup(a) && b->op == EXPR_STR && (e->op == EXPR_EQ || e->op == EXPR_NE))
		return cgroup_compare(c, e, b, false);
	if (a->op == EXPR_STR && is_func_ptr(b))
		a = check_symbol(c, a, a->text);
	else if (b->op == EXPR_STR && is_func_ptr(a))
		b = check_symbol(c, b, b->text);
	if (a && b && wants_string(a, b)) {
		if (e->op == EXPR_EQ || e->op == EXPR_NE)
			return string_compare(c, e, a, b, false);
		return wrong_type(c, e, op_text(e->op), a->type->kind == TYPE_STR ? a : b, "numbers");
	}
	a = make_value(c, a);
	b = make_value(c, b);
	if (!a || !b)
		return NULL;
	if (a->type->kind == TYPE_PTR || b->type->kind == TYPE_PTR)
		return compare_pointers(c, e, a, b);
	t = common_type(c, a, b);
	cmp = new_expr(c, e->op, e->span, type_bool(c->types), convert(c, a, t), convert(c, b, t));
	warn_if_constant(c, cmp, a, b);
	warn_byte_order(c, cmp, a, b);
	warn_sign(c, cmp, a, b);
	warn_errno(c, cmp, a, b);
	return fold(c, cmp);
}

/* p + n, n + p, p - n: in steps of what p points to. */
static struct expr *offset_pointer(struct check *c, struct expr *e, struct expr *p, struct expr *n)
{
	const struct type *u64 = type_int(c->types, 8, false), *s64 = type_int(c->types, 8, true);
	uint64_t size = p->type->target->size ? p->type->target->size : 1;
	struct expr *off;

	if (!p->type->target->size && p->type->target->kind != TYPE_VOID)
		return wrong_type(c, e, op_text(e->op), p, "a pointer to something of known size");
	n = convert(c, n, n->type->is_signed ? s64 : u64);
	off = fold(c, new_expr(c, EXPR_MUL, n->span, u64, convert(c, n, u64), new_int(c, n->span, u64, size)));
	e = fold(c, new_expr(c, e->op, e->span, u64, convert(c, p, u64), size == 1 ? convert(c, n, u64) : off));
	return convert(c, e, p->type);
}

static struct expr *subtract_pointers(struct check *c, struct expr *e, struct expr *a, struct expr *b)
{
	const struct type *s64 = type_int(c->types, 8, true);
	uint64_t size = a->type->target->size ? a->type->target->size : 1;

	if (size != (b->type->target->size ? b->type->target->size : 1))
		return wrong_type(c, e, "-", b, "pointers to the same type");
	e = fold(c, new_expr(c, EXPR_SUB, e->span, s64, convert(c, a, s64), convert(c, b, s64)));
	if (size == 1)
		return e;
	return fold(c, new_expr(c, EXPR_DIV, e->span, s64, e, new_int(c, e->span, s64, size)));
}

static struct expr *check_arithmetic(struct check *c, struct expr *e, struct expr *a, struct expr *b)
{
	bool additive = e->op == EXPR_ADD || e->op == EXPR_SUB;
	const struct type *t;

	a = make_value(c, a);
	b = make_value(c, b);
	if (!a || !b)
		return NULL;
	if (additive && a->type->kind == TYPE_PTR && type_is_integer(b->type))
		return offset_pointer(c, e, a, b);
	if (e->op == EXPR_ADD && b->type->kind == TYPE_PTR && type_is_integer(a->type))
		return offset_pointer(c, e, b, a);
	if (e->op == EXPR_SUB && a->type->kind == TYPE_PTR && b->type->kind == TYPE_PTR)
		return subtract_pointers(c, e, a, b);
	if (!type_is_integer(a->type))
		return wrong_type(c, e, op_text(e->op), a, "integers");
	if (!type_is_integer(b->type))
		return wrong_type(c, e, op_text(e->op), b, "integers");
	t = e->op == EXPR_SHL || e->op == EXPR_SHR ? promoted(c, a) : common_type(c, a, b);
	return fold(c, new_expr(c, e->op, e->span, t, convert(c, a, t), convert(c, b, t)));
}

/* An operand; a bare name that may be a constant of the other side's enum is looked up there first. */
static void check_operands(struct check *c, struct expr *e, struct expr **a, struct expr **b)
{
	if (e->a->op == EXPR_NAME && e->b->op != EXPR_NAME) {
		*b = check_expr(c, e->b);
		*a = check_name(c, e->a, *b ? (*b)->type : NULL);
		return;
	}
	*a = check_expr(c, e->a);
	*b = e->b->op == EXPR_NAME ? check_name(c, e->b, *a ? (*a)->type : NULL) : check_expr(c, e->b);
}

enum here { HERE_FALSE, HERE_TRUE, HERE_OPEN };

/* What a condition is on the kernel whose types are known, as far as constants and exists() decide it. */
static enum here known_here(const struct expr *e)
{
	enum here a, b, decides = e && e->op == EXPR_LOR ? HERE_TRUE : HERE_FALSE;

	if (!e)
		return HERE_OPEN;
	if (is_const(e))
		return e->value ? HERE_TRUE : HERE_FALSE;
	if (e->op == EXPR_EXISTS)
		return HERE_TRUE;
	if (e->op != EXPR_NOT && e->op != EXPR_LAND && e->op != EXPR_LOR)
		return HERE_OPEN;
	a = known_here(e->a);
	if (e->op == EXPR_NOT)
		return a == HERE_OPEN ? a : !a;
	b = known_here(e->b);
	return a == decides || b == decides ? decides : a == b ? a : HERE_OPEN;
}

/* In the place of what only other kernels look at, and cannot be checked with this one's types: unknown there. */
static struct expr *unchecked(struct check *c, const struct expr *e, const struct type *t)
{
	const struct type *s64 = type_int(c->types, 8, true);
	struct expr *zero = new_int(c, e->span, s64, 0);

	return convert(c, new_expr(c, EXPR_DIV, e->span, s64, zero, zero), t);
}

/* The right side of && is looked at quietly where the left side says that it cannot be reached. */
static struct expr *check_logic(struct check *c, struct expr *e)
{
	struct expr *a = check_cond(c, e->a), *b;
	struct assumed left = { .cond = a, .up = c->assumed };
	bool dead = known_here(a) == (e->op == EXPR_LOR ? HERE_TRUE : HERE_FALSE);

	c->diags->quiet += dead;
	if (e->op == EXPR_LAND)
		c->assumed = &left;
	b = check_cond(c, e->b);
	c->assumed = left.up;
	c->diags->quiet -= dead;
	if (dead && is_const(a))
		return new_int(c, e->span, type_bool(c->types), a->value);
	if (dead && !b)
		b = unchecked(c, e->b, type_bool(c->types));
	if (!a || !b)
		return NULL;
	return fold(c, new_expr(c, e->op, e->span, type_bool(c->types), a, b));
}

static struct expr *check_unary(struct check *c, struct expr *e)
{
	struct expr *a = check_value(c, e->a);
	const struct type *t;

	if (!a)
		return NULL;
	if (!type_is_integer(a->type))
		return wrong_type(c, e, op_text(e->op), a, "an integer");
	t = promoted(c, a);
	return fold(c, new_expr(c, e->op, e->span, t, convert(c, a, t), NULL));
}

static struct expr *check_deref(struct check *c, struct expr *e)
{
	struct expr *a = check_value(c, e->a);

	if (!a)
		return NULL;
	if (a->type->kind != TYPE_PTR || a->type->target->kind == TYPE_VOID)
		return wrong_type(c, e, "*", a, "a pointer to something");
	return new_expr(c, EXPR_DEREF, e->span, a->type->target, a, NULL);
}

static struct expr *check_addr(struct check *c, struct expr *e)
{
	struct expr *a;

	if (e->a->op == EXPR_NAME)
		return check_symbol(c, e, e->a->text);
	a = check_expr(c, e->a);
	if (!a)
		return NULL;
	if (!expr_is_lvalue(a) || (a->op == EXPR_MEMBER && a->member.bit_size)) {
		diag_error(c->diags, TAG_TYPE, e->span, "'&' takes something that has an address");
		return NULL;
	}
	return new_expr(c, EXPR_ADDR, e->span, type_ptr(c->types, a->type), a, NULL);
}

/* The array that a record's string is made of: for one of its bytes. */
static struct expr *chars_of(struct check *c, struct expr *e)
{
	const struct type *chars = e->op == EXPR_ARG ? c->event->args[e->index].chars : NULL;
	struct expr *array;

	if (!chars)
		return e;
	array = arena_new(c->arena, struct expr);
	*array = *e;
	array->type = chars;
	return array;
}

static struct expr *check_index(struct check *c, struct expr *e)
{
	struct expr *a = check_expr(c, e->a), *b = check_value(c, e->b);
	const struct type *t;

	if (!a || !b)
		return NULL;
	a = chars_of(c, a);
	t = a->type;
	if (a->op == EXPR_ARG && t->kind == TYPE_ARRAY && !is_const(b)) {
		diag_error(c->diags, TAG_TYPE, b->span, "an element of a record's array is picked by a constant");
		return NULL;
	}
	if (a->op == EXPR_INDEX && a->a->type->kind == TYPE_ARRAY && t->kind != TYPE_ARRAY && t->kind != TYPE_PTR) {
		diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, e->span, "the array has one dimension here: %u times '%s'",
					       a->a->type->nelems, type_text(c->arena, t)),
			  "the kernel's types have an array of arrays, T a[M][N], as one of M * N elements: a[i * N + j]");
		return NULL;
	}
	if ((t->kind != TYPE_ARRAY && t->kind != TYPE_PTR) || !t->target->size)
		return wrong_type(c, e, "[]", a, "an array or a pointer to something of known size");
	if (!type_is_integer(b->type))
		return wrong_type(c, e, "[]", b, "an integer between the brackets");
	if (is_const(b) && t->kind == TYPE_ARRAY && t->nelems > 1 && b->value >= t->nelems) {
		diag_error(c->diags, TAG_CONSTANT, e->b->span, "index %lld of an array of %u", (long long)b->value,
			   t->nelems);
		return NULL;
	}
	b = convert(c, b, type_int(c->types, 8, b->type->is_signed));
	return new_expr(c, EXPR_INDEX, e->span, t->target, a, b);
}

static struct expr *check_cast(struct check *c, struct expr *e)
{
	const struct type *t = check_cast_type(c, e);
	struct expr *a;

	if (t && e->a->op == EXPR_NAME)
		a = make_value(c, check_name(c, e->a, t));
	else
		a = check_value(c, e->a);
	if (!a || !t)
		return NULL;
	if (!type_is_scalar(t) || t->size > 8)
		return wrong_type(c, e, "(cast)", &(struct expr){ .type = t }, "an integer or pointer type");
	if (a->type->kind == TYPE_STR)
		return wrong_type(c, e, "(cast)", a, "a number or pointer");
	if (is_const(a))
		return convert_const(c, a, t);
	return new_expr(c, EXPR_CAST, e->span, t, a, NULL);
}

static struct expr *check_ternary(struct check *c, struct expr *e)
{
	struct expr *a = check_cond(c, e->a), *x, *y, *r;
	const struct type *t;
	enum here here = known_here(a);
	bool known = a && is_const(a);

	c->diags->quiet += here == HERE_FALSE;
	x = check_value(c, e->b);
	c->diags->quiet -= here == HERE_FALSE;
	c->diags->quiet += here == HERE_TRUE;
	y = check_value(c, e->c);
	c->diags->quiet -= here == HERE_TRUE;
	if (known && !(x && y))
		return a->value ? x : y;
	if (here == HERE_FALSE && !x && y)
		x = unchecked(c, e->b, y->type);
	if (here == HERE_TRUE && x && !y)
		y = unchecked(c, e->c, x->type);
	if (!a || !x || !y)
		return NULL;
	if (x->type->kind == TYPE_STR || y->type->kind == TYPE_STR)
		return wrong_type(c, e, "?:", x->type->kind == TYPE_STR ? x : y, "numbers or pointers");
	if (x->type->kind == TYPE_PTR || y->type->kind == TYPE_PTR)
		t = x->type->kind == TYPE_PTR ? x->type : y->type;
	else if (x->type->kind == TYPE_BOOL && y->type->kind == TYPE_BOOL)
		t = x->type;
	else
		t = common_type(c, x, y);
	if (known)
		return convert(c, a->value ? x : y, t);
	r = new_expr(c, EXPR_COND, e->span, t, a, convert(c, x, t));
	r->c = convert(c, y, t);
	return r;
}

/* a in ["x", "y"] is a == "x" || a == "y". */
static struct expr *in_strings(struct check *c, struct expr *e, struct expr *a)
{
	struct expr *all = NULL, *cmp, eq = *e;
	bool failed = false;

	eq.op = EXPR_EQ;
	for (uint32_t i = 0; i < e->nlist; i++) {
		struct expr *item = check_expr(c, e->list[i]);

		eq.span = e->list[i]->span;
		cmp = item ? check_compare(c, &eq, a, item) : NULL;
		failed |= !cmp;
		if (cmp)
			all = all ? new_expr(c, EXPR_LOR, e->span, type_bool(c->types), all, cmp) : cmp;
	}
	return failed ? NULL : all;
}

/* a in $set: numbers of 64 bits */
static struct expr *in_set(struct check *c, struct expr *e, struct expr *a)
{
	struct expr *set;

	a = make_value(c, a);
	if (!a)
		return NULL;
	if (a->type->kind == TYPE_STR)
		return wrong_type(c, e, "in", a, "a number left of a set");
	for (uint32_t i = 0; i < c->rule->nsets; i++) {
		if (strcmp(c->rule->sets[i].name, e->b->text))
			continue;
		set = new_expr(c, EXPR_SET, e->b->span, type_int(c->types, 8, false), NULL, NULL);
		set->index = c->rule->sets[i].index;
		set->text = e->b->text;
		a = convert(c, a, type_int(c->types, 8, a->type->is_signed));
		return new_expr(c, EXPR_IN, e->span, type_bool(c->types), convert(c, a, set->type), set);
	}
	diag_hint(c->diags, diag_error(c->diags, TAG_UNKNOWN_PARAM, e->b->span, "the rule has no set '$%s'",
				       e->b->text),
		  "declare it: sets: {%s: [1, 2, 3]}", e->b->text);
	return NULL;
}

static struct expr *check_in(struct check *c, struct expr *e)
{
	struct expr *a = check_expr(c, e->a), **items, *r;
	const struct type *t;
	bool failed = false;

	if (!a)
		return NULL;
	if (e->b)
		return in_set(c, e, a);
	if (a->type->kind == TYPE_STR || is_char_array(a) || (e->nlist && e->list[0]->op == EXPR_STR))
		return in_strings(c, e, a);
	a = make_value(c, a);
	items = arena_array(c->arena, e->nlist, sizeof(*items));
	t = a && a->type->kind == TYPE_PTR ? a->type : a ? promoted(c, a) : NULL;
	for (uint32_t i = 0; i < e->nlist; i++) {
		struct expr *item = e->list[i];

		item = item->op == EXPR_NAME ? check_name(c, item, a ? a->type : NULL) : check_expr(c, item);
		items[i] = make_value(c, item);
		failed |= !items[i];
		if (a && items[i] && items[i]->type->kind == TYPE_STR)
			failed |= !wrong_type(c, e->list[i], "in", items[i], "numbers like the left side");
		if (a && items[i]) {
			warn_byte_order(c, e, a, items[i]);
			warn_errno(c, items[i], a, items[i]);
		}
		if (t && items[i] && t->kind != TYPE_PTR && items[i]->type->kind != TYPE_STR)
			t = common_type(c, &(struct expr){ .type = t }, items[i]);
	}
	if (failed || !a)
		return NULL;
	r = new_expr(c, EXPR_IN, e->span, type_bool(c->types), convert(c, a, t), NULL);
	for (uint32_t i = 0; i < e->nlist; i++)
		items[i] = convert(c, items[i], t);
	r->list = items;
	r->nlist = e->nlist;
	return r;
}

static struct expr *check_int(struct check *c, struct expr *e)
{
	uint64_t v = e->value;
	uint32_t size = 8;
	bool is_signed = true;

	switch (e->unit) {
	case UNIT_DECIMAL:
	case UNIT_SIZE:
		size = v <= INT32_MAX ? 4 : 8;
		is_signed = v <= INT64_MAX;
		break;
	case UNIT_HEX:
		size = v <= UINT32_MAX ? 4 : 8;
		is_signed = v <= INT32_MAX || (v > UINT32_MAX && v <= INT64_MAX);
		break;
	case UNIT_UNSIGNED:
		size = v <= UINT32_MAX ? 4 : 8;
		is_signed = false;
		break;
	case UNIT_LONG:
	case UNIT_TIME:
		is_signed = v <= INT64_MAX;
		break;
	case UNIT_ULONG:
		is_signed = false;
		break;
	case UNIT_VERSION:
	case UNIT_CHAR:
		size = 4;
		break;
	}
	return new_int(c, e->span, type_int(c->types, size, is_signed), v);
}

static struct expr *check_binary(struct check *c, struct expr *e)
{
	struct expr *a, *b;

	check_operands(c, e, &a, &b);
	if (!a || !b)
		return NULL;
	if (e->op == EXPR_STRCMP)
		return is_cgroup(a) && b->op == EXPR_STR ? cgroup_compare(c, e, b, true) : string_compare(c, e, a, b, true);
	return e->op >= EXPR_LT && e->op <= EXPR_NE ? check_compare(c, e, a, b) : check_arithmetic(c, e, a, b);
}

struct expr *check_expr(struct check *c, struct expr *e)
{
	switch (e->op) {
	case EXPR_NAME:
		return check_name(c, e, NULL);
	case EXPR_INT:
		return check_int(c, e);
	case EXPR_STR:
		return check_str(c, e);
	case EXPR_PARAM:
		return check_param(c, e);
	case EXPR_OLD:
		return check_old(c, e);
	case EXPR_MEMBER:
		return check_member(c, e);
	case EXPR_INDEX:
		return check_index(c, e);
	case EXPR_DEREF:
		return check_deref(c, e);
	case EXPR_ADDR:
		return check_addr(c, e);
	case EXPR_CAST:
		return check_cast(c, e);
	case EXPR_NEG:
	case EXPR_COMPL:
		return check_unary(c, e);
	case EXPR_NOT: {
		struct expr *a = check_cond(c, e->a);

		return a ? fold(c, new_expr(c, EXPR_NOT, e->span, type_bool(c->types), a, NULL)) : NULL;
	}
	case EXPR_LAND:
	case EXPR_LOR:
		return check_logic(c, e);
	case EXPR_COND:
		return check_ternary(c, e);
	case EXPR_IN:
		return check_in(c, e);
	case EXPR_STACK_HAS:
		return check_stack_has(c, e);
	case EXPR_CALL:
		return check_call(c, e);
	case EXPR_SIZEOF:
		return check_sizeof(c, e);
	case EXPR_EXISTS:
		return check_exists(c, e);
	default:
		return check_binary(c, e);
	}
}

struct expr *check_value(struct check *c, struct expr *e)
{
	return make_value(c, check_expr(c, e));
}

struct expr *check_cond(struct check *c, struct expr *e)
{
	return make_cond(c, check_expr(c, e));
}
