// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_expr.c - values: registers, reads of kernel memory, arithmetic with C's widths. */
#include <string.h>

#include "lib/arena.h"
#include "rules/lower.h"

/*
 * Where x86-64 puts arguments, in struct pt_regs (arch/x86/include/asm/ptrace.h): di, si, dx, cx, r8, r9; then the
 * caller's stack above the return address. ax holds the return value.
 */
static const int16_t arg_regs[6] = { 112, 104, 96, 88, 72, 64 };
#define PT_REGS_AX 80
#define PT_REGS_SP 152

/* Is the argument anywhere but in a register? */
static bool arg_is_far(const struct lower *l, const struct expr *e)
{
	return l->body->hook == HOOK_USDT || (l->body->argpos && l->body->argpos[e->index] >= 6);
}

static bool any_part(const struct lower *l, const struct expr *e, bool (*test)(const struct lower *, const struct expr *))
{
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (test(l, e->list[i]))
			return true;
	}
	return test(l, e->a) || test(l, e->b) || test(l, e->c);
}

bool expr_kills(const struct lower *l, const struct expr *e)
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
	case EXPR_SET:
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
		return arg_is_far(l, e);
	default:
		return any_part(l, e, expr_kills);
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
	case EXPR_DIV:
	case EXPR_MOD:
	case EXPR_VAL:
	case EXPR_KEPT:
		return true;
	case EXPR_ARG:
		return arg_is_far(l, e);
	case EXPR_ADDR:
		return any_part(l, e->a, expr_fails);
	default:
		return any_part(l, e, expr_fails);
	}
}

static bool is_signed(const struct type *t)
{
	return (t->kind == TYPE_INT || t->kind == TYPE_ENUM) && t->is_signed;
}

/* Bring the low bits of a register to the width and signedness of a type. */
static void narrow(struct ir_func *f, uint8_t reg, const struct type *t)
{
	uint32_t bits = t->size * 8;

	if (t->kind == TYPE_PTR || t->kind == TYPE_ARRAY || t->kind == TYPE_STRUCT || bits == 0 || bits >= 64)
		return;
	if (is_signed(t)) {
		ir_alui(f, BPF_LSH, reg, (int32_t)(64 - bits));
		ir_alui(f, BPF_ARSH, reg, (int32_t)(64 - bits));
	} else if (bits == 32) {
		ir_mov32(f, reg, reg);
	} else {
		ir_alui(f, BPF_AND, reg, (int32_t)((1u << bits) - 1));
	}
}

/*
 * Read kernel memory: IR_REG(depth) holds the address, and the value after. access NULL: the type's own size;
 * else sizes and shifts come from the target kernel.
 */
static void read_value(struct lower *l, const struct type *t, const struct core_access *access, uint32_t depth,
		       uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	int16_t slot = ir_frame(l->f, 8);
	uint32_t size = t->kind == TYPE_PTR || t->kind == TYPE_FUNC ? 8 : t->size;

	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_mov(l->f, BPF_REG_3, reg);
	ir_mov(l->f, BPF_REG_1, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, slot);
	ir_raw(l->f, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, (int32_t)size);
	if (access)
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_BYTE_SIZE };
	ir_call(l->f, BPF_FUNC_probe_read_kernel);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
	if (access && (is_signed(t) || core_is_bitfield(access))) {
		ir_alui(l->f, BPF_LSH, reg, 0);
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_LSHIFT_U64 };
		ir_alui(l->f, is_signed(t) ? BPF_ARSH : BPF_RSH, reg, 0);
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_RSHIFT_U64 };
	} else if (is_signed(t)) {
		narrow(l->f, reg, t);
	}
}

/*
 * The steps of an lvalue that need no pointer to be followed: from the struct that *base points to (or is).
 * Returns their number; 0 if the lvalue has no such form (*p, p[i], a variable index).
 */
