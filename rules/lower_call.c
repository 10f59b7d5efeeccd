// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_call.c - names and functions of the language: the current task, symbols, what exists on the target, wrap-safe
 * order, container_of.
 */
#include "rules/lower_parts.h"

#include <string.h>

#include "lib/arena.h"

#define PT_REGS_FLAGS 144	/* struct pt_regs, x86-64 */
#define FLAGS_IF (1 << 9)

void lower_late(struct lower *l, uint8_t reg, enum late_kind kind, const char *name, struct span span)
{
	uint32_t word = late_word(l->arena, &l->cs->lates, kind, name, span, l->rule->index);

	ir_address(l->f, reg, "df_late", word * 8);
	ir_load(l->f, 8, reg, reg, 0);
}

/* The value of a helper: all of it, or its lower or upper half. */
enum half { WHOLE, LOWER, UPPER };

static void lower_helper(struct lower *l, uint32_t helper, enum half half, uint8_t reg)
{
	ir_call(l->f, helper);
	if (half == UPPER)
		ir_alui(l->f, BPF_RSH, BPF_REG_0, 32);
	else if (half == LOWER)
		ir_mov32(l->f, BPF_REG_0, BPF_REG_0);
	ir_mov(l->f, reg, BPF_REG_0);
}

static void lower_runtime(struct lower *l, const char *symbol, uint8_t reg)
{
	ir_call_symbol(l->f, symbol);
	ir_mov32(l->f, reg, BPF_REG_0);
}

/* What the CPU does, by its preemption count. */
static void lower_context(struct lower *l, enum df_context what, uint8_t reg)
{
	ir_movi(l->f, BPF_REG_1, what);
	lower_runtime(l, "df_in_context", reg);
}

/* Inode numbers, of which 0 means that there is none. */
static void lower_namespace(struct lower *l, const char *symbol, uint8_t reg, uint32_t fail)
{
	ir_call_symbol(l->f, symbol);
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, fail);
	ir_mov32(l->f, reg, BPF_REG_0);
}

/* The flags register where the probe was hit: kprobes save it, a trampoline does not. */
static void lower_irqs_off(struct lower *l, const struct expr *e, uint8_t reg)
{
	if (l->body->hook == HOOK_USDT || l->body->hook == HOOK_UPROBE) {
		ir_movi(l->f, reg, 0);
		return;
	}
	if (!hook_has_regs(l->body->hook)) {
		diag_hint(l->diags, diag_error(l->diags, TAG_NOT_HERE, e->span,
					       "whether interrupts are off cannot be known at this kind of probe"),
			  "kprobe: and kretprobe: see the flags of the function's caller");
		return;
	}
	ir_load(l->f, 8, reg, IR_CTX, PT_REGS_FLAGS);
	ir_alui(l->f, BPF_RSH, reg, 9);
	ir_alui(l->f, BPF_AND, reg, 1);
	ir_alui(l->f, BPF_XOR, reg, 1);
}

/* task.parent: as the name says in kernel/exit.c, the real one, not the tracer. */
static void lower_parent(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct member_ref member = { .base = e->type->target, .name = "real_parent" };
	const struct core_step step = { .member = &member, .type = e->type };
	const struct core_access *access = core_access(l->core, e->type->target, &step, 1);

	lower_helper(l, BPF_FUNC_get_current_task, WHOLE, (uint8_t)IR_REG(depth));
	ir_alui(l->f, BPF_ADD, (uint8_t)IR_REG(depth), 0);
	ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_BYTE_OFFSET };
	lower_read(l, e->type, access, false, depth, fail);
}

