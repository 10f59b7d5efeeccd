// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * automaton_guard.c - conditions that speak of earlier events: registers that keep values, and guards.
 *
 * A guard is evaluated in the engine, where the probed function's arguments are gone. What it says about its own
 * event (any part without another step in it) is therefore computed by the event's body and handed over in val[];
 * what it says about earlier steps was kept in registers of the key. Register n is filled from val[n].
 *
 * A value of type TYPE_STR is a text's number (DF_HASH_WORD), which tells whether two texts are the same. What needs the
 * text itself (a pattern; a string at an address) is evaluated where that is, at the step's event.
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
	static const struct type u32_type = { .kind = TYPE_INT, .size = 4 }, u64_type = { .kind = TYPE_INT, .size = 8 };
	static const struct type comm_type = { .kind = TYPE_STR, .size = DF_COMM };
	struct expr *e = arena_new(b->arena, struct expr);

	e->op = EXPR_BUILTIN;
	e->index = which;
	e->type = which == BUILTIN_COMM ? &comm_type : which == BUILTIN_FUNC || which == BUILTIN_NOW ? &u64_type : &u32_type;
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
	case STEP_COMM:
		v.expr = builtin(b, BUILTIN_COMM);
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

		if (r->whole ? r->whole == e : e->op == EXPR_STEP && r->step == e->index && r->attr == e->value &&
				       r->field == e->field)
			return i;
	}
	return DF_VALS;
}

/* Whose events an expression speaks of. */
enum speaks { OF_NOTHING = -1, OF_PRESENT = -2, OF_SEVERAL = -3 };	/* else: of this step */

static int join(int a, int b)
{
	return a == OF_NOTHING || a == b ? b : b == OF_NOTHING ? a : OF_SEVERAL;
}

static int speaks_of(const struct expr *e, uint32_t step)
{
	int of = OF_NOTHING;

	if (!e)
		return OF_NOTHING;
	if (e->op == EXPR_STEP)
		return e->index == step ? OF_PRESENT : (int)e->index;
	if (!e->a && !e->b && !e->nlist && e->op != EXPR_INT && e->op != EXPR_STR && e->op != EXPR_PARAM)
		return OF_PRESENT;
	for (uint32_t i = 0; i < e->nlist; i++)
		of = join(of, speaks_of(e->list[i], step));
	of = join(of, speaks_of(e->a, step));
	of = join(of, speaks_of(e->b, step));
	return join(of, speaks_of(e->c, step));
}

/* Needs the text of another event, not only its number. */
static bool needs_text(const struct expr *e)
{
	return (e->op == EXPR_STRCMP && e->is_glob) ||
	       (e->op == EXPR_CALL && (e->index == FUNC_STR || e->index == FUNC_USTR));
}

/* A copy with each step replaced by what it is at its event. */
static struct expr *at_event(struct builder *b, const struct expr *e)
{
	struct expr *copy;
	struct value v;

	if (!e)
		return NULL;
	if (e->op == EXPR_STEP) {
		v = attr_value(b, e);
		return v.kind == VALUE_FIELD ? v.field->expr : v.kind == VALUE_EXPR ? (struct expr *)v.expr :
		       builtin(b, BUILTIN_NOW);
	}
	copy = arena_new(b->arena, struct expr);
	*copy = *e;
	copy->a = at_event(b, e->a);
	copy->b = at_event(b, e->b);
	copy->c = at_event(b, e->c);
	copy->list = arena_array(b->arena, e->nlist + 1, sizeof(*copy->list));
	for (uint32_t i = 0; i < e->nlist; i++)
		copy->list[i] = at_event(b, e->list[i]);
	return copy;
}

/* A part of a guard about one other step, which is evaluated there. */
static bool moves(const struct expr *e, uint32_t step)
{
	return needs_text(e) && speaks_of(e, step) >= 0;
}

void build_guard_registers(struct builder *b, uint32_t step, const struct expr *e)
{
	if (!e)
		return;
	if (moves(e, step)) {
		uint32_t r = build_register(b);

		b->registers[r] = (struct reg){ .step = (uint32_t)speaks_of(e, step), .whole = e,
						.value = { .kind = VALUE_EXPR, .expr = at_event(b, e) } };
		return;
	}
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

/* A parameter's text is there as its number only. */
static bool is_constant(const struct expr *e)
{
	return e->op == EXPR_INT || e->op == EXPR_STR || (e->op == EXPR_PARAM && e->type->kind != TYPE_STR);
}

/* Copy a guard with what the engine cannot evaluate replaced: EXPR_VAL (val[index]) and EXPR_KEPT (register). */
static struct expr *rewrite(struct builder *b, const struct event *event, uint32_t step, const struct expr *e)
{
	struct expr *copy;

	if (!e)
		return NULL;
	copy = arena_new(b->arena, struct expr);
	*copy = *e;
	if ((e->op == EXPR_STEP && e->index != step) || moves(e, step)) {
		copy->op = EXPR_KEPT;
		copy->index = find_register(b, e);
		copy->a = copy->b = copy->c = NULL;
		copy->nlist = 0;
		return copy;
	}
	if (needs_text(e) && speaks_of(e, step) == OF_SEVERAL) {
		diag_error(b->diags, TAG_NOT_HERE, e->span, "a text of one event, by what another event knows");
		return copy;
	}
	if (e->op == EXPR_STEP || !(mentions_step(e) || is_constant(e)) || needs_text(e)) {
		struct value v = { .kind = VALUE_EXPR, .expr = needs_text(e) ? at_event(b, e) : e };

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
