// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_arg.c - arguments and return values: where each kind of hook has them.
 *
 * Registers of the probed function come straight from the context. Everything else is fetched by a helper, and so
 * is a plain number to the verifier: a typed pointer, as loads from a tracing program's context give, may not be
 * compared, masked or stored as rules want. bpf_get_func_arg and _ret are inlined by the kernel (v5.17).
 */
#include "lib/arena.h"
#include "rules/lower_parts.h"

/*
 * Where x86-64 puts arguments, in struct pt_regs (arch/x86/include/asm/ptrace.h): di, si, dx, cx, r8, r9; then the
 * caller's stack above the return address. ax holds the return value.
 */
static const int16_t arg_regs[6] = { 112, 104, 96, 88, 72, 64 };
#define PT_REGS_AX 80
#define PT_REGS_SP 152

static enum context context_of(const struct lower *l)
{
	/* a guard has no context: it asks for no arguments */
	return l->body->hook < HOOKS ? hook_kinds[l->body->hook].context : CTX_PERF;
}

static uint32_t position(const struct lower *l, const struct expr *e)
{
	return l->body->argpos ? l->body->argpos[e->index] : l->event->args[e->index].number;
}

/* At the return of a session the registers hold arguments no more. */
static bool is_saved(const struct lower *l)
{
	return l->body->hook == HOOK_SESSION && !l->at_entry;
}

bool arg_kills(const struct lower *l, const struct expr *e)
{
	enum context ctx = context_of(l);

	if (is_saved(l))
		return false;
	return (ctx != CTX_REGS && ctx != CTX_USER) || position(l, e) >= 6;
}

bool arg_fails(const struct lower *l, const struct expr *e)
{
	enum context ctx = context_of(l);

	if (is_saved(l))
		return true;
	return ctx == CTX_SITE || ((ctx == CTX_REGS || ctx == CTX_USER) && position(l, e) >= 6);
}

/* The value that was saved for e, into reg; jumps to fail if it is not known. */
static void load_saved(struct lower *l, const struct expr *e, uint8_t reg, uint32_t fail)
{
	uint32_t i;

	for (i = 0; i < l->saved.n; i++) {
		const struct expr *v = l->saved.values[i];

		if (v == e || (v->op == EXPR_ARG && e->op == EXPR_ARG && v->index == e->index))
			break;
	}
	ir_load(l->f, 8, reg, BPF_REG_10, l->saved_at);
	ir_alui(l->f, BPF_AND, reg, 1 << i);
	ir_jcci(l->f, BPF_JEQ, reg, 0, fail);
	ir_load(l->f, 8, reg, BPF_REG_10, (int16_t)(l->saved_at + 8 * (i + 1)));
}

/* r0 = helper(8 zeroed bytes of the stack, size, address in r3); the value into reg. */
static void fetch(struct lower *l, uint8_t reg, uint32_t size, uint32_t helper, uint32_t fail)
{
	int16_t slot = ir_frame(l->f, 8);

	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_mov(l->f, BPF_REG_1, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, slot);
	ir_movi(l->f, BPF_REG_2, size);
	ir_call(l->f, helper);
	if (fail != NO_LABEL)
		ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
}

/* r0 = function(ctx, number, where to) */
static void fetch_site(struct lower *l, uint8_t reg, uint32_t pos, uint32_t fail)
{
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
}

static void mark_arg(struct lower *l, const struct expr *e)
{
	ir_last(l->f)->arg_slot = (int32_t)e->index;
	ir_last(l->f)->body = l->body->index;
}

static void fetch_trampoline(struct lower *l, const struct expr *e, uint8_t reg, uint32_t pos)
{
	int16_t slot = ir_frame(l->f, 8);

	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_mov(l->f, BPF_REG_1, IR_CTX);
	ir_raw(l->f, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, (int32_t)pos);
	mark_arg(l, e);
	ir_mov(l->f, BPF_REG_3, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_3, slot);
	ir_call(l->f, BPF_FUNC_get_func_arg);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
}

