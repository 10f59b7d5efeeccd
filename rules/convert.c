// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * convert.c - C's conversions, made visible as casts, and constants computed as C computes them.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"

struct expr *new_expr(struct check *c, enum expr_op op, struct span span, const struct type *type, struct expr *a,
		      struct expr *b)
{
	struct expr *e = arena_new(c->arena, struct expr);

	e->op = op;
	e->span = span;
	e->type = type;
	e->a = a;
	e->b = b;
	return e;
}

struct expr *new_int(struct check *c, struct span span, const struct type *type, uint64_t value)
{
	struct expr *e = new_expr(c, EXPR_INT, span, type, NULL, NULL);

	e->value = fit_value(type, value);
	return e;
}

bool is_const(const struct expr *e)
{
	return e->op == EXPR_INT;
}

uint64_t fit_value(const struct type *t, uint64_t value)
{
	uint32_t bits = t->size * 8;

	if (t->kind == TYPE_BOOL)
		return value != 0;
	if (bits >= 64 || !bits)
		return value;
	value &= (1ull << bits) - 1;
	if (t->is_signed && value >> (bits - 1))
		value |= ~0ull << bits;
	return value;
}

/* Do all values of `from` stay what they are, so that the cast is only a name? */
static bool same_values(const struct type *from, const struct type *to)
{
	if (from->kind == TYPE_BOOL || to->kind == TYPE_BOOL)
		return from->kind == to->kind;
	return from->size == to->size && from->is_signed == to->is_signed && (from->kind == TYPE_PTR) ==
	       (to->kind == TYPE_PTR);
}

bool is_enumerator(const struct expr *e)
{
	return e->op == EXPR_INT && e->text && e->member.base && e->member.base->name && e->member.base->btf;
}

struct expr *convert_const(struct check *c, struct expr *e, const struct type *to)
{
	struct expr *r = new_int(c, e->span, to, e->value);

	if (!is_enumerator(e))
		return r;
	if (r->value != e->value)
		return new_expr(c, EXPR_CAST, e->span, to, e, NULL);
	r->text = e->text;
	r->member = e->member;
	return r;
}

struct expr *convert(struct check *c, struct expr *e, const struct type *to)
{
	struct expr *cast;

	if (e->type == to)
		return e;
	if (is_const(e))
		return convert_const(c, e, to);
	if (to->kind != TYPE_PTR && same_values(e->type, to))
		return e;
	cast = new_expr(c, EXPR_CAST, e->span, to, e, NULL);
	cast->depth = e->depth + 1;
	return cast;
}

/* C's integer promotion: all that int can hold becomes int; also a bit-field narrower than int. */
const struct type *promoted(struct check *c, const struct expr *e)
{
	const struct type *t = e->type;

	if (t->kind == TYPE_PTR)
		return type_int(c->types, 8, false);
	if (t->size < 4 || t->kind == TYPE_BOOL)
		return type_int(c->types, 4, true);
	if (e->op == EXPR_MEMBER && e->member.bit_size && e->member.bit_size < 32)
		return type_int(c->types, 4, true);
	return type_int(c->types, t->size, t->is_signed);
}

const struct type *common_type(struct check *c, const struct expr *a, const struct expr *b)
{
	const struct type *x = promoted(c, a), *y = promoted(c, b);

	if (x->size != y->size)
		return x->size > y->size ? x : y;
	return x->is_signed ? y : x;
}

static uint64_t divide(const struct type *t, uint64_t x, uint64_t y, bool mod)
{
	if (!t->is_signed)
		return mod ? x % y : x / y;
	if (y == ~0ull)		/* also the one that overflows */
		return mod ? 0 : -x;
	return (uint64_t)(mod ? (int64_t)x % (int64_t)y : (int64_t)x / (int64_t)y);
}

static uint64_t shift(const struct type *t, uint64_t x, uint64_t n, bool left)
{
	n &= t->size * 8 - 1;
	if (left)
		return x << n;
	return t->is_signed ? (uint64_t)((int64_t)x >> n) : x >> n;
}

static bool compare(enum expr_op op, const struct type *t, uint64_t x, uint64_t y)
{
	bool less = t->is_signed ? (int64_t)x < (int64_t)y : x < y;

	switch (op) {
	case EXPR_LT:
		return less;
	case EXPR_LE:
		return less || x == y;
	case EXPR_GT:
		return !less && x != y;
	case EXPR_GE:
		return !less;
	case EXPR_EQ:
		return x == y;
	default:
		return x != y;
	}
}

