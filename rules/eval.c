// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/eval.h"

#include <string.h>

#include "rules/check.h"

/* An evaluation on its way: names of loops' elements have values. */
struct eval {
	const struct eval_env *env;
	uint64_t bound[BOUND_MAX];
	uint32_t nbound;
};

static struct eval_value eval(struct eval *v, const struct expr *e);

static struct eval_value known(uint64_t num)
{
	return (struct eval_value){ .num = num };
}

static struct eval_value unknown(void)
{
	return (struct eval_value){ .unknown = true };
}

static bool read_memory(const struct eval *v, uint64_t addr, void *buf, size_t len, bool user)
{
	return v->env->read && v->env->read(v->env->arg, addr, buf, len, user);
}

/* The address of an lvalue, in bits so that bit-fields have one. */
static bool address_of(struct eval *v, const struct expr *e, uint64_t *addr, uint32_t *bit, bool *user)
{
	struct eval_value a, b;

	*bit = 0;
	if (e->op == EXPR_DEREF || (e->op == EXPR_MEMBER && e->arrow) ||
	    (e->op == EXPR_INDEX && e->a->type->kind == TYPE_PTR)) {
		a = eval(v, e->a);
		if (a.unknown)
			return false;
		*addr = a.num;
		*user = e->a->type->is_user;
	} else if (!address_of(v, e->a, addr, bit, user)) {
		return false;
	}
	if (e->op == EXPR_MEMBER) {
		*addr += e->member.bit_off / 8;
		*bit = e->member.bit_off % 8;
	} else if (e->op == EXPR_INDEX) {
		b = eval(v, e->b);
		if (b.unknown)
			return false;
		*addr += b.num * e->type->size;
	}
	return true;
}

static uint64_t extend(uint64_t value, uint32_t bits, bool is_signed)
{
	if (bits >= 64)
		return value;
	value &= (1ull << bits) - 1;
	return is_signed && value >> (bits - 1) ? value | ~0ull << bits : value;
}

static struct eval_value load(struct eval *v, const struct expr *e)
{
	uint32_t bits = e->op == EXPR_MEMBER ? e->member.bit_size : 0, bit;
	unsigned __int128 raw = 0;
	uint64_t addr;
	bool user = false;

	if (!address_of(v, e, &addr, &bit, &user))
		return unknown();
	if (!bits)
		bits = e->type->size * 8;
	if (!read_memory(v, addr, &raw, (bit + bits + 7) / 8, user))
		return unknown();
	return known(fit_value(e->type, extend((uint64_t)(raw >> bit), bits, e->type->is_signed)));
}

static struct eval_value from_text(const char *s, size_t len)
{
	struct eval_value r = { .len = (uint32_t)(len < EVAL_STR_MAX ? len : EVAL_STR_MAX) };

	memcpy(r.str, s, r.len);
	return r;
}

/* At most size - 1 bytes, up to a NUL; a fault before it makes all of it unknown. */
static struct eval_value read_string(struct eval *v, uint64_t addr, uint32_t size, bool user)
{
	struct eval_value r = { 0 };

	user = user || !(addr >> 63);	/* no kernel address */
	for (; r.len + 1 < size; r.len++) {
		if (!read_memory(v, addr + r.len, &r.str[r.len], 1, user))
			return unknown();
		if (!r.str[r.len])
			break;
	}
	r.str[r.len] = '\0';
	return r;
}

