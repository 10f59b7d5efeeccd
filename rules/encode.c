// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/encode.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/core.h"

/* A jump's offset has 16 bits. */
#define JUMP_MAX 32767

static bool is_jump(const struct ir_item *item)
{
	uint8_t class = BPF_CLASS(item->insn.code), op = BPF_OP(item->insn.code);

	return item->kind == IR_INSN && (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* A jump to what follows anyway is left out. */
static bool is_idle_jump(const struct ir_func *f, uint32_t i)
{
	const struct ir_item *item = &f->items[i];

	if (!is_jump(item) || BPF_OP(item->insn.code) != BPF_JA)
		return false;
	for (i++; i < f->n; i++) {
		if (f->items[i].kind == IR_LABEL && f->items[i].label == item->label)
			return true;
		if (f->items[i].kind == IR_INSN || f->items[i].kind == IR_LDIMM64)
			return false;
	}
	return false;
}

static struct mark *mark_add(struct code *code, struct arena *a, enum mark_kind kind, uint32_t insn)
{
	struct mark *m;

	code->marks = arena_grow(a, code->marks, code->nmarks, sizeof(*code->marks));
	m = &code->marks[code->nmarks++];
	memset(m, 0, sizeof(*m));
	m->kind = kind;
	m->insn = insn;
	return m;
}

static void mark_item(struct code *code, struct arena *a, const struct ir_item *item, uint32_t at)
{
	if (item->symbol)
		mark_add(code, a, item->func_addr ? MARK_FUNC_ADDR : MARK_SYMBOL, at)->symbol = item->symbol;
	if (item->core.access)
		mark_add(code, a, MARK_CORE, at)->core = item->core;
	if (item->arg_slot >= 0) {
		struct mark *m = mark_add(code, a, MARK_ARG, at);

		m->arg_slot = item->arg_slot;
		m->body = item->body;
	}
}

/* First pass: where every label and instruction stands. */
static uint32_t place(const struct ir_func *f, uint32_t *labels)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct ir_item *item = &f->items[i];

		if (item->kind == IR_LABEL)
			labels[item->label] = at;
		else if (item->kind == IR_LDIMM64)
			at += 2;
		else if (item->kind == IR_INSN && !is_idle_jump(f, i))
			at++;
	}
	return at;
}

static void put_ldimm64(struct code *code, const struct ir_item *item)
{
	struct bpf_insn *in = &code->insns[code->n];

	in[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = item->insn.dst_reg };
	in[1] = (struct bpf_insn){ 0 };
	if (item->func_addr) {
		in[0].src_reg = BPF_PSEUDO_FUNC;
	} else {
		in[0].imm = (int32_t)item->imm64;
		in[1].imm = (int32_t)(item->imm64 >> 32);
	}
	code->n += 2;
}

static const struct ir_func *root(const struct ir_func *f)
{
	while (f->caller)
		f = f->caller;
	return f;
}

/* Stack of the function, and of those that wait for it. */
static uint32_t frames(const struct ir_func *f)
{
	uint32_t sum = 0;

	for (; f; f = f->caller)
		sum += f->frame_max;
	return sum;
}

const char *encode(const struct ir_func *f, struct code *ret, struct span *where)
{
	uint32_t *labels = arena_array(f->arena, f->nlabels + 1, sizeof(*labels));
	struct code code = { .func = f };
	struct span line = { 0 };

	*where = f->frame_line;
	if (frames(f) > root(f)->frame_limit)
		return "needs more stack than a BPF program has";
	code.insns = arena_array(f->arena, place(f, labels) + 1, sizeof(*code.insns));
	for (uint32_t i = 0; i < f->n; i++) {
		const struct ir_item *item = &f->items[i];

		if (item->kind == IR_LINE)
			*where = line = item->span;
		if ((item->kind != IR_INSN && item->kind != IR_LDIMM64) || is_idle_jump(f, i))
			continue;
		if (line.src) {
			mark_add(&code, f->arena, MARK_LINE, code.n)->span = line;
			line.src = NULL;
		}
		mark_item(&code, f->arena, item, code.n);
		if (item->kind == IR_LDIMM64) {
			put_ldimm64(&code, item);
			continue;
		}
		code.insns[code.n] = item->insn;
		if (item->core.access)
			code.insns[code.n].imm = (int32_t)core_local_value(item->core.access, item->core.kind);
		if (is_jump(item)) {
			int64_t off = (int64_t)labels[item->label] - code.n - 1;

			if (off > JUMP_MAX || off < -JUMP_MAX - 1)
				return "is so long that a BPF jump cannot reach over it";
			code.insns[code.n].off = (int16_t)off;
		}
		code.n++;
	}
	*ret = code;
	return NULL;
}