static uint64_t compute(enum expr_op op, const struct type *t, uint64_t x, uint64_t y)
{
	switch (op) {
	case EXPR_MUL:
		return x * y;
	case EXPR_DIV:
	case EXPR_MOD:
		return divide(t, x, y, op == EXPR_MOD);
	case EXPR_ADD:
		return x + y;
	case EXPR_SUB:
		return x - y;
	case EXPR_SHL:
	case EXPR_SHR:
		return shift(t, x, y, op == EXPR_SHL);
	case EXPR_AND:
		return x & y;
	case EXPR_XOR:
		return x ^ y;
	case EXPR_OR:
		return x | y;
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_EQ:
	case EXPR_NE:
		return compare(op, t, x, y);
	default:
		return 0;
	}
}

/* && and || with a constant side: `unknown && false` is false, so the other side may be dropped. */
static struct expr *fold_logic(struct check *c, struct expr *e)
{
	bool is_and = e->op == EXPR_LAND;
	struct expr *constant = is_const(e->a) ? e->a : is_const(e->b) ? e->b : NULL;
	struct expr *other = constant == e->a ? e->b : e->a;

	if (!constant)
		return e;
	if (!!constant->value == is_and)
		return other;
	return new_int(c, e->span, e->type, !is_and);
}

static bool fold_refused(struct check *c, const struct expr *e)
{
	bool shifts = e->op == EXPR_SHL || e->op == EXPR_SHR;

	if ((e->op == EXPR_DIV || e->op == EXPR_MOD) && is_const(e->b) && !e->b->value) {
		diag_error(c->diags, TAG_CONSTANT, e->span, "division by zero");
		return true;
	}
	if (shifts && is_const(e->b) && e->b->value >= e->type->size * 8) {
		diag_error(c->diags, TAG_CONSTANT, e->span, "shift of a %u-bit value by %lld", e->type->size * 8,
			   (long long)e->b->value);
		return true;
	}
	return false;
}

/* A typed node whose operands are constants becomes one; NULL where C has no value for it. */
struct expr *fold(struct check *c, struct expr *e)
{
	switch (e->op) {
	case EXPR_NEG:
	case EXPR_COMPL:
	case EXPR_NOT:
		if (!is_const(e->a) || is_enumerator(e->a))
			return e;
		return new_int(c, e->span, e->type, e->op == EXPR_NEG ? -e->a->value :
			       e->op == EXPR_COMPL ? ~e->a->value : !e->a->value);
	case EXPR_LAND:
	case EXPR_LOR:
		return fold_logic(c, e);
	case EXPR_COND:
		return is_const(e->a) ? (e->a->value ? e->b : e->c) : e;
	default:
		break;
	}
	if (e->op < EXPR_MUL || e->op > EXPR_OR)
		return e;
	if (fold_refused(c, e))
		return NULL;
	/* what an enumerator is on the target is not known */
	if (!is_const(e->a) || !is_const(e->b) || is_enumerator(e->a) || is_enumerator(e->b))
		return e;
	return new_int(c, e->span, e->type, compute(e->op, e->a->type, e->a->value, e->b->value));
}

/* Smallest and largest value that an operand can have, as 128 bits. */
static void value_range(const struct expr *e, __int128 *lo, __int128 *hi)
{
	uint32_t bits = e->type->size * 8;

	if (e->type->kind == TYPE_BOOL)
		bits = 1;
	if (e->op == EXPR_MEMBER && e->member.bit_size)
		bits = e->member.bit_size;
	*lo = e->type->is_signed ? -((__int128)1 << (bits - 1)) : 0;
	*hi = ((__int128)1 << (e->type->is_signed ? bits - 1 : bits)) - 1;
}

/* The operator with its sides exchanged. */
static enum expr_op mirrored(enum expr_op op)
{
	return op == EXPR_LT ? EXPR_GT : op == EXPR_GT ? EXPR_LT : op == EXPR_LE ? EXPR_GE :
	       op == EXPR_GE ? EXPR_LE : op;
}

/*
 * a and b: the operands of a comparison before their conversion, one of them constant. `retval < 0` of an unsigned
 * retval is false for ever, and the rule would wait for ever.
 */
