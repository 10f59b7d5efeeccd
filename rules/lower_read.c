// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_read.c - lvalues: where they are, found by name on the target kernel (CO-RE), and what is read there.
 */
#include "rules/lower_parts.h"

#include <string.h>

#include "rules/probe.h"

bool lower_is_signed(const struct type *t)
{
	return (t->kind == TYPE_INT || t->kind == TYPE_ENUM) && t->is_signed;
}

void lower_narrow(struct ir_func *f, uint8_t reg, const struct type *t)
{
	uint32_t bits = t->size * 8;

	if (!type_is_integer(t) || bits == 0 || bits >= 64)
		return;
	if (lower_is_signed(t)) {
		ir_alui(f, BPF_LSH, reg, (int32_t)(64 - bits));
		ir_alui(f, BPF_ARSH, reg, (int32_t)(64 - bits));
	} else if (bits == 32) {
		ir_mov32(f, reg, reg);
	} else {
		ir_alui(f, BPF_AND, reg, (int32_t)((1u << bits) - 1));
	}
}

void lower_truth(struct ir_func *f, uint8_t reg)
{
	uint32_t done = ir_new_label(f);

	ir_jcci(f, BPF_JEQ, reg, 0, done);
	ir_movi(f, reg, 1);
	ir_label(f, done);
}

/* The shifts that the target gives are known of members only, not of an array's element. */
static void extend(struct lower *l, const struct type *t, const struct core_access *access, uint8_t reg)
{
	if (!access || !core_is_member(access)) {
		if (lower_is_signed(t))
			lower_narrow(l->f, reg, t);
		return;
	}
	if (!lower_is_signed(t) && !core_is_bitfield(access))
		return;
	ir_alui(l->f, BPF_LSH, reg, 0);
	ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_LSHIFT_U64 };
	ir_alui(l->f, lower_is_signed(t) ? BPF_ARSH : BPF_RSH, reg, 0);
	ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_RSHIFT_U64 };
}

/* Reads of a body that are tried by plain loads, the first: the verifier looks at three times as much for them. */
#define PEEKS_MAX 16

/* reg = the number of bytes that are read */
static void lower_read_size(struct lower *l, const struct type *t, const struct core_access *access, uint8_t reg)
{
	uint32_t size = t->kind == TYPE_PTR || t->kind == TYPE_FUNC ? 8 : t->size;

	ir_raw(l->f, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, (int32_t)size);
	if (access)
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_BYTE_SIZE };
}

/*
 * A plain load first; to `found` unless it gives 0, which may mean that there is nothing to read. Only in hooks: they have
 * stack for the call, and run for every event.
 */
static void lower_peek(struct lower *l, const struct type *t, const struct core_access *access, int16_t slot, uint8_t reg,
		       uint32_t found)
{
	ir_store(l->f, 8, BPF_REG_10, slot, reg);
	ir_mov(l->f, BPF_REG_1, reg);
	lower_read_size(l, t, access, BPF_REG_2);
	ir_call_symbol(l->f, "df_peek");
	ir_mov(l->f, reg, BPF_REG_0);
	ir_jcci(l->f, BPF_JNE, reg, 0, found);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
}

uint32_t lower_reader(const struct lower *l)
{
	return l->event && event_any(l->event, PROBE_NUMBERED) ? BPF_FUNC_probe_read : BPF_FUNC_probe_read_kernel;
}

void lower_read(struct lower *l, const struct type *t, const struct core_access *access, bool is_user, uint32_t depth,
		uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	int16_t slot = ir_frame(l->f, 8);
	uint32_t found = ir_new_label(l->f), helper = is_user ? BPF_FUNC_probe_read_user : lower_reader(l);

	if (helper == BPF_FUNC_probe_read_kernel && !l->in_guard && !l->loops && l->npeeks++ < PEEKS_MAX)
		lower_peek(l, t, access, slot, reg, found);
	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_mov(l->f, BPF_REG_3, reg);
	ir_mov(l->f, BPF_REG_1, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, slot);
	lower_read_size(l, t, access, BPF_REG_2);
	ir_call(l->f, helper);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_label(l->f, found);
	ir_frame_release(l->f, 8);
	extend(l, t, access, reg);
	if (t->kind == TYPE_BOOL)
		lower_truth(l->f, reg);
}

/*
 * The steps of an lvalue that need no pointer to be followed: from the struct that *base points to (or is).
 * Returns their number; 0 if the lvalue has no such form (*p, p[i], a variable index).
 */
