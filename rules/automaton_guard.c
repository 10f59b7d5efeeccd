// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * automaton_guard.c - conditions that speak of earlier events: registers that keep values, and guards.
 *
 * A guard is evaluated in the engine, where the probed function's arguments are gone. What it says about its own
 * event (any part without another step in it) is therefore computed by the event's body and handed over in val[];
 * what it says about earlier steps was kept in registers of the key. Register n is filled from val[n].
 */
#include "rules/automaton_build.h"

#include <string.h>

#include "lib/arena.h"

static bool mentions_step(const struct expr *e)
{
	if (!e)
		return false;
	if (e->op == EXPR_STEP)
		return true;
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (mentions_step(e->list[i]))
			return true;
	}
	return mentions_step(e->a) || mentions_step(e->b) || mentions_step(e->c);
}

static void too_many(struct builder *b, struct span span)
{
	diag_error(b->diags, TAG_TOO_BIG, span, "the rule's conditions over several events need more than %d values",
		   DF_VALS);
}

uint32_t build_register(struct builder *b)
{
	if (b->nregisters == DF_VALS) {
		too_many(b, b->rule->match.span);
		return 0;
	}
	memset(&b->registers[b->nregisters], 0, sizeof(b->registers[0]));
	b->registers[b->nregisters].step = ~0u;
	return b->nregisters++;
}

void build_value(struct builder *b, const struct event *event, uint32_t reg, struct value value)
{
	struct event_plan *p = build_plan(b, event);

	p->values[reg] = value;
	p->value_mask |= 1u << reg;
}

static struct expr *builtin(struct builder *b, enum builtin which)
{
	static const struct type u32_type = { .kind = TYPE_INT, .size = 4 };
	struct expr *e = arena_new(b->arena, struct expr);

	e->op = EXPR_BUILTIN;
	e->index = which;
	e->type = &u32_type;
	return e;
}

/* What an attribute of a step is at its event. */
static struct value attr_value(struct builder *b, const struct expr *e)
{
	struct value v = { .kind = VALUE_EXPR };

	switch (e->value) {
	case STEP_FIELD:
		v = (struct value){ .kind = VALUE_FIELD, .field = e->field };
		break;
	case STEP_PID:
		v.expr = builtin(b, BUILTIN_PID);
		break;
	case STEP_TID:
		v.expr = builtin(b, BUILTIN_TID);
		break;
	case STEP_CPU:
		v.expr = builtin(b, BUILTIN_CPU);
		break;
	case STEP_FUNC:
		v.expr = builtin(b, BUILTIN_FUNC);
		break;
	default:
		v.kind = VALUE_NS;
	}
	return v;
}

static uint32_t find_register(const struct builder *b, const struct expr *e)
{
	for (uint32_t i = 0; i < b->nregisters; i++) {
		const struct reg *r = &b->registers[i];

		if (r->step == e->index && r->attr == e->value && r->field == e->field)
			return i;
	}
	return DF_VALS;
}

void build_guard_registers(struct builder *b, uint32_t step, const struct expr *e)
{
	if (!e)
		return;
	if (e->op == EXPR_STEP && e->index != step && find_register(b, e) == DF_VALS) {
		uint32_t r = build_register(b);

		b->registers[r] =
			(struct reg){ .step = e->index, .attr = e->value, .field = e->field, .value = attr_value(b, e) };
	}
	for (uint32_t i = 0; i < e->nlist; i++)
		build_guard_registers(b, step, e->list[i]);
	build_guard_registers(b, step, e->a);
	build_guard_registers(b, step, e->b);
	build_guard_registers(b, step, e->c);
}

uint8_t build_keeps(struct builder *b, const struct event *event, uint32_t step)
{
	uint8_t mask = 0;

	for (uint32_t i = 0; i < b->nregisters; i++) {
		if (b->registers[i].step != step)
			continue;
		build_value(b, event, i, b->registers[i].value);
		mask |= (uint8_t)(1u << i);
	}
	return mask;
}

/* A free val[] of the event above the registers; the same value twice shares one. */
static uint32_t claim_value(struct builder *b, const struct event *event, struct value v, struct span span)
{
	struct event_plan *p = build_plan(b, event);

	for (uint32_t i = 0; i < DF_VALS; i++) {
		if ((p->value_mask >> i & 1) && !memcmp(&p->values[i], &v, sizeof(v)))
			return i;
	}
	for (uint32_t i = b->nregisters; i < DF_VALS; i++) {
		if (p->value_mask >> i & 1)
			continue;
		build_value(b, event, i, v);
		return i;
	}
	too_many(b, span);
	return 0;
}

static bool is_loop(const struct expr *e)
{
	return e->op == EXPR_CALL &&
	       (e->index == FUNC_ANY || e->index == FUNC_COUNT || e->index == FUNC_LEN || e->index == FUNC_ANY_LIVE);
}

/* Copy a guard with what the engine cannot evaluate replaced: EXPR_VAL (val[index]) and EXPR_KEPT (register). */
static struct expr *rewrite(struct builder *b, const struct event *event, uint32_t step, const struct expr *e)
{
	struct expr *copy;

	if (!e)
		return NULL;
	copy = arena_new(b->arena, struct expr);
	*copy = *e;
	if (e->op == EXPR_STEP && e->index != step) {
		copy->op = EXPR_KEPT;
		copy->index = find_register(b, e);
		return copy;
	}
	if (e->op == EXPR_STEP || (!mentions_step(e) && e->op != EXPR_INT && e->op != EXPR_PARAM)) {
		struct value v = { .kind = VALUE_EXPR, .expr = e };

		copy->op = EXPR_VAL;
		copy->index = claim_value(b, event, e->op == EXPR_STEP ? attr_value(b, e) : v, e->span);
		copy->a = copy->b = copy->c = NULL;
		copy->nlist = 0;
		return copy;
	}
	if (is_loop(e)) {
		diag_hint(b->diags, diag_error(b->diags, TAG_NOT_HERE, e->span, "%s() cannot compare with another step", e->text),
			  "loops run before other steps are known: compare fields, or use a table and live()");
		return copy;
	}
	copy->a = rewrite(b, event, step, e->a);
	copy->b = rewrite(b, event, step, e->b);
	copy->c = rewrite(b, event, step, e->c);
	copy->list = arena_array(b->arena, e->nlist + 1, sizeof(*copy->list));
	for (uint32_t i = 0; i < e->nlist; i++)
		copy->list[i] = rewrite(b, event, step, e->list[i]);
	return copy;
}

void build_guard(struct builder *b, struct df_decision *d, int slot, const struct event *event, uint32_t step,
		 const struct expr *guard)
{
	struct automata *am = b->am;

	if (!guard || event->unresolved)
		return;
	am->guards = arena_grow(b->arena, am->guards, am->nguards, sizeof(*am->guards));
	am->guards[am->nguards] =
		(struct guard){ .rule = b->rule, .event = event, .expr = rewrite(b, event, step, guard) };
	d->test[slot] = DF_TEST_GUARD;
	d->arg[slot] = (uint16_t)am->nguards++;
}
