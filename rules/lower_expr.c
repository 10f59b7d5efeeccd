// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_expr.c - values: registers, arithmetic with C's widths. */
#include "rules/lower_parts.h"

#include "rules/check.h"

static bool any_part(const struct lower *l, const struct expr *e, bool (*test)(const struct lower *, const struct expr *))
{
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (test(l, e->list[i]))
			return true;
	}
	return test(l, e->a) || test(l, e->b) || test(l, e->c);
}

/* Does the code of an expression overwrite registers of lesser depth (calls kill r0-r5)? */
static bool expr_kills(const struct lower *l, const struct expr *e)
{
	if (!e)
		return false;
	switch (e->op) {
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
	case EXPR_CALL:
	case EXPR_STRCMP:
	case EXPR_STACK_HAS:
	case EXPR_BUILTIN:
	case EXPR_STEP:
	/* conditions are computed in the first registers */
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LAND:
	case EXPR_LOR:
	case EXPR_NOT:
	case EXPR_IN:
	case EXPR_COND:
		return true;
	case EXPR_ARG:
		return arg_kills(l, e);
	case EXPR_RETVAL:
		return retval_kills(l);
	case EXPR_OLD:
		return false;
	default:
		return any_part(l, e, expr_kills);
	}
}

/* Functions whose value is always known if those of their arguments are. */
static bool call_fails(const struct expr *e)
{
	switch (e->index) {
	case FUNC_IS_ERR:
	case FUNC_IS_ERR_OR_NULL:
	case FUNC_CONTAINER_OF:
	case FUNC_BEFORE:
	case FUNC_AFTER:
	case FUNC_ABS:
	case FUNC_MIN:
	case FUNC_MAX:
	case FUNC_SWAP:
	case FUNC_IN_CODE:
	case FUNC_KCONFIG:
	case FUNC_FLAG:
		return false;
	default:
		return true;
	}
}

bool expr_fails(const struct lower *l, const struct expr *e)
{
	if (!e)
		return false;
	switch (e->op) {
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
	case EXPR_STRCMP:
	case EXPR_STACK_HAS:
	case EXPR_OLD:
	case EXPR_STEP:
	case EXPR_VAL:
	case EXPR_KEPT:
		return true;
	case EXPR_DIV:
	case EXPR_MOD:
		return !lower_is_fixed(e->b) || !e->b->value || expr_fails(l, e->a);
	case EXPR_ARG:
		return arg_fails(l, e);
	case EXPR_BUILTIN:
		return e->index == BUILTIN_PARENT || e->index == BUILTIN_PIDNS || e->index == BUILTIN_NETNS;
	case EXPR_CALL:
		return call_fails(e) || any_part(l, e, expr_fails);
	case EXPR_ADDR:
		return any_part(l, e->a, expr_fails);
	default:
		return any_part(l, e, expr_fails);
	}
}

void lower_operand(struct lower *l, const struct operand *o, uint32_t depth, uint32_t fail)
{
	if (o->address)
		lower_address(l, o->e, depth, fail);
	else
		lower_value(l, o->e, depth, fail);
}

/* How many values wait on the stack while an expression is computed, if the deeper operand goes first. */
static uint32_t expr_need(const struct lower *l, const struct expr *e)
{
	uint32_t most = 0, n;

	if (!e || !expr_kills(l, e))
		return 0;
	n = expr_need(l, e->a);
	most = n;
	n = expr_need(l, e->b);
	most = n == most && n ? n + 1 : n > most ? n : most;
	n = expr_need(l, e->c);
	most = n > most ? n : most;
	for (uint32_t i = 0; i < e->nlist; i++) {
		n = expr_need(l, e->list[i]);
		most = n > most ? n : most;
	}
	return most ? most : 1;
}

void lower_pair(struct lower *l, const struct operand *a, const struct operand *b, uint32_t depth, uint32_t fail,
		uint8_t *left, uint8_t *right)
{
	bool a_kills = a->address || expr_kills(l, a->e), b_kills = b->address || expr_kills(l, b->e);
	bool room = depth + 1 < IR_DEPTH, b_first;
	uint8_t reg = (uint8_t)IR_REG(depth);
	int16_t slot;

	if (room && (!a_kills || !b_kills)) {
		b_first = b_kills;
		lower_operand(l, b_first ? b : a, depth, fail);
		lower_operand(l, b_first ? a : b, depth + 1, fail);
		*left = (uint8_t)IR_REG(depth + b_first);
		*right = (uint8_t)IR_REG(depth + !b_first);
		return;
	}
	b_first = expr_need(l, b->e) > expr_need(l, a->e);
	lower_operand(l, b_first ? b : a, depth, fail);
	slot = ir_frame(l->f, 8);
	ir_store(l->f, 8, BPF_REG_10, slot, reg);
	lower_operand(l, b_first ? a : b, depth, fail);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
	*left = b_first ? reg : BPF_REG_0;
	*right = b_first ? BPF_REG_0 : reg;
}