void lower_builtin(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	static const struct {
		uint32_t helper;
		enum half half;
	} helpers[] = {
		[BUILTIN_TASK] = { BPF_FUNC_get_current_task, WHOLE },
		[BUILTIN_PID] = { BPF_FUNC_get_current_pid_tgid, UPPER },
		[BUILTIN_TID] = { BPF_FUNC_get_current_pid_tgid, LOWER },
		[BUILTIN_UID] = { BPF_FUNC_get_current_uid_gid, LOWER },
		[BUILTIN_GID] = { BPF_FUNC_get_current_uid_gid, UPPER },
		[BUILTIN_CPU] = { BPF_FUNC_get_smp_processor_id, LOWER },
		[BUILTIN_NOW] = { BPF_FUNC_ktime_get_ns, WHOLE },
		[BUILTIN_CGROUP] = { BPF_FUNC_get_current_cgroup_id, WHOLE },
		[BUILTIN_PARENT] = { 0, WHOLE },
	};
	uint8_t reg = (uint8_t)IR_REG(depth);

	switch (e->index) {
	case BUILTIN_FUNC:
		ir_mov(l->f, BPF_REG_1, IR_CTX);
		lower_helper(l, BPF_FUNC_get_func_ip, WHOLE, reg);
		break;
	case BUILTIN_KTHREAD:
		lower_runtime(l, "df_kthread", reg);
		break;
	case BUILTIN_IN_IRQ:
		lower_context(l, DF_IN_HARDIRQ, reg);
		break;
	case BUILTIN_IN_SOFTIRQ:
		lower_context(l, DF_IN_SOFTIRQ, reg);
		break;
	case BUILTIN_IN_SERVING_SOFTIRQ:
		lower_context(l, DF_IN_SERVING_SOFTIRQ, reg);
		break;
	case BUILTIN_IN_TASK:
		lower_context(l, DF_IN_TASK, reg);
		break;
	case BUILTIN_IRQS_OFF:
		lower_irqs_off(l, e, reg);
		break;
	case BUILTIN_PIDNS:
		lower_namespace(l, "df_pidns", reg, fail);
		break;
	case BUILTIN_NETNS:
		lower_namespace(l, "df_netns", reg, fail);
		break;
	case BUILTIN_PARENT:
		lower_parent(l, e, depth, fail);
		break;
	case BUILTIN_KERNEL_VERSION:
		lower_late(l, reg, LATE_VERSION, "version", e->span);
		break;
	case BUILTIN_COMM:
		diag_error(l->diags, TAG_TYPE, e->span, "a string is no number");
		break;
	default:
		lower_helper(l, helpers[e->index].helper, helpers[e->index].half, reg);
	}
}

void lower_symbol(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	(void)fail;
	lower_late(l, (uint8_t)IR_REG(depth), LATE_SYMBOL, e->text, e->span);
}

#define STEPS_MAX 32

const struct core_access *lower_path(struct lower *l, const struct member_ref *path)
{
	struct member_ref members[STEPS_MAX];
	struct core_step steps[STEPS_MAX];
	const struct type *st = path->base;
	char *copy = arena_strdup(l->arena, path->name), *save = NULL;
	uint32_t n = 0;

	if (!lower_has_name(st) || !l->set->types)
		return NULL;
	for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save)) {
		struct type_member m;

		if (n == STEPS_MAX || st->kind != TYPE_STRUCT || !type_find_member(l->set->types, st, name, &m))
			return NULL;
		members[n] = (struct member_ref){ .base = st, .name = m.name, .bit_off = m.bit_off, .bit_size = m.bit_size };
		steps[n] = (struct core_step){ .member = &members[n], .type = m.type };
		st = m.type;
		n++;
	}
	return core_access(l->core, path->base, steps, n);
}

void lower_exists(struct lower *l, const struct expr *e, uint32_t depth)
{
	const struct core_access *access = NULL;
	uint8_t reg = (uint8_t)IR_REG(depth);

	if (e->index == EXISTS_FUNC) {
		lower_late(l, reg, LATE_FUNC, e->text, e->span);
		return;
	}
	if (e->index == EXISTS_FIELD)
		access = lower_path(l, &e->member);
	else if (e->member.base->name && e->member.base->btf && e->member.base->kind != TYPE_INT)
		access = core_type(l->core, e->member.base);
	/* what the target does not decide was there when the rule was checked */
	ir_raw(l->f, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, 1);
	if (access)
		ir_last(l->f)->core = (struct ir_core){ access, e->index == EXISTS_FIELD ? BPF_CORE_FIELD_EXISTS :
											   BPF_CORE_TYPE_EXISTS };
}

static void lower_container_of(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	const struct core_access *access = lower_path(l, &e->member);
	uint8_t reg = (uint8_t)IR_REG(depth);

	lower_value(l, e->a, depth, fail);
	ir_alui(l->f, BPF_SUB, reg, (int32_t)(e->member.bit_off / 8));
	if (access)
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_BYTE_OFFSET };
}

static void lower_arguments(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail, uint8_t *left,
			    uint8_t *right)
{
	const struct operand a = { e->list[0], false }, b = { e->list[1], false };

	lower_pair(l, &a, &b, depth, fail, left, right);
}

static void lower_min_max(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	static const uint8_t keep_left[2][2] = { { BPF_JLE, BPF_JGE }, { BPF_JSLE, BPF_JSGE } };
	uint8_t op = keep_left[lower_is_signed(e->type)][e->index == FUNC_MAX], left, right;
	uint32_t done = ir_new_label(l->f);

	lower_arguments(l, e, depth, fail, &left, &right);
	ir_jcc(l->f, op, left, right, done);
	ir_mov(l->f, left, right);
	ir_label(l->f, done);
	ir_mov(l->f, (uint8_t)IR_REG(depth), left);
}

/* x86-64 is little-endian: the instruction that makes big-endian swaps. */
static void lower_swap(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	lower_value(l, e->list[0], depth, fail);
	ir_raw(l->f, BPF_ALU | BPF_END | BPF_TO_BE, (uint8_t)IR_REG(depth), 0, 0, (int32_t)e->type->size * 8);
}

