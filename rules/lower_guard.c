// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_guard.c - conditions over several events, as a function that the engine calls: df_guard(guard, rec, match).
 *
 * In it, values of the present event are in the record's val[], those of earlier steps in the registers of the key
 * (automaton_guard.c rewrote the expressions so). 1: true, 0: false, -1: unknown. The conditions of any_live follow the
 * guards: they look at a key of the table (bpf/ask.h).
 */
#include <stddef.h>

#include "bpf/layout.h"
#include "lib/arena.h"
#include "rules/lower.h"

#define REC(member) ((int16_t)offsetof(struct df_rec, member))
#define MATCH(member) ((int16_t)offsetof(struct df_match, member))

/* In a guard: the record in r6, the key's match in r7. */
#define GUARD_REC BPF_REG_6
#define GUARD_MATCH BPF_REG_7

void lower_guard_value(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	bool kept = e->op == EXPR_KEPT;
	uint8_t base = kept ? GUARD_MATCH : GUARD_REC;

	if (kept)
		ir_load(l->f, 2, reg, base, MATCH(keep_bad));
	else
		ir_load(l->f, 4, reg, base, REC(val_bad));
	ir_alui(l->f, BPF_AND, reg, 1 << e->index);
	ir_jcci(l->f, BPF_JNE, reg, 0, fail);
	ir_load(l->f, 8, reg, base, (int16_t)((kept ? MATCH(keep) : REC(val)) + 8 * (int)e->index));
}

static void answer(struct ir_func *f, uint32_t label, int32_t value)
{
	ir_label(f, label);
	ir_raw(f, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	ir_exit(f);
}

static void lower_guard(struct lower *l, const struct guard *g)
{
	uint32_t yes = ir_new_label(l->f), no = ir_new_label(l->f), unknown = ir_new_label(l->f);

	l->rule = g->rule;
	l->event = g->event;
	ir_line(l->f, g->expr->span);
	lower_cond(l, g->expr, yes, no, unknown, yes);
	answer(l->f, yes, 1);
	answer(l->f, no, 0);
	answer(l->f, unknown, -1);
}

/* The condition of any_live, for the key that the engine looks at: what it takes along is in val[]. */
static void lower_asked(struct lower *l, const struct ask *ask)
{
	const struct guard g = { .rule = ask->rule, .event = ask->event, .expr = ask->cond };

	l->level = ask->level + 1;
	lower_guard(l, &g);
	l->level = 0;
}

static void guard_tree(struct ir_func *f, const uint32_t *labels, uint32_t lo, uint32_t hi)
{
	uint32_t mid = lo + (hi - lo) / 2, right;

	if (hi - lo == 1) {
		ir_jmp(f, labels[lo]);
		return;
	}
	right = ir_new_label(f);
	ir_jcci(f, BPF_JGE, BPF_REG_1, (int32_t)mid, right);
	guard_tree(f, labels, lo, mid);
	ir_label(f, right);
	guard_tree(f, labels, mid, hi);
}

void lower_guards(struct lower *l, struct code_set *cs)
{
	static const struct body no_body = { .hook = HOOKS };
	uint32_t labels[1] = { 0 }, *at = labels, n = l->am->nguards + cs->nasks;

	l->f = ir_func_new(l->arena, "df_guard", ".text", 3);
	l->body = &no_body;
	l->in_guard = true;
	if (n)
		at = arena_array(l->arena, n, sizeof(*at));
	ir_mov(l->f, GUARD_REC, BPF_REG_2);
	ir_mov(l->f, GUARD_MATCH, BPF_REG_3);
	for (uint32_t i = 0; i < n; i++)
		at[i] = ir_new_label(l->f);
	if (n)
		guard_tree(l->f, at, 0, n);
	for (uint32_t i = 0; i < n; i++) {
		ir_label(l->f, at[i]);
		if (i < l->am->nguards)
			lower_guard(l, &l->am->guards[i]);
		else
			lower_asked(l, &cs->asks[i - l->am->nguards]);
	}
	if (!n) {
		ir_movi(l->f, BPF_REG_0, 0);
		ir_exit(l->f);
	}
	l->in_guard = false;
	add_func(l->arena, cs, l->f);
}
