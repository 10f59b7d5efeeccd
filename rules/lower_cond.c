// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_cond.c - conditions as jumps to true, false or unknown. */
#include "rules/lower_parts.h"

#include "lib/arena.h"

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
	const struct operand a = { e->a, false }, b = { e->b, false };
	bool sign = lower_is_signed(e->a->type);
	uint8_t op = sign ? ops[e->op].is_signed : ops[e->op].is_unsigned;
	uint8_t inverse = sign ? ops[e->op].inverse_signed : ops[e->op].inverse_unsigned;
	uint8_t left, right;

	if (lower_fits_imm(e->b)) {
		lower_value(l, e->a, 0, unknown);
		branch(l, op, inverse, IR_REG(0), e->b, 0, yes, no, next);
		return;
	}
	lower_pair(l, &a, &b, 0, unknown, &left, &right);
	branch(l, op, inverse, left, NULL, right, yes, no, next);
}

/* The operands of a chain of one operator, in order: a && (b && c) is (a && b) && c. */
static void collect(struct lower *l, const struct expr *e, enum expr_op op, const struct expr ***parts, uint32_t *n)
{
	if (e->op == op) {
		collect(l, e->a, op, parts, n);
		collect(l, e->b, op, parts, n);
		return;
	}
	*parts = arena_grow(l->arena, *parts, *n, sizeof(**parts));
	(*parts)[(*n)++] = e;
}

/*
 * a && b && ... and a || b || ... When one is unknown the others are still asked: unknown && false is false, unknown
 * || true is true, any other is unknown. A flag on the stack remembers that one was.
 */
static void lower_logic(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown,
			uint32_t next)
{
	bool is_and = e->op == EXPR_LAND, flagged = false;
	uint32_t decided = is_and ? no : yes, n = 0, fails, after, doubts = l->f->doubts;
	const uint32_t *clauses = l->clauses;
	const struct expr **parts = NULL;
	int16_t flag = 0;

	l->clauses = NULL;
	collect(l, e, e->op, &parts, &n);
	for (uint32_t i = 0; i + 1 < n; i++)
		flagged = flagged || expr_fails(l, parts[i]);
	if (flagged) {
		flag = ir_frame(l->f, 8);
		ir_storei(l->f, 8, BPF_REG_10, flag, 0);
	}
	for (uint32_t i = 0; i + 1 < n; i++) {
		after = ir_new_label(l->f);
		if (clauses)
			decided = clauses[i < DF_CLAUSES ? i : DF_CLAUSES - 1];
		if (!expr_fails(l, parts[i])) {
			lower_cond(l, parts[i], is_and ? after : decided, is_and ? decided : after, unknown, after);
			ir_label(l->f, after);
			continue;
		}
		fails = ir_new_label(l->f);
		lower_cond(l, parts[i], is_and ? after : decided, is_and ? decided : after, fails, fails);
		ir_label(l->f, fails);
		ir_storei(l->f, 8, BPF_REG_10, flag, 1);
		ir_label(l->f, after);
		l->f->doubts = doubts + 1;
	}
	if (clauses)
		no = clauses[n - 1 < DF_CLAUSES ? n - 1 : DF_CLAUSES - 1];
	if (!flagged) {
		lower_cond(l, parts[n - 1], yes, no, unknown, next);
		return;
	}
	after = ir_new_label(l->f);
	lower_cond(l, parts[n - 1], is_and ? after : yes, is_and ? no : after, unknown, after);
	ir_label(l->f, after);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, flag);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, unknown);
	ir_jmp(l->f, is_and ? yes : no);
	l->f->doubts = doubts;
	ir_frame_release(l->f, 8);
}

/* Not 0? */
static void lower_number(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown,
			 uint32_t next)
{
	lower_value(l, e, 0, unknown);
	if (next == yes)
		ir_jcci(l->f, BPF_JEQ, IR_REG(0), 0, no);
	else
		ir_jcci(l->f, BPF_JNE, IR_REG(0), 0, yes);
	ir_jmp(l->f, next == yes ? yes : no);
}

void lower_cond(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown, uint32_t next)
{
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
	case EXPR_STRCMP:
		lower_strcmp(l, e, yes, no, unknown);
		break;
	case EXPR_STACK_HAS:
		if (l->loops)
			lower_number(l, e, yes, no, unknown, next);
		else
			lower_stack_has(l, e, yes, no, unknown);
		break;
	case EXPR_CALL:
		if (!lower_call_cond(l, e, yes, no, unknown))
			lower_number(l, e, yes, no, unknown, next);
		break;
	default:
		lower_number(l, e, yes, no, unknown, next);
	}
}