/* The address of a tracepoint's field: it is where the target's record has it. */
static void field_address(struct lower *l, const struct expr *e, uint8_t reg)
{
	static const struct type word = { .kind = TYPE_INT, .size = 4 };
	static const struct type character = { .kind = TYPE_INT, .size = 1, .is_signed = true, .is_char = true };
	const struct event_arg *arg = &l->event->args[e->index];
	struct core_step step = { .member = &arg->member, .type = arg->type };
	struct type *chars;

	/* a string to the rule; in the record it is an array, or the word that tells where it is */
	if (arg->data_loc) {
		step.type = &word;
	} else if (arg->type->kind == TYPE_STR) {
		chars = arena_new(l->arena, struct type);
		*chars = (struct type){ .kind = TYPE_ARRAY, .size = arg->type->size, .nelems = arg->type->size,
					.target = &character };
		step.type = chars;
	}

	ir_mov(l->f, reg, IR_CTX);
	ir_alui(l->f, BPF_ADD, reg, 0);
	ir_last(l->f)->core = (struct ir_core){ core_access(l->core, arg->member.base, &step, 1),
						BPF_CORE_FIELD_BYTE_OFFSET };
}

/* A field's string: chars in the record, or (data_loc) at an offset that a word in the record gives. */
static void lower_record_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	if (!l->event->args[e->index].data_loc) {
		field_address(l, e, reg);
		return;
	}
	field_address(l, e, BPF_REG_3);
	fetch(l, reg, 4, BPF_FUNC_probe_read_kernel, fail);
	ir_alui(l->f, BPF_AND, reg, 0xffff);
	ir_alu(l->f, BPF_ADD, reg, IR_CTX);
}

static void lower_field_value(struct lower *l, const struct expr *e, uint32_t depth)
{
	if (e->type->kind == TYPE_STR || e->type->kind == TYPE_ARRAY) {
		lower_record_address(l, e, depth, NO_LABEL);
		return;
	}
	field_address(l, e, BPF_REG_3);
	fetch(l, (uint8_t)IR_REG(depth), e->type->size, BPF_FUNC_probe_read_kernel, NO_LABEL);
}

static void lower_register(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	bool user = context_of(l) == CTX_USER;
	uint8_t reg = (uint8_t)IR_REG(depth);
	uint32_t pos = position(l, e);

	if (pos < 6) {
		ir_load(l->f, 8, reg, IR_CTX, arg_regs[pos]);
		mark_arg(l, e);
		return;
	}
	ir_load(l->f, 8, BPF_REG_3, IR_CTX, PT_REGS_SP);
	ir_alui(l->f, BPF_ADD, BPF_REG_3, (int32_t)(8 * (pos - 5)));
	fetch(l, reg, 8, user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel, fail);
}

void lower_arg(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	if (is_saved(l)) {
		load_saved(l, e, reg, fail);
		return;
	}
	switch (context_of(l)) {
	case CTX_SITE:
		fetch_site(l, reg, position(l, e), fail);
		break;
	case CTX_RECORD:
		lower_field_value(l, e, depth);
		break;
	case CTX_TRAMPOLINE:
		fetch_trampoline(l, e, reg, position(l, e));
		break;
	case CTX_WORDS:
		ir_mov(l->f, BPF_REG_3, IR_CTX);
		ir_alui(l->f, BPF_ADD, BPF_REG_3, (int32_t)(8 * position(l, e)));
		mark_arg(l, e);
		fetch(l, reg, 8, BPF_FUNC_probe_read_kernel, NO_LABEL);
		break;
	default:
		lower_register(l, e, depth, fail);
	}
	lower_narrow(l->f, reg, e->type);
}

void lower_retval(struct lower *l, const struct expr *e, uint32_t depth)
{
	uint8_t reg = (uint8_t)IR_REG(depth);
	int16_t slot;

	if (context_of(l) != CTX_TRAMPOLINE) {
		ir_load(l->f, 8, reg, IR_CTX, PT_REGS_AX);
		lower_narrow(l->f, reg, e->type);
		return;
	}
	slot = ir_frame(l->f, 8);
	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_mov(l->f, BPF_REG_1, IR_CTX);
	ir_mov(l->f, BPF_REG_2, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_2, slot);
	ir_call(l->f, BPF_FUNC_get_func_ret);
	ir_load(l->f, 8, reg, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
	lower_narrow(l->f, reg, e->type);
}

bool retval_kills(const struct lower *l)
{
	return context_of(l) == CTX_TRAMPOLINE;
}

void lower_old(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	load_saved(l, e, (uint8_t)IR_REG(depth), fail);
}
