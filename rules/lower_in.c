// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_in.c - membership: in a list of values, in a set. */
#include "rules/lower_parts.h"

#include <stdlib.h>

#include "lib/arena.h"

/* Up to so many values are compared one after the other; more are a search tree. */
#define LINEAR 4

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Jump if IR_REG(0) is `op` value; r0 is free. */
static void jump_value(struct lower *l, uint8_t op, uint64_t value, uint32_t label)
{
	if ((int64_t)value == (int32_t)value) {
		ir_jcci(l->f, op, IR_REG(0), (int32_t)value, label);
		return;
	}
	ir_movi(l->f, BPF_REG_0, value);
	ir_jcc(l->f, op, IR_REG(0), BPF_REG_0, label);
}

static void search(struct lower *l, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	uint32_t upper;

	if (n <= LINEAR) {
		for (uint32_t i = 0; i < n; i++)
			jump_value(l, BPF_JEQ, values[i], yes);
		ir_jmp(l->f, no);
		return;
	}
	upper = ir_new_label(l->f);
	jump_value(l, BPF_JGE, values[n / 2], upper);
	search(l, values, n / 2, yes, no);
	ir_label(l->f, upper);
	search(l, values + n / 2, n - n / 2, yes, no);
}

/*
 * Members that have to be computed: one that is unknown makes the whole unknown, unless another is equal. The left
 * side waits on the stack.
 */
static void lower_computed(struct lower *l, const struct expr *e, int16_t left, uint32_t yes, uint32_t no,
			   uint32_t unknown)
{
	int16_t flag = ir_frame(l->f, 8);

	ir_storei(l->f, 8, BPF_REG_10, flag, 0);
	for (uint32_t i = 0; i < e->nlist; i++) {
		uint32_t fails = ir_new_label(l->f), next = ir_new_label(l->f);

		if (lower_is_fixed(e->list[i]))
			continue;
		lower_value(l, e->list[i], 0, fails);
		ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, left);
		ir_jcc(l->f, BPF_JEQ, IR_REG(0), BPF_REG_0, yes);
		ir_jmp(l->f, next);
		ir_label(l->f, fails);
		ir_storei(l->f, 8, BPF_REG_10, flag, 1);
		ir_label(l->f, next);
	}
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, flag);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, unknown);
	ir_jmp(l->f, no);
	ir_frame_release(l->f, 8);
}

static void lower_list(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint64_t *values = arena_array(l->arena, e->nlist + 1, sizeof(*values));
	uint32_t n = 0, others;
	int16_t left;

	for (uint32_t i = 0; i < e->nlist; i++) {
		if (lower_is_fixed(e->list[i]))
			values[n++] = e->list[i]->value;
	}
	qsort(values, n, sizeof(*values), by_value);
	lower_value(l, e->a, 0, unknown);
	if (n == e->nlist) {
		search(l, values, n, yes, no);
		return;
	}
	others = ir_new_label(l->f);
	left = ir_frame(l->f, 8);
	ir_store(l->f, 8, BPF_REG_10, left, IR_REG(0));
	search(l, values, n, yes, others);
	ir_label(l->f, others);
	lower_computed(l, e, left, yes, no, unknown);
	ir_frame_release(l->f, 8);
}

void lower_in(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	if (!e->b) {
		lower_list(l, e, yes, no, unknown);
		return;
	}
	lower_value(l, e->a, 0, unknown);
	ir_movi(l->f, BPF_REG_2, e->b->index);
	lower_late(l, BPF_REG_3, LATE_FILTERED, arena_printf(l->arena, "%u", e->b->index), e->span);
	ir_call_symbol(l->f, "df_in_set");
	lower_answer(l, yes, no, unknown);
}
