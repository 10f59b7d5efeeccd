// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_cond.c - conditions as jumps to true, false or unknown. */
#include "rules/lower.h"

/* Jump if `op` holds to yes, else to no; `next` follows at once. inverse is the opposite of op. */
static void branch(struct lower *l, uint8_t op, uint8_t inverse, uint8_t left, const struct expr *imm, uint8_t right,
		   uint32_t yes, uint32_t no, uint32_t next)
{
	uint8_t taken = next == yes ? inverse : op;
	uint32_t target = next == yes ? no : yes;

	if (imm)
		ir_jcci(l->f, taken, left, (int32_t)imm->value, target);
	else
		ir_jcc(l->f, taken, left, right, target);
	ir_jmp(l->f, next == yes ? yes : no);
}

static bool fits_imm(const struct expr *e)
{
	return e->op == EXPR_INT && (int64_t)e->value == (int32_t)e->value;
}

static void lower_compare(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown,
			  uint32_t next)
{
	static const struct {
		uint8_t is_unsigned, is_signed, inverse_unsigned, inverse_signed;
	} ops[] = {
		[EXPR_LT] = { BPF_JLT, BPF_JSLT, BPF_JGE, BPF_JSGE },
		[EXPR_LE] = { BPF_JLE, BPF_JSLE, BPF_JGT, BPF_JSGT },
		[EXPR_GT] = { BPF_JGT, BPF_JSGT, BPF_JLE, BPF_JSLE },
		[EXPR_GE] = { BPF_JGE, BPF_JSGE, BPF_JLT, BPF_JSLT },
		[EXPR_EQ] = { BPF_JEQ, BPF_JEQ, BPF_JNE, BPF_JNE },
		[EXPR_NE] = { BPF_JNE, BPF_JNE, BPF_JEQ, BPF_JEQ },
	};
	bool sign = e->a->type->is_signed && e->a->type->kind != TYPE_PTR;
	uint8_t op = sign ? ops[e->op].is_signed : ops[e->op].is_unsigned;
	uint8_t inverse = sign ? ops[e->op].inverse_signed : ops[e->op].inverse_unsigned;
	uint8_t left = IR_REG(0), right = 0;
	int16_t slot;

	lower_value(l, e->a, 0, unknown);
	if (fits_imm(e->b)) {
		branch(l, op, inverse, left, e->b, 0, yes, no, next);
		return;
	}
	if (expr_kills(l, e->b)) {
		slot = ir_frame(l->f, 8);
		ir_store(l->f, 8, BPF_REG_10, slot, left);
		lower_value(l, e->b, 0, unknown);
		ir_mov(l->f, BPF_REG_0, left);
		ir_load(l->f, 8, left, BPF_REG_10, slot);
		ir_frame_release(l->f, 8);
		right = BPF_REG_0;
	} else {
		lower_value(l, e->b, 1, unknown);
		right = IR_REG(1);
	}
	branch(l, op, inverse, left, NULL, right, yes, no, next);
}

/*
 * a && b and a || b. When a is unknown b is still asked: unknown && false is false, unknown || true is true, any
 * other is unknown. A flag on the stack remembers that a was.
 */
static void lower_logic(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown,
			uint32_t next)
{
	bool is_and = e->op == EXPR_LAND;
	uint32_t right = ir_new_label(l->f), a_unknown, undecided;
	int16_t flag;

	if (!expr_fails(l, e->a)) {
		lower_cond(l, e->a, is_and ? right : yes, is_and ? no : right, unknown, right);
		ir_label(l->f, right);
		lower_cond(l, e->b, yes, no, unknown, next);
		return;
	}
	a_unknown = ir_new_label(l->f);
	undecided = ir_new_label(l->f);
	flag = ir_frame(l->f, 8);
	ir_storei(l->f, 8, BPF_REG_10, flag, 0);
	lower_cond(l, e->a, is_and ? right : yes, is_and ? no : right, a_unknown, a_unknown);
	ir_label(l->f, a_unknown);
	ir_storei(l->f, 8, BPF_REG_10, flag, 1);
	ir_label(l->f, right);
	lower_cond(l, e->b, is_and ? undecided : yes, is_and ? no : undecided, unknown, undecided);
	ir_label(l->f, undecided);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, flag);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, unknown);
	ir_jmp(l->f, is_and ? yes : no);
	ir_frame_release(l->f, 8);
}

static void lower_in(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint8_t reg = IR_REG(0);

	lower_value(l, e->a, 0, unknown);
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (fits_imm(e->list[i])) {
			ir_jcci(l->f, BPF_JEQ, reg, (int32_t)e->list[i]->value, yes);
		} else {
			lower_value(l, e->list[i], 1, unknown);
			ir_jcc(l->f, BPF_JEQ, reg, IR_REG(1), yes);
		}
	}
	ir_jmp(l->f, no);
}

/* IS_ERR: the last 4095 values of an unsigned long (include/linux/err.h, MAX_ERRNO). */
static void lower_is_err(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	lower_value(l, e->list[0], 0, unknown);
	if (e->index == FUNC_IS_ERR_OR_NULL)
		ir_jcci(l->f, BPF_JEQ, IR_REG(0), 0, yes);
	ir_jcci(l->f, BPF_JGE, IR_REG(0), -4095, yes);
	ir_jmp(l->f, no);
}

void lower_cond(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown, uint32_t next)
{
	uint8_t reg = IR_REG(0);

	switch (e->op) {
	case EXPR_LAND:
	case EXPR_LOR:
		lower_logic(l, e, yes, no, unknown, next);
		break;
	case EXPR_NOT:
		lower_cond(l, e->a, no, yes, unknown, next);
		break;
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_EQ:
	case EXPR_NE:
		lower_compare(l, e, yes, no, unknown, next);
		break;
	case EXPR_IN:
		lower_in(l, e, yes, no, unknown);
		break;
	case EXPR_CALL:
		if (e->index == FUNC_IS_ERR || e->index == FUNC_IS_ERR_OR_NULL) {
			lower_is_err(l, e, yes, no, unknown);
			break;
		}
		/* fall through */
	case EXPR_STRCMP:
	case EXPR_STACK_HAS:
		diag_error(l->diags, TAG_TOO_BIG, e->span, "this condition cannot be evaluated in the kernel yet");
		break;
	default:
		lower_value(l, e, 0, unknown);
		if (next == yes)
			ir_jcci(l->f, BPF_JEQ, reg, 0, no);
		else
			ir_jcci(l->f, BPF_JNE, reg, 0, yes);
		ir_jmp(l->f, next == yes ? yes : no);
	}
}