static void lower_operands(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail, uint8_t *left,
			   uint8_t *right)
{
	const struct operand a = { e->a, false }, b = { e->b, false };

	lower_pair(l, &a, &b, depth, fail, left, right);
}

bool lower_is_fixed(const struct expr *e)
{
	return e->op == EXPR_INT && !is_enumerator(e);
}

bool lower_fits_imm(const struct expr *e)
{
	return lower_is_fixed(e) && (int64_t)e->value == (int32_t)e->value;
}

static void lower_int(struct lower *l, const struct expr *e, uint8_t reg)
{
	if (!is_enumerator(e)) {
		ir_movi(l->f, reg, e->value);
		return;
	}
	ir_ldimm64(l->f, reg, e->value);
	ir_last(l->f)->core = (struct ir_core){ core_enumerator(l->core, e->member.base, e->text, e->value),
						BPF_CORE_ENUMVAL_VALUE };
	lower_narrow(l->f, reg, e->type);
}

static void negate(struct ir_func *f, uint8_t reg)
{
	ir_raw(f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
}

/*
 * BPF's division is unsigned (a signed one came with v6.6), so a signed one works on absolute values: the quotient is
 * negative if one operand is, the remainder if the dividend is. The sign waits on the stack.
 */
static void lower_signed_division(struct lower *l, uint8_t op, uint8_t left, uint8_t right)
{
	uint32_t plus_a = ir_new_label(l->f), plus_b = ir_new_label(l->f), done = ir_new_label(l->f);
	int16_t sign = ir_frame(l->f, 8);

	if (op == BPF_DIV)
		ir_alu(l->f, BPF_XOR, left, right);
	ir_store(l->f, 8, BPF_REG_10, sign, left);
	if (op == BPF_DIV)
		ir_alu(l->f, BPF_XOR, left, right);
	ir_jcci(l->f, BPF_JSGE, left, 0, plus_a);
	negate(l->f, left);
	ir_label(l->f, plus_a);
	ir_jcci(l->f, BPF_JSGE, right, 0, plus_b);
	negate(l->f, right);
	ir_label(l->f, plus_b);
	ir_alu(l->f, op, left, right);
	ir_load(l->f, 8, right, BPF_REG_10, sign);
	ir_jcci(l->f, BPF_JSGE, right, 0, done);
	negate(l->f, left);
	ir_label(l->f, done);
	ir_frame_release(l->f, 8);
}

/* By zero it is unknown. */
static void lower_division(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), left, right, op = e->op == EXPR_DIV ? BPF_DIV : BPF_MOD;

	if (lower_fits_imm(e->b) && (int64_t)e->b->value > 0 && !lower_is_signed(e->type)) {
		lower_value(l, e->a, depth, fail);
		ir_alui(l->f, op, reg, (int32_t)e->b->value);
		return;
	}
	lower_operands(l, e, depth, fail, &left, &right);
	if (!lower_is_fixed(e->b) || !e->b->value)
		ir_jcci(l->f, BPF_JEQ, right, 0, fail);
	if (lower_is_signed(e->type))
		lower_signed_division(l, op, left, right);
	else
		ir_alu(l->f, op, left, right);
	ir_mov(l->f, reg, left);
	lower_narrow(l->f, reg, e->type);
}

static void lower_shift(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), left, right;
	uint8_t op = e->op == EXPR_SHL ? BPF_LSH : lower_is_signed(e->type) ? BPF_ARSH : BPF_RSH;
	int32_t mask = e->type->size == 8 ? 63 : 31;

	if (lower_is_fixed(e->b)) {
		lower_value(l, e->a, depth, fail);
		ir_alui(l->f, op, reg, (int32_t)e->b->value & mask);
	} else {
		lower_operands(l, e, depth, fail, &left, &right);
		ir_alui(l->f, BPF_AND, right, mask);
		ir_alu(l->f, op, left, right);
		ir_mov(l->f, reg, left);
	}
	lower_narrow(l->f, reg, e->type);
}

