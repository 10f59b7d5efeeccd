// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_live.c - live and any_live: questions to the engine (bpf/ask.h), made up on the stack.
 *
 * any_live's condition is evaluated by the engine, for each live key, in df_guard. What in it does not speak of the
 * key is computed here, before, and goes along as values.
 */
#include <stddef.h>

#include "lib/arena.h"
#include "rules/lower_parts.h"

#define QUERY(member) ((int16_t)offsetof(struct df_query, member))
#define QUERY_WORD(i) ((int16_t)(offsetof(struct df_query, w) + 8 * (i)))
#define REC_STEP(i) ((int16_t)(offsetof(struct df_rec, step) + 8 * (i)))

/* In a guard: the record. */
#define GUARD_REC BPF_REG_6

static uint32_t query_bytes(uint32_t n)
{
	return (uint32_t)QUERY_WORD(n);
}

/* The number of a table in keys (struct df_key): of expr.value, rule << 16 | table. */
static uint32_t table_number(const struct lower *l, uint64_t table)
{
	uint32_t rule = (uint32_t)(table >> 16), n = table & 0xffff;

	return 1 + (n ? l->am->rule_tables[rule][n - 1] : l->am->rule_machine[rule]);
}

/* Questions are asked where events come from, not in the engine. */
static bool is_asked_here(struct lower *l, const struct expr *e)
{
	if (l->in_guard)
		diag_hint(l->diags, diag_error(l->diags, TAG_NOT_HERE, e->span, "%s() cannot be asked here", e->text),
			  "it cannot stand in the condition of any_live, nor be about another step");
	return !l->in_guard;
}

static int16_t begin_query(struct lower *l, uint64_t table, uint32_t guard, uint64_t max, uint32_t n)
{
	int16_t at = ir_frame(l->f, query_bytes(n));

	ir_storei(l->f, 4, BPF_REG_10, (int16_t)(at + QUERY(table)), (int32_t)table_number(l, table));
	ir_storei(l->f, 4, BPF_REG_10, (int16_t)(at + QUERY(guard)), (int32_t)guard);
	ir_storei(l->f, 4, BPF_REG_10, (int16_t)(at + QUERY(max)), (int32_t)max);
	ir_storei(l->f, 4, BPF_REG_10, (int16_t)(at + QUERY(bad)), 0);
	return at;
}

static void ask(struct lower *l, int16_t at, uint32_t n, uint32_t yes, uint32_t no, uint32_t unknown)
{
	ir_mov(l->f, BPF_REG_1, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, at);
	ir_movi(l->f, BPF_REG_2, n);
	ir_call_symbol(l->f, l->body->hook < HOOKS && hook_kinds[l->body->hook].direct ? "df_ask_direct" : "df_ask");
	lower_answer(l, yes, no, unknown);
	ir_frame_release(l->f, query_bytes(n));
}

void lower_live(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	int16_t at;

	if (!is_asked_here(l, e))
		return;
	at = begin_query(l, e->value, 0, 0, e->nlist);
	for (uint32_t i = 0; i < e->nlist; i++) {
		lower_value(l, e->list[i], 0, unknown);
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + QUERY_WORD(i)), IR_REG(0));
	}
	ask(l, at, e->nlist, yes, no, unknown);
}

/* The values that a condition takes along. */
struct taken {
	const struct expr *values[DF_VALS];
	uint32_t n;
};

static bool mentions(const struct expr *e, uint32_t level)
{
	if (!e)
		return false;
	if (e->op == EXPR_BOUND)
		return e->index >= level;
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (mentions(e->list[i], level))
			return true;
	}
	return mentions(e->a, level) || mentions(e->b, level) || mentions(e->c, level);
}

static struct expr *take(struct lower *l, struct taken *t, const struct expr *e)
{
	struct expr *val = arena_new(l->arena, struct expr);

	if (t->n == DF_VALS) {
		diag_error(l->diags, TAG_TOO_BIG, e->span, "the condition of any_live uses more than %d values from outside",
			   DF_VALS);
		t->n = 0;
	}
	*val = (struct expr){ .op = EXPR_VAL, .span = e->span, .type = e->type, .index = t->n };
	t->values[t->n++] = e;
	return val;
}

/* Copy a condition with all that does not speak of the key replaced. */
static struct expr *rewrite(struct lower *l, struct taken *t, const struct expr *e, uint32_t level)
{
	struct expr *copy;

	if (!e)
		return NULL;
	if (!mentions(e, level) && e->type && e->op != EXPR_INT && e->op != EXPR_PARAM && type_is_scalar(e->type) &&
	    !(e->op == EXPR_CALL && (e->index == FUNC_LIST || e->index == FUNC_HLIST || e->index == FUNC_ARRAY)))
		return take(l, t, e);
	copy = arena_new(l->arena, struct expr);
	*copy = *e;
	copy->a = rewrite(l, t, e->a, level);
	copy->b = rewrite(l, t, e->b, level);
	copy->c = rewrite(l, t, e->c, level);
	copy->list = arena_array(l->arena, e->nlist + 1, sizeof(*copy->list));
	for (uint32_t i = 0; i < e->nlist; i++)
		copy->list[i] = rewrite(l, t, e->list[i], level);
	return copy;
}

static uint32_t add_ask(struct lower *l, const struct expr *cond, uint32_t level)
{
	struct code_set *cs = l->cs;

	cs->asks = arena_grow(l->arena, cs->asks, cs->nasks, sizeof(*cs->asks));
	cs->asks[cs->nasks] = (struct ask){ .rule = l->rule, .event = l->event, .cond = cond, .level = level };
	return l->am->nguards + cs->nasks++;
}

void lower_any_live(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint32_t level = l->level + l->loops;
	struct taken taken = { .n = 0 };
	const struct expr *cond = rewrite(l, &taken, e->b, level);
	int16_t at;

	if (!is_asked_here(l, e))
		return;
	at = begin_query(l, e->value, 1 + add_ask(l, cond, level), e->list[0]->value, taken.n);
	for (uint32_t i = 0; i < taken.n; i++) {
		uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);
		int16_t place = (int16_t)(at + QUERY_WORD(i)), bad = (int16_t)(at + QUERY(bad));

		ir_storei(l->f, 8, BPF_REG_10, place, 0);
		lower_value(l, taken.values[i], 0, fail);
		ir_store(l->f, 8, BPF_REG_10, place, IR_REG(0));
		ir_jmp(l->f, done);
		ir_label(l->f, fail);
		ir_load(l->f, 4, BPF_REG_1, BPF_REG_10, bad);
		ir_alui(l->f, BPF_OR, BPF_REG_1, 1 << i);
		ir_store(l->f, 4, BPF_REG_10, bad, BPF_REG_1);
		ir_label(l->f, done);
	}
	ask(l, at, taken.n, yes, no, unknown);
}

void lower_live_attr(struct lower *l, const struct expr *e, uint8_t reg)
{
	ir_load(l->f, 8, reg, GUARD_REC, REC_STEP(e->value));
}