static uint32_t collect_steps(const struct expr *e, struct core_step *steps, uint32_t max, const struct expr **base,
			      const struct type **root)
{
	uint32_t n = 0;

	if (e->op == EXPR_MEMBER && (e->arrow || !expr_is_lvalue(e->a))) {
		*base = e->a;
		*root = e->member.base;
	} else if (e->op == EXPR_MEMBER) {
		n = collect_steps(e->a, steps, max - 1, base, root);
		if (!n) {
			*base = e->a;
			*root = e->member.base;
		}
	} else if (e->op == EXPR_INDEX && e->a->type->kind == TYPE_ARRAY && e->b->op == EXPR_INT && expr_is_lvalue(e->a)) {
		n = collect_steps(e->a, steps, max - 1, base, root);
		if (!n || e->b->value >= e->a->type->nelems)
			return 0;
		steps[n++] = (struct core_step){ .index = (uint32_t)e->b->value, .type = e->type };
		return n;
	} else {
		return 0;
	}
	if (n >= max)
		return 0;
	steps[n++] = (struct core_step){ .member = &e->member, .type = e->type };
	return n;
}

#define STEPS_MAX 32

static const struct core_access *access_of(struct lower *l, const struct expr *e, const struct expr **base)
{
	struct core_step steps[STEPS_MAX];
	const struct type *root = NULL;
	uint32_t n = collect_steps(e, steps, STEPS_MAX, base, &root);

	/* Types from C text in the rule, and nameless ones, have no name to look up on another kernel. */
	if (!n || !root->btf || !root->name)
		return NULL;
	return core_access(l->core, root, steps, n);
}

static void lower_index_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	uint32_t size = e->type->size ? e->type->size : 1;
	int16_t slot;

	if (e->a->type->kind == TYPE_PTR)
		lower_value(l, e->a, depth, fail);
	else
		lower_address(l, e->a, depth, fail);
	if (e->b->op == EXPR_INT) {
		if (e->b->value)
			ir_alui(l->f, BPF_ADD, reg, (int32_t)(e->b->value * size));
		return;
	}
	slot = ir_frame(l->f, 8);
	ir_store(l->f, 8, BPF_REG_10, slot, reg);
	lower_value(l, e->b, depth, fail);
	if (size > 1)
		ir_alui(l->f, BPF_MUL, reg, (int32_t)size);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, slot);
	ir_alu(l->f, BPF_ADD, reg, BPF_REG_0);
	ir_frame_release(l->f, 8);
}

/* The address of a plain lvalue whose place the target kernel does not decide. */
static void lower_fixed_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	switch (e->op) {
	case EXPR_MEMBER:
		if (e->arrow || !expr_is_lvalue(e->a))
			lower_value(l, e->a, depth, fail);
		else
			lower_address(l, e->a, depth, fail);
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
	if (expr_is_lvalue(base) && base->type->kind != TYPE_PTR)
		lower_address(l, base, depth, fail);
	else
		lower_value(l, base, depth, fail);
	ir_alui(l->f, BPF_ADD, (uint8_t)IR_REG(depth), 0);
	ir_last(l->f)->core = (struct ir_core){ *access, BPF_CORE_FIELD_BYTE_OFFSET };
}

void lower_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct core_access *access;

	lower_place(l, e, depth, fail, &access);
}

static void lower_lvalue(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	const struct core_access *access;
	struct type unit;

	lower_place(l, e, depth, fail, &access);
	if (e->type->kind == TYPE_ARRAY || e->type->kind == TYPE_STRUCT)
		return;
	if (!access && e->op == EXPR_MEMBER && e->member.bit_size) {
		/* A bit-field in a layout that does not move: read the bytes around it, shift. */
		uint32_t first = e->member.bit_off % 8, bits = e->member.bit_size;

		unit = (struct type){ .kind = TYPE_INT, .size = (first + bits + 7) / 8 };
		read_value(l, &unit, NULL, depth, fail);
		ir_alui(l->f, BPF_LSH, reg, (int32_t)(64 - first - bits));
		ir_alui(l->f, is_signed(e->type) ? BPF_ARSH : BPF_RSH, reg, (int32_t)(64 - bits));
		return;
	}
	read_value(l, e->type, access, depth, fail);
}