static void lower_arith(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	static const uint8_t ops[] = {
		[EXPR_MUL] = BPF_MUL, [EXPR_ADD] = BPF_ADD, [EXPR_SUB] = BPF_SUB,
		[EXPR_AND] = BPF_AND, [EXPR_OR] = BPF_OR,   [EXPR_XOR] = BPF_XOR,
	};
	uint8_t reg = (uint8_t)IR_REG(depth), left, right;

	if (lower_fits_imm(e->b)) {
		lower_value(l, e->a, depth, fail);
		ir_alui(l->f, ops[e->op], reg, (int32_t)e->b->value);
	} else {
		lower_operands(l, e, depth, fail, &left, &right);
		ir_alu(l->f, ops[e->op], left, right);
		ir_mov(l->f, reg, left);
	}
	lower_narrow(l->f, reg, e->type);
}

void lower_bool(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint32_t yes = ir_new_label(l->f), no = ir_new_label(l->f), done = ir_new_label(l->f);
	uint8_t reg = (uint8_t)IR_REG(depth);

	lower_cond(l, e, yes, no, fail, yes);
	ir_label(l->f, yes);
	ir_movi(l->f, reg, 1);
	ir_jmp(l->f, done);
	ir_label(l->f, no);
	ir_movi(l->f, reg, 0);
	ir_label(l->f, done);
}

static void lower_choice(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint32_t yes = ir_new_label(l->f), no = ir_new_label(l->f), done = ir_new_label(l->f);

	lower_cond(l, e->a, yes, no, fail, yes);
	ir_label(l->f, yes);
	lower_value(l, e->b, depth, fail);
	ir_jmp(l->f, done);
	ir_label(l->f, no);
	lower_value(l, e->c, depth, fail);
	ir_label(l->f, done);
}

static void lower_cast(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	if (e->a->type->kind == TYPE_ARRAY || e->a->type->kind == TYPE_STRUCT)
		lower_address(l, e->a, depth, fail);
	else
		lower_value(l, e->a, depth, fail);
	if (e->type->kind == TYPE_BOOL && e->a->type->kind != TYPE_BOOL) {
		lower_truth(l->f, (uint8_t)IR_REG(depth));
		return;
	}
	lower_narrow(l->f, (uint8_t)IR_REG(depth), e->type);
}

static void lower_unary(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	lower_value(l, e->a, depth, fail);
	if (e->op == EXPR_NEG)
		ir_raw(l->f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
	else
		ir_alui(l->f, BPF_XOR, reg, -1);
	lower_narrow(l->f, reg, e->type);
}

static void lower_operator(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	switch (e->op) {
	case EXPR_NEG:
	case EXPR_COMPL:
		lower_unary(l, e, depth, fail);
		break;
	case EXPR_DIV:
	case EXPR_MOD:
		lower_division(l, e, depth, fail);
		break;
	case EXPR_SHL:
	case EXPR_SHR:
		lower_shift(l, e, depth, fail);
		break;
	case EXPR_MUL:
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_AND:
	case EXPR_XOR:
	case EXPR_OR:
		lower_arith(l, e, depth, fail);
		break;
	case EXPR_COND:
		lower_choice(l, e, depth, fail);
		break;
	case EXPR_CALL:
		lower_call(l, e, depth, fail);
		break;
	case EXPR_NOT:
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LAND:
	case EXPR_LOR:
	case EXPR_IN:
	case EXPR_STRCMP:
	case EXPR_STACK_HAS:
		lower_bool(l, e, depth, fail);
		break;
	default:
		diag_error(l->diags, TAG_NOT_HERE, e->span, "this is no number here");
	}
}

void lower_value(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	if (lower_captured(l, e, depth, fail))
		return;
	switch (e->op) {
	case EXPR_BOUND:
		lower_bound(l, e, depth);
		break;
	case EXPR_INT:
		lower_int(l, e, reg);
		break;
	case EXPR_PARAM:
		ir_address(l->f, reg, "df_params", e->index * 8);
		ir_load(l->f, 8, reg, reg, 0);
		break;
	case EXPR_VAL:
	case EXPR_KEPT:
		lower_guard_value(l, e, depth, fail);
		break;
	case EXPR_ARG:
		lower_arg(l, e, depth, fail);
		break;
	case EXPR_RETVAL:
		lower_retval(l, e, depth);
		break;
	case EXPR_OLD:
		lower_old(l, e, depth, fail);
		break;
	case EXPR_BUILTIN:
		lower_builtin(l, e, depth, fail);
		break;
	case EXPR_SYMBOL:
		lower_symbol(l, e, depth, fail);
		break;
	case EXPR_EXISTS:
		lower_exists(l, e, depth);
		break;
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
		lower_lvalue(l, e, depth, fail);
		break;
	case EXPR_ADDR:
		lower_address(l, e->a, depth, fail);
		break;
	case EXPR_CAST:
		lower_cast(l, e, depth, fail);
		break;
	default:
		lower_operator(l, e, depth, fail);
	}
}