bool eval_like(const char *p, const char *s)
{
	const char *star = NULL, *mark = s;

	while (*s) {
		if (*p == '*') {
			star = ++p;
			mark = s;
		} else if (*p && (*p == '?' || (*p == '\\' && p[1] ? p[1] == *s : *p == *s))) {
			p += *p == '\\' && p[1] ? 2 : 1;
			s++;
		} else if (star) {
			p = star;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

static struct eval_value compare_strings(struct eval *v, const struct expr *e)
{
	struct eval_value a = eval(v, e->a), b = eval(v, e->b);
	bool equal;

	if (a.unknown || b.unknown)
		return unknown();
	equal = e->is_glob ? eval_like(b.str, a.str) : !strcmp(a.str, b.str);
	return known(equal == (e->index != EXPR_NE));
}

/* && and ||: the right side only if the left does not decide; unknown unless a known side does. */
static struct eval_value logic(struct eval *v, const struct expr *e)
{
	bool decides = e->op == EXPR_LOR;
	struct eval_value a = eval(v, e->a), b;

	if (!a.unknown && !!a.num == decides)
		return known(decides);
	b = eval(v, e->b);
	if (!b.unknown && !!b.num == decides)
		return known(decides);
	return a.unknown || b.unknown ? unknown() : known(!decides);
}

static struct eval_value divide(const struct expr *e, uint64_t x, uint64_t y)
{
	bool mod = e->op == EXPR_MOD;

	if (!y)
		return unknown();
	if (!e->type->is_signed)
		return known(mod ? x % y : x / y);
	if (y == ~0ull)
		return known(mod ? 0 : fit_value(e->type, -x));
	return known((uint64_t)(mod ? (int64_t)x % (int64_t)y : (int64_t)x / (int64_t)y));
}

static bool compare(enum expr_op op, bool is_signed, uint64_t x, uint64_t y)
{
	bool less = is_signed ? (int64_t)x < (int64_t)y : x < y;

	return op == EXPR_LT ? less : op == EXPR_LE ? less || x == y : op == EXPR_GT ? !less && x != y :
	       op == EXPR_GE ? !less : op == EXPR_EQ ? x == y : x != y;
}

static struct eval_value binary(struct eval *v, const struct expr *e)
{
	struct eval_value a = eval(v, e->a), b = eval(v, e->b);
	uint32_t n = (uint32_t)b.num & (e->type->size * 8 - 1);

	if (a.unknown || b.unknown)
		return unknown();
	switch (e->op) {
	case EXPR_MUL:
		return known(fit_value(e->type, a.num * b.num));
	case EXPR_DIV:
	case EXPR_MOD:
		return divide(e, a.num, b.num);
	case EXPR_ADD:
		return known(fit_value(e->type, a.num + b.num));
	case EXPR_SUB:
		return known(fit_value(e->type, a.num - b.num));
	case EXPR_SHL:
		return known(fit_value(e->type, a.num << n));
	case EXPR_SHR:
		return known(e->type->is_signed ? (uint64_t)((int64_t)a.num >> n) : a.num >> n);
	case EXPR_AND:
		return known(a.num & b.num);
	case EXPR_XOR:
		return known(a.num ^ b.num);
	case EXPR_OR:
		return known(a.num | b.num);
	default:
		return known(compare(e->op, e->a->type->is_signed, a.num, b.num));
	}
}

static struct eval_value in_list(struct eval *v, const struct expr *e)
{
	struct eval_value a = eval(v, e->a), b;
	bool any_unknown = false;

	if (a.unknown)
		return unknown();
	if (e->b)
		return v->env->in_set ? known(v->env->in_set(v->env->arg, e->b->index, a.num)) : unknown();
	for (uint32_t i = 0; i < e->nlist; i++) {
		b = eval(v, e->list[i]);
		if (!b.unknown && b.num == a.num)
			return known(1);
		any_unknown |= b.unknown;
	}
	return any_unknown ? unknown() : known(0);
}

/* The elements of a list or an array, one after the other. */
struct elements {
	const struct expr *over;
	uint64_t head, at, n, i;
	uint32_t size;			/* of an element of an array */
	bool values;			/* an array of numbers */
	const struct type *element;
};

static bool start(struct eval *v, const struct expr *over, struct elements *it)
{
	struct eval_value a, n;
	bool user;
	uint32_t bit;

	*it = (struct elements){ .over = over };
	if (over->op == EXPR_CALL && (over->index == FUNC_LIST || over->index == FUNC_HLIST)) {
		a = eval(v, over->a);
		it->head = a.num;
		return !a.unknown && read_memory(v, it->head, &it->at, 8, false);
	}
	it->element = over->type->target;
	it->size = it->element->size;
	it->values = it->element->kind != TYPE_STRUCT;
	if (over->op != EXPR_CALL) {
		it->n = over->type->nelems;
		return address_of(v, over, &it->at, &bit, &user);
	}
	a = eval(v, over->list[0]);
	n = eval(v, over->list[1]);
	it->at = a.num;
	it->n = n.num;
	return !a.unknown && !n.unknown;
}

enum advance { ELEMENT, END, FAULT };

static enum advance next(struct eval *v, struct elements *it, uint64_t *value)
{
	bool hlist = it->over->op == EXPR_CALL && it->over->index == FUNC_HLIST;

	if (it->size) {
		if (it->i++ == it->n)
			return END;
		*value = it->at;
		if (it->values) {
			uint64_t raw = 0;

			if (!read_memory(v, it->at, &raw, it->size, false))
				return FAULT;
			*value = fit_value(it->element, raw);
		}
		it->at += it->size;
		return ELEMENT;
	}
	if (hlist ? !it->at : it->at == it->head)
		return END;
	*value = it->at - it->over->member.bit_off / 8;
	return read_memory(v, it->at, &it->at, 8, false) ? ELEMENT : FAULT;
}

/* any, count, len */
static struct eval_value loop(struct eval *v, const struct expr *e)
{
	uint64_t count = 0, value = 0;
	bool any_unknown = false;
	enum advance step = END;
	struct elements it;

	if (!start(v, e->a, &it))
		return unknown();
	for (uint64_t i = 0; i < e->value + 1; i++) {
		struct eval_value hit = known(1);

		step = next(v, &it, &value);
		if (step != ELEMENT)
			break;
		if (i == e->value)
			return unknown();	/* more than may be looked at */
		if (e->b) {
			v->bound[v->nbound++] = value;
			hit = eval(v, e->b);
			v->nbound--;
		}
		any_unknown |= hit.unknown;
		count += !hit.unknown && hit.num;
		if (e->index == FUNC_ANY && count)
			return known(1);
	}
	return any_unknown || step == FAULT ? unknown() : known(count);
}

static struct eval_value call(struct eval *v, const struct expr *e)
{
	struct eval_value a = { 0 }, b = { 0 };
	const struct type *t = e->nlist ? e->list[0]->type : e->type;
	uint64_t d;

	if (e->index == FUNC_ANY || e->index == FUNC_COUNT || e->index == FUNC_LEN)
		return loop(v, e);
	if (e->index == FUNC_CONTAINER_OF) {
		a = eval(v, e->a);
		return a.unknown ? a : known(a.num - e->member.bit_off / 8);
	}
	if (e->nlist)
		a = eval(v, e->list[0]);
	if (e->nlist > 1)
		b = eval(v, e->list[1]);
	if (a.unknown || b.unknown)
		return unknown();
	switch (e->index) {
	case FUNC_IS_ERR:
		return known(a.num >= (uint64_t)-4095);
	case FUNC_IS_ERR_OR_NULL:
		return known(!a.num || a.num >= (uint64_t)-4095);
	case FUNC_STR:
	case FUNC_USTR:
		return read_string(v, a.num, e->type->size, e->index == FUNC_USTR);
	case FUNC_BEFORE:
	case FUNC_AFTER:
		d = extend(e->index == FUNC_BEFORE ? a.num - b.num : b.num - a.num, t->size * 8, true);
		return known((int64_t)d < 0);
	case FUNC_SWAP:
		return known(swap_bytes(a.num, e->type->size));
	case FUNC_ABS:
		return known(t->is_signed && (int64_t)a.num < 0 ? fit_value(e->type, -a.num) : a.num);
	case FUNC_MIN:
		return known(compare(EXPR_LT, t->is_signed, a.num, b.num) ? a.num : b.num);
	case FUNC_MAX:
		return known(compare(EXPR_GT, t->is_signed, a.num, b.num) ? a.num : b.num);
	default:
		return unknown();
	}
}

static struct eval_value name(struct eval *v, const struct expr *e)
{
	const struct eval_env *env = v->env;
	struct eval_value r = { 0 };

	switch (e->op) {
	case EXPR_PARAM:
		if (e->type->kind == TYPE_STR)
			return from_text(env->param_strs[e->index], strlen(env->param_strs[e->index]));
		return known(env->params[e->index]);
	case EXPR_ARG:
		return known(fit_value(e->type, env->args[e->index]));
	case EXPR_RETVAL:
		return known(fit_value(e->type, env->retval));
	case EXPR_BOUND:
		return e->member.name ? unknown() : known(v->bound[e->index]);
	case EXPR_BUILTIN:
		if (e->index == BUILTIN_COMM)
			return env->comm ? from_text(env->comm, strlen(env->comm)) : unknown();
		return known(fit_value(e->type, env->builtins[e->index]));
	case EXPR_STEP:
		return env->step && env->step(env->arg, e, &r) ? r : unknown();
	case EXPR_SYMBOL:
		return env->symbol && env->symbol(env->arg, e->text, &r.num) ? r : unknown();
	default:
		return env->stack_has ? known(env->stack_has(env->arg, e->text)) : unknown();
	}
}

static struct eval_value unary(struct eval *v, const struct expr *e)
{
	struct eval_value a = eval(v, e->a);

	if (a.unknown)
		return a;
	switch (e->op) {
	case EXPR_NEG:
		return known(fit_value(e->type, -a.num));
	case EXPR_COMPL:
		return known(fit_value(e->type, ~a.num));
	case EXPR_NOT:
		return known(!a.num);
	default:
		return known(fit_value(e->type, a.num));
	}
}

static struct eval_value eval_old(struct eval *v, const struct expr *e)
{
	const struct eval_env *env = v->env;
	struct eval_value r;

	v->env = env->entry ? env->entry : env;
	r = eval(v, e->a);
	v->env = env;
	return r;
}

/* Names, memory and calls: what a caller may know. Elements of loops differ from one to the next. */
static bool is_given(const struct eval *v, const struct expr *e, struct eval_value *ret)
{
	if (!v->env->given || v->nbound)
		return false;
	switch (e->op) {
	case EXPR_ARG:
	case EXPR_RETVAL:
	case EXPR_OLD:
	case EXPR_BUILTIN:
	case EXPR_SYMBOL:
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
	case EXPR_ADDR:
	case EXPR_STACK_HAS:
	case EXPR_CALL:
		return v->env->given(v->env->arg, e, ret);
	default:
		return false;
	}
}

static struct eval_value eval(struct eval *v, const struct expr *e)
{
	struct eval_value a;
	uint64_t addr;
	uint32_t bit;
	bool user;

	if (is_given(v, e, &a))
		return a;
	switch (e->op) {
	case EXPR_INT:
		return known(e->value);
	case EXPR_STR:
		return from_text(e->text, e->len);
	case EXPR_OLD:
		return eval_old(v, e);
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
		return load(v, e);
	case EXPR_ADDR:
		return address_of(v, e->a, &addr, &bit, &user) ? known(addr) : unknown();
	case EXPR_NEG:
	case EXPR_COMPL:
	case EXPR_NOT:
	case EXPR_CAST:
		return unary(v, e);
	case EXPR_LAND:
	case EXPR_LOR:
		return logic(v, e);
	case EXPR_COND:
		a = eval(v, e->a);
		return a.unknown ? a : eval(v, a.num ? e->b : e->c);
	case EXPR_IN:
		return in_list(v, e);
	case EXPR_STRCMP:
		return compare_strings(v, e);
	case EXPR_CALL:
		return call(v, e);
	case EXPR_EXISTS:
		return known(1);
	default:
		return e->op >= EXPR_MUL && e->op <= EXPR_OR ? binary(v, e) : name(v, e);
	}
}

struct eval_value eval_expr(const struct eval_env *env, const struct expr *e)
{
	struct eval v = { .env = env };

	return eval(&v, e);
}