/* As C's: the least integer stays what it is. */
static void lower_abs(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	uint32_t done = ir_new_label(l->f);

	lower_value(l, e->list[0], depth, fail);
	if (!lower_is_signed(e->type))
		return;
	ir_jcci(l->f, BPF_JSGE, reg, 0, done);
	ir_raw(l->f, BPF_ALU64 | BPF_NEG, reg, 0, 0, 0);
	lower_narrow(l->f, reg, e->type);
	ir_label(l->f, done);
}

/* per_cpu(pointer, cpu): what the pointer's variable is on that CPU. */
static void lower_per_cpu(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	int16_t cpu = ir_frame(l->f, 8);
	uint8_t left, right;

	lower_arguments(l, e, depth, fail, &left, &right);
	ir_store(l->f, 8, BPF_REG_10, cpu, right);
	ir_mov(l->f, BPF_REG_1, left);
	lower_late(l, BPF_REG_2, LATE_SYMBOL, "__per_cpu_offset", e->span);
	ir_load(l->f, 8, BPF_REG_3, BPF_REG_10, cpu);
	ir_call_symbol(l->f, "df_per_cpu");
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, fail);
	ir_mov(l->f, (uint8_t)IR_REG(depth), BPF_REG_0);
	ir_frame_release(l->f, 8);
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

/* before(a, b): the difference, cut to the operands' width, is negative; after(a, b) is before(b, a). */
static void lower_order(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint8_t left, right, swap;

	lower_arguments(l, e, 0, unknown, &left, &right);
	if (e->index == FUNC_AFTER) {
		swap = left;
		left = right;
		right = swap;
	}
	ir_alu(l->f, BPF_SUB, left, right);
	if (e->list[0]->type->size < 8)
		ir_alui(l->f, BPF_LSH, left, (int32_t)(64 - 8 * e->list[0]->type->size));
	ir_jcci(l->f, BPF_JSLT, left, 0, yes);
	ir_jmp(l->f, no);
}

/* Does the address lie in a function's code? */
static void lower_in_code(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint32_t word = late_word(l->arena, &l->cs->lates, LATE_CODE, e->text, e->span, l->rule->index);

	lower_value(l, e->list[0], 0, unknown);
	ir_address(l->f, BPF_REG_2, "df_late", word * 8);
	ir_call_symbol(l->f, "df_in_code");
	lower_answer(l, yes, no, unknown);
}

bool lower_call_cond(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	switch (e->index) {
	case FUNC_IS_ERR:
	case FUNC_IS_ERR_OR_NULL:
		lower_is_err(l, e, yes, no, unknown);
		return true;
	case FUNC_BEFORE:
	case FUNC_AFTER:
		lower_order(l, e, yes, no, unknown);
		return true;
	case FUNC_IN_CODE:
		lower_in_code(l, e, yes, no, unknown);
		return true;
	case FUNC_ANY:
		lower_any(l, e, yes, no, unknown);
		return true;
	case FUNC_LIVE:
		lower_live(l, e, yes, no, unknown);
		return true;
	case FUNC_ANY_LIVE:
		lower_any_live(l, e, yes, no, unknown);
		return true;
	default:
		return false;
	}
}

void lower_call(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	switch (e->index) {
	case FUNC_IS_ERR:
	case FUNC_IS_ERR_OR_NULL:
	case FUNC_BEFORE:
	case FUNC_AFTER:
	case FUNC_IN_CODE:
	case FUNC_ANY:
	case FUNC_LIVE:
	case FUNC_ANY_LIVE:
		lower_bool(l, e, depth, fail);
		break;
	case FUNC_COUNT:
	case FUNC_LEN:
		lower_count(l, e, depth, fail);
		break;
	case FUNC_CONTAINER_OF:
		lower_container_of(l, e, depth, fail);
		break;
	case FUNC_MIN:
	case FUNC_MAX:
		lower_min_max(l, e, depth, fail);
		break;
	case FUNC_ABS:
		lower_abs(l, e, depth, fail);
		break;
	case FUNC_SWAP:
		lower_swap(l, e, depth, fail);
		break;
	case FUNC_PER_CPU:
		lower_per_cpu(l, e, depth, fail);
		break;
	case FUNC_FLAG:
		ir_address(l->f, (uint8_t)IR_REG(depth), "df_flags", (uint32_t)e->value * 8);
		ir_load(l->f, 8, (uint8_t)IR_REG(depth), (uint8_t)IR_REG(depth), 0);
		break;
	case FUNC_KCONFIG:
		lower_late(l, (uint8_t)IR_REG(depth), LATE_KCONFIG, e->text, e->span);
		break;
	default:
		diag_error(l->diags, TAG_NOT_HERE, e->span, "%s() cannot be evaluated here", e->text);
	}
}