static uint32_t collect_steps(const struct expr *e, struct core_step *steps, uint32_t max, const struct expr **base,
			      const struct type **root)
{
	uint32_t n = 0;

	if (max < 2)
		return 0;
	if (e->op == EXPR_MEMBER && !e->arrow && expr_is_lvalue(e->a))
		n = collect_steps(e->a, steps, max - 1, base, root);
	if (e->op == EXPR_MEMBER && !n) {
		*base = e->a;
		*root = e->member.base;
	} else if (e->op == EXPR_INDEX && e->a->type->kind == TYPE_ARRAY && e->b->op == EXPR_INT && expr_is_lvalue(e->a)) {
		n = collect_steps(e->a, steps, max - 1, base, root);
		if (!n || e->b->value >= e->a->type->nelems)
			return 0;
		steps[n++] = (struct core_step){ .index = (uint32_t)e->b->value, .type = e->type };
		return n;
	} else if (e->op != EXPR_MEMBER) {
		return 0;
	}
	steps[n++] = (struct core_step){ .member = &e->member, .type = e->type };
	return n;
}

#define STEPS_MAX 32

bool lower_has_name(const struct type *t)
{
	return t->kind == TYPE_STRUCT && t->btf && t->name && !t->from_text;
}

static const struct core_access *access_of(struct lower *l, const struct expr *e, const struct expr **base)
{
	struct core_step steps[STEPS_MAX];
	const struct type *root = NULL;
	uint32_t n = collect_steps(e, steps, STEPS_MAX, base, &root);

	/* Types from C text in the rule, and nameless ones, have no name to look up on another kernel. */
	if (!n || !lower_has_name(root))
		return NULL;
	return core_access(l->core, root, steps, n);
}

void lower_scale(struct lower *l, uint8_t reg, const struct type *t)
{
	if (lower_has_name(t)) {
		ir_alui(l->f, BPF_MUL, reg, 0);
		ir_last(l->f)->core = (struct ir_core){ core_type(l->core, t), BPF_CORE_TYPE_SIZE };
	} else if (t->size > 1) {
		ir_alui(l->f, BPF_MUL, reg, (int32_t)t->size);
	}
}

static void lower_index_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), left, right;
	int64_t offset = (int64_t)e->b->value * e->type->size;
	struct operand array = { e->a, e->a->type->kind != TYPE_PTR }, index = { e->b, false };

	if (e->b->op == EXPR_INT && !lower_has_name(e->type) && offset == (int32_t)offset) {
		lower_operand(l, &array, depth, fail);
		if (offset)
			ir_alui(l->f, BPF_ADD, reg, (int32_t)offset);
		return;
	}
	lower_pair(l, &array, &index, depth, fail, &left, &right);
	lower_scale(l, right, e->type);
	ir_alu(l->f, BPF_ADD, left, right);
	ir_mov(l->f, reg, left);
}

static void lower_base(struct lower *l, const struct expr *base, uint32_t depth, uint32_t fail)
{
	if (expr_is_lvalue(base) && base->type->kind != TYPE_PTR)
		lower_address(l, base, depth, fail);
	else
		lower_value(l, base, depth, fail);
}

/* The address of a plain lvalue whose place the target kernel does not decide. */
static void lower_fixed_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	switch (e->op) {
	case EXPR_MEMBER:
		lower_base(l, e->a, depth, fail);
		if (e->member.bit_off >= 8)
			ir_alui(l->f, BPF_ADD, (uint8_t)IR_REG(depth), (int32_t)(e->member.bit_off / 8));
		break;
	case EXPR_INDEX:
		lower_index_address(l, e, depth, fail);
		break;
	case EXPR_DEREF:
		lower_value(l, e->a, depth, fail);
		break;
	default:
		lower_value(l, e, depth, fail);
	}
}

/* The address; *access tells how the target places what is there, or is NULL. */
static void lower_place(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail,
			const struct core_access **access)
{
	const struct expr *base = NULL;

	*access = access_of(l, e, &base);
	if (!*access) {
		lower_fixed_address(l, e, depth, fail);
		return;
	}
	lower_base(l, base, depth, fail);
	ir_alui(l->f, BPF_ADD, (uint8_t)IR_REG(depth), 0);
	ir_last(l->f)->core = (struct ir_core){ *access, BPF_CORE_FIELD_BYTE_OFFSET };
}

void lower_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct core_access *access;

	lower_place(l, e, depth, fail, &access);
}

/* A bit-field in a layout that does not move: read the bytes around it, shift. */
static void lower_fixed_bits(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint32_t first = e->member.bit_off % 8, bits = e->member.bit_size;
	struct type unit = { .kind = TYPE_INT, .size = (first + bits + 7) / 8 };
	uint8_t reg = (uint8_t)IR_REG(depth);

	lower_read(l, &unit, NULL, expr_place_is_user(e), depth, fail);
	ir_alui(l->f, BPF_LSH, reg, (int32_t)(64 - first - bits));
	ir_alui(l->f, lower_is_signed(e->type) ? BPF_ARSH : BPF_RSH, reg, (int32_t)(64 - bits));
}

void lower_lvalue(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct core_access *access;

	lower_place(l, e, depth, fail, &access);
	if (e->type->kind == TYPE_ARRAY || e->type->kind == TYPE_STRUCT)
		return;
	if (!access && e->op == EXPR_MEMBER && e->member.bit_size)
		lower_fixed_bits(l, e, depth, fail);
	else
		lower_read(l, e->type, access, expr_place_is_user(e), depth, fail);
}