void warn_if_constant(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b)
{
	enum expr_op op = cmp->op;
	const struct expr *var = a, *constant = b;
	const struct type *t = cmp->a->type;
	bool always, never;
	__int128 lo, hi, v;
	struct diag *d;

	if (is_const(a)) {
		var = b;
		constant = a;
		op = mirrored(op);
	}
	if (is_const(var) || !is_const(constant) || !type_is_integer(var->type) || !type_is_integer(t))
		return;
	v = t->is_signed ? (__int128)(int64_t)fit_value(t, constant->value) : (__int128)fit_value(t, constant->value);
	value_range(var, &lo, &hi);
	if (lo < 0 && !t->is_signed)	/* C takes the negative ones for large ones */
		hi = ((__int128)1 << (t->size * 8)) - 1, lo = 0;
	always = (op == EXPR_LT && hi < v) || (op == EXPR_LE && hi <= v) || (op == EXPR_GT && lo > v) ||
		 (op == EXPR_GE && lo >= v) || (op == EXPR_NE && (v < lo || v > hi));
	never = (op == EXPR_LT && lo >= v) || (op == EXPR_LE && lo > v) || (op == EXPR_GT && hi <= v) ||
		(op == EXPR_GE && hi < v) || (op == EXPR_EQ && (v < lo || v > hi));
	if (!always && !never)
		return;
	d = diag_warn(c->diags, TAG_ALWAYS, cmp->span, "always %s: the %s side is %s", always ? "true" : "false",
		      var == b ? "right" : "left", type_text(c->arena, var->type));
	if (!var->type->is_signed && v <= 0)
		diag_hint(c->diags, d, "it is unsigned, as the kernel declares it; (s%u) in front makes it signed",
			  var->type->size * 8);
}

static bool same_text(struct span a, struct span b)
{
	return a.src && a.src == b.src && a.len == b.len && !memcmp(a.src->text + a.off, b.src->text + b.off, a.len);
}

/* Does a condition say that e is not negative? */
static bool says_positive(const struct expr *cond, const struct expr *e)
{
	if (!cond)
		return false;
	if (cond->op == EXPR_LAND)
		return says_positive(cond->a, e) || says_positive(cond->b, e);
	return (cond->op == EXPR_GT || cond->op == EXPR_GE) && is_const(cond->b) && (int64_t)cond->b->value >= 0 &&
	       same_text(cond->a->span, e->span);
}

/* retval, or the error number in a pointer that was returned. */
static bool is_returned(const struct expr *e)
{
	while (e->op == EXPR_CAST)
		e = e->a;
	return e->op == EXPR_RETVAL;
}

void warn_errno(struct check *c, const struct expr *place, const struct expr *a, const struct expr *b)
{
	const struct expr *ret = is_returned(a) ? a : b, *number = ret == a ? b : a;

	if (!is_returned(ret) || number->op != EXPR_INT || !number->text || *number->text != 'E')
		return;
	diag_hint(c->diags, diag_warn(c->diags, TAG_ERRNO, place->span, "functions of the kernel return errors as negative numbers"),
		  "write -%s", number->text);
}

/*
 * a and b: the operands of a comparison before their conversion. C makes both unsigned if one is, and not smaller: -EIO
 * is then more than any count. Equality is what it seems.
 */
void warn_sign(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b)
{
	const struct type *t = cmp->a->type;
	const struct expr *s = promoted(c, a)->is_signed ? a : b, *u = s == a ? b : a;

	if (cmp->op == EXPR_EQ || cmp->op == EXPR_NE || t->kind == TYPE_PTR || t->is_signed)
		return;
	if (!type_is_integer(s->type) || !s->type->is_signed || is_const(s) || is_const(u) || s->op == EXPR_PARAM)
		return;
	for (const struct assumed *known = c->assumed; known; known = known->up) {
		if (says_positive(known->cond, s))
			return;
	}
	diag_hint(c->diags, diag_warn(c->diags, TAG_SIGN, cmp->span, "C compares '%s' with '%s' as unsigned numbers: what is negative is large",
				      type_text(c->arena, a->type), type_text(c->arena, b->type)),
		  "the %s side is signed: ask for >= 0 first, or cast the other: (s64)", s == a ? "left" : "right");
}
