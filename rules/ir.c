// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/ir.h"

#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"

struct ir_func *ir_func_new(struct arena *a, const char *name, const char *section, uint32_t nparams)
{
	struct ir_func *f = arena_new(a, struct ir_func);

	f->arena = a;
	f->name = name;
	f->section = section;
	f->is_program = strcmp(section, ".text") != 0;
	f->nparams = nparams;
	f->frame_limit = IR_FRAME_MAX;
	return f;
}

static struct ir_item *ir_append(struct ir_func *f, enum ir_kind kind)
{
	struct ir_item *item;

	f->items = arena_grow(f->arena, f->items, f->n, sizeof(*f->items));
	item = &f->items[f->n++];
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	item->arg_slot = -1;
	item->doubts = f->doubts;
	return item;
}

struct ir_item *ir_last(struct ir_func *f)
{
	return &f->items[f->n - 1];
}

uint32_t ir_new_label(struct ir_func *f)
{
	return f->nlabels++;
}

void ir_label(struct ir_func *f, uint32_t label)
{
	ir_append(f, IR_LABEL)->label = label;
}

void ir_line(struct ir_func *f, struct span span)
{
	if (!span.src)
		return;
	ir_append(f, IR_LINE)->span = span;
	f->line = span;
}

void ir_comment(struct ir_func *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ir_append(f, IR_COMMENT)->comment = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
}

int16_t ir_frame(struct ir_func *f, uint32_t bytes)
{
	f->frame += (bytes + 7) & ~7u;
	if (f->frame > f->frame_max) {
		f->frame_max = f->frame;
		f->frame_line = f->line;
	}
	return (int16_t)-(int32_t)f->frame;
}

void ir_frame_release(struct ir_func *f, uint32_t bytes)
{
	f->frame -= (bytes + 7) & ~7u;
}

void ir_raw(struct ir_func *f, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	ir_append(f, IR_INSN)->insn =
		(struct bpf_insn){ .code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm };
}

void ir_mov(struct ir_func *f, uint8_t dst, uint8_t src)
{
	if (dst != src)
		ir_raw(f, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void ir_mov32(struct ir_func *f, uint8_t dst, uint8_t src)
{
	ir_raw(f, BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void ir_ldimm64(struct ir_func *f, uint8_t dst, uint64_t value)
{
	struct ir_item *item = ir_append(f, IR_LDIMM64);

	item->insn.dst_reg = dst & 15;
	item->imm64 = value;
}

void ir_movi(struct ir_func *f, uint8_t dst, uint64_t value)
{
	if ((int64_t)value == (int32_t)value)
		ir_raw(f, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)value);
	else if (value == (uint32_t)value)
		ir_raw(f, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)value);
	else
		ir_ldimm64(f, dst, value);
}

void ir_alu(struct ir_func *f, uint8_t op, uint8_t dst, uint8_t src)
{
	ir_raw(f, BPF_ALU64 | op | BPF_X, dst, src, 0, 0);
}

void ir_alui(struct ir_func *f, uint8_t op, uint8_t dst, int32_t imm)
{
	ir_raw(f, BPF_ALU64 | op | BPF_K, dst, 0, 0, imm);
}

static uint8_t size_code(uint32_t size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

void ir_load(struct ir_func *f, uint32_t size, uint8_t dst, uint8_t base, int16_t off)
{
	ir_raw(f, BPF_LDX | BPF_MEM | size_code(size), dst, base, off, 0);
}

void ir_store(struct ir_func *f, uint32_t size, uint8_t base, int16_t off, uint8_t src)
{
	ir_raw(f, BPF_STX | BPF_MEM | size_code(size), base, src, off, 0);
}

void ir_storei(struct ir_func *f, uint32_t size, uint8_t base, int16_t off, int32_t imm)
{
	ir_raw(f, BPF_ST | BPF_MEM | size_code(size), base, 0, off, imm);
}

void ir_jmp(struct ir_func *f, uint32_t label)
{
	ir_raw(f, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	ir_last(f)->label = label;
}

void ir_jcc(struct ir_func *f, uint8_t op, uint8_t dst, uint8_t src, uint32_t label)
{
	ir_raw(f, BPF_JMP | op | BPF_X, dst, src, 0, 0);
	ir_last(f)->label = label;
}

void ir_jcci(struct ir_func *f, uint8_t op, uint8_t dst, int32_t imm, uint32_t label)
{
	ir_raw(f, BPF_JMP | op | BPF_K, dst, 0, 0, imm);
	ir_last(f)->label = label;
}

void ir_call(struct ir_func *f, uint32_t helper)
{
	ir_raw(f, BPF_JMP | BPF_CALL, 0, 0, 0, (int32_t)helper);
}

void ir_call_symbol(struct ir_func *f, const char *symbol)
{
	ir_raw(f, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
	ir_last(f)->symbol = symbol;
}

void ir_address(struct ir_func *f, uint8_t dst, const char *symbol, uint32_t offset)
{
	struct ir_item *item = ir_append(f, IR_LDIMM64);

	item->insn.dst_reg = dst & 15;
	item->symbol = symbol;
	item->imm64 = offset;
}

void ir_func_address(struct ir_func *f, uint8_t dst, const char *symbol)
{
	ir_address(f, dst, symbol, 0);
	ir_last(f)->func_addr = true;
}

void ir_exit(struct ir_func *f)
{
	ir_raw(f, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static bool is_jump(const struct ir_item *item)
{
	uint8_t class = BPF_CLASS(item->insn.code), op = BPF_OP(item->insn.code);

	return item->kind == IR_INSN && (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Does control never reach the next item from this one? */
static bool is_final(const struct ir_item *item)
{
	return item->kind == IR_INSN && (item->insn.code == (BPF_JMP | BPF_JA) || item->insn.code == (BPF_JMP | BPF_EXIT));
}

void ir_drop_dead(struct ir_func *f)
{
	bool *used = arena_array(f->arena, f->nlabels + 1, sizeof(*used)), dead;
	uint32_t before, n, i;

	do {
		before = f->n;
		memset(used, 0, f->nlabels * sizeof(*used));
		for (i = 0; i < f->n; i++) {
			if (is_jump(&f->items[i]))
				used[f->items[i].label] = true;
		}
		for (i = n = 0, dead = false; i < f->n; i++) {
			if (f->items[i].kind == IR_LABEL && used[f->items[i].label])
				dead = false;
			if (dead)
				continue;
			dead = is_final(&f->items[i]);
			f->items[n++] = f->items[i];
		}
		f->n = n;
	} while (f->n < before);
}