static void lower_arg(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct event_arg *arg = &l->event->args[e->index];
	uint8_t reg = (uint8_t)IR_REG(depth);
	uint32_t pos = l->body->argpos ? l->body->argpos[e->index] : arg->number;
	static const struct type word = { .kind = TYPE_INT, .size = 8 };

	if (l->body->hook == HOOK_USDT) {
		/* r0 = df_usdt_arg(ctx, number, where to) */
		int16_t slot = ir_frame(l->f, 8);

		ir_storei(l->f, 8, BPF_REG_10, slot, 0);
		ir_mov(l->f, BPF_REG_1, IR_CTX);
		ir_movi(l->f, BPF_REG_2, pos);
		ir_mov(l->f, BPF_REG_3, BPF_REG_10);
		ir_alui(l->f, BPF_ADD, BPF_REG_3, slot);
		ir_call_symbol(l->f, "df_usdt_arg");
		ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
		ir_load(l->f, 8, reg, BPF_REG_10, slot);
		ir_frame_release(l->f, 8);
	} else if (pos < 6) {
		ir_load(l->f, 8, reg, IR_CTX, arg_regs[pos]);
		ir_last(l->f)->arg_slot = (int32_t)e->index;
		ir_last(l->f)->body = l->body->index;
	} else {
		ir_load(l->f, 8, reg, IR_CTX, PT_REGS_SP);
		ir_alui(l->f, BPF_ADD, reg, (int32_t)(8 * (pos - 5)));
		read_value(l, &word, NULL, depth, fail);
	}
	narrow(l->f, reg, e->type);
}

static void lower_task_field(struct lower *l, uint32_t helper, uint8_t reg, int shift)
{
	ir_call(l->f, helper);
	if (shift > 0)
		ir_alui(l->f, BPF_RSH, BPF_REG_0, shift);
	else
		ir_mov32(l->f, BPF_REG_0, BPF_REG_0);
	ir_mov(l->f, reg, BPF_REG_0);
}

static void lower_builtin(struct lower *l, const struct expr *e, uint32_t depth)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	switch (e->index) {
	case BUILTIN_PID:
		lower_task_field(l, BPF_FUNC_get_current_pid_tgid, reg, 32);
		break;
	case BUILTIN_TID:
		lower_task_field(l, BPF_FUNC_get_current_pid_tgid, reg, 0);
		break;
	case BUILTIN_UID:
		lower_task_field(l, BPF_FUNC_get_current_uid_gid, reg, 0);
		break;
	case BUILTIN_GID:
		lower_task_field(l, BPF_FUNC_get_current_uid_gid, reg, 32);
		break;
	case BUILTIN_CPU:
		lower_task_field(l, BPF_FUNC_get_smp_processor_id, reg, 0);
		break;
	case BUILTIN_NOW:
		ir_call(l->f, BPF_FUNC_ktime_get_ns);
		ir_mov(l->f, reg, BPF_REG_0);
		break;
	case BUILTIN_TASK:
		ir_call(l->f, BPF_FUNC_get_current_task);
		ir_mov(l->f, reg, BPF_REG_0);
		break;
	case BUILTIN_CGROUP:
		ir_call(l->f, BPF_FUNC_get_current_cgroup_id);
		ir_mov(l->f, reg, BPF_REG_0);
		break;
	case BUILTIN_FUNC:
		ir_mov(l->f, BPF_REG_1, IR_CTX);
		ir_call(l->f, BPF_FUNC_get_func_ip);
		ir_mov(l->f, reg, BPF_REG_0);
		break;
	default:
		diag_error(l->diags, TAG_TOO_BIG, e->span, "this name cannot be evaluated in the kernel yet");
	}
}

/* Both operands: left in IR_REG(depth), right in *right. */
static void lower_operands(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail, uint8_t *right)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	int16_t slot;

	lower_value(l, e->a, depth, fail);
	if (!expr_kills(l, e->b) && depth + 1 < IR_DEPTH) {
		lower_value(l, e->b, depth + 1, fail);
		*right = (uint8_t)IR_REG(depth + 1);
		return;
	}
	slot = ir_frame(l->f, 8);
	ir_store(l->f, 8, BPF_REG_10, slot, reg);
	lower_value(l, e->b, depth, fail);
	ir_mov(l->f, BPF_REG_0, reg);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
	*right = BPF_REG_0;
}

/*
 * Division: by zero it is unknown. BPF's is unsigned, so a signed one works on absolute values: the quotient is
 * negative if one operand is, the remainder if the dividend is.
 */
static void lower_division(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), right, op = e->op == EXPR_DIV ? BPF_DIV : BPF_MOD;
	uint32_t plus_a = ir_new_label(l->f), plus_b = ir_new_label(l->f), done = ir_new_label(l->f);
	int16_t sign;

	lower_operands(l, e, depth, fail, &right);
	ir_jcci(l->f, BPF_JEQ, right, 0, fail);
	if (!is_signed(e->type)) {
		ir_alu(l->f, op, reg, right);
		narrow(l->f, reg, e->type);
		return;
	}
	sign = ir_frame(l->f, 16);
	ir_store(l->f, 8, BPF_REG_10, sign, reg);
	ir_store(l->f, 8, BPF_REG_10, (int16_t)(sign + 8), right);
	ir_jcci(l->f, BPF_JSGE, reg, 0, plus_a);
	ir_raw(l->f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
	ir_label(l->f, plus_a);
	ir_jcci(l->f, BPF_JSGE, right, 0, plus_b);
	ir_raw(l->f, BPF_ALU64 | BPF_NEG, right, 0, 0, 0);
	ir_label(l->f, plus_b);
	ir_alu(l->f, op, reg, right);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, sign);
	if (e->op == EXPR_DIV) {
		int16_t spare = ir_frame(l->f, 8);

		/* sign of a ^ b, without another register: through the stack */
		ir_store(l->f, 8, BPF_REG_10, spare, reg);
		ir_load(l->f, 8, reg, BPF_REG_10, (int16_t)(sign + 8));
		ir_alu(l->f, BPF_XOR, BPF_REG_0, reg);
		ir_load(l->f, 8, reg, BPF_REG_10, spare);
		ir_frame_release(l->f, 8);
	}
	ir_jcci(l->f, BPF_JSGE, BPF_REG_0, 0, done);
	ir_raw(l->f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
	ir_label(l->f, done);
	ir_frame_release(l->f, 16);
	narrow(l->f, reg, e->type);
}

static void lower_shift(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), right;
	uint8_t op = e->op == EXPR_SHL ? BPF_LSH : is_signed(e->type) ? BPF_ARSH : BPF_RSH;

	lower_operands(l, e, depth, fail, &right);
	ir_alui(l->f, BPF_AND, right, e->type->size == 8 ? 63 : 31);
	ir_alu(l->f, op, reg, right);
	narrow(l->f, reg, e->type);
}

static void lower_arith(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	static const uint8_t ops[] = {
		[EXPR_MUL] = BPF_MUL, [EXPR_ADD] = BPF_ADD, [EXPR_SUB] = BPF_SUB,
		[EXPR_AND] = BPF_AND, [EXPR_OR] = BPF_OR,   [EXPR_XOR] = BPF_XOR,
	};
	uint8_t reg = (uint8_t)IR_REG(depth), right;

	if (e->b->op == EXPR_INT && (int64_t)e->b->value == (int32_t)e->b->value && e->type->kind != TYPE_PTR) {
		lower_value(l, e->a, depth, fail);
		ir_alui(l->f, ops[e->op], reg, (int32_t)e->b->value);
	} else {
		lower_operands(l, e, depth, fail, &right);
		if (e->type->kind == TYPE_PTR && e->a->type->kind == TYPE_PTR && e->type->target->size > 1)
			ir_alui(l->f, BPF_MUL, right, (int32_t)e->type->target->size);
		ir_alu(l->f, ops[e->op], reg, right);
	}
	narrow(l->f, reg, e->type);
}

/* A condition as a value: 1 or 0. */
static void lower_bool(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
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
		uint32_t done = ir_new_label(l->f);

		ir_jcci(l->f, BPF_JEQ, (uint8_t)IR_REG(depth), 0, done);
		ir_movi(l->f, (uint8_t)IR_REG(depth), 1);
		ir_label(l->f, done);
		return;
	}
	narrow(l->f, (uint8_t)IR_REG(depth), e->type);
}

static void lower_unary(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	lower_value(l, e->a, depth, fail);
	if (e->op == EXPR_NEG)
		ir_raw(l->f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
	else
		ir_alui(l->f, BPF_XOR, reg, -1);
	narrow(l->f, reg, e->type);
}

void lower_value(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	switch (e->op) {
	case EXPR_INT:
		ir_movi(l->f, reg, e->value);
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
		ir_load(l->f, 8, reg, IR_CTX, PT_REGS_AX);
		narrow(l->f, reg, e->type);
		break;
	case EXPR_BUILTIN:
		lower_builtin(l, e, depth);
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
		if (e->index != FUNC_IS_ERR && e->index != FUNC_IS_ERR_OR_NULL) {
			diag_error(l->diags, TAG_TOO_BIG, e->span, "this function cannot be evaluated in the kernel yet");
			break;
		}
		/* fall through */
	default:
		lower_bool(l, e, depth, fail);
	}
}
