/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ir.h - generated code before it is encoded: BPF instructions with labels, symbols, CO-RE accesses, source lines
 * and comments still in words.
 *
 * A function's code is a list of items. Most are real instructions whose jump target, if any, is a label number;
 * the others (labels, lines, comments) produce no instruction. Comments are part of the code, so that its text
 * (ir_print) explains itself. Registers are the machine's: lower_expr.c gives an expression of nesting depth n the
 * register IR_REG(n) and spills around calls, which is all the allocation that trees need.
 *
 * Everything lives in the compilation's arena. Appending cannot fail; limits (stack, size, jump range) are checked
 * where they are known, and reported against the rule.
 */
#ifndef RULES_IR_H
#define RULES_IR_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/source.h"

struct arena;
struct core_access;

enum ir_kind {
	IR_INSN,	/* insn; `label` is the target of a jump, `symbol` that of a call or an address */
	IR_LDIMM64,	/* 64-bit immediate (imm64) or, with a symbol, its address (plus imm64): two instructions */
	IR_LABEL,
	IR_LINE,	/* what follows comes from this place in the rule */
	IR_COMMENT,
};

/* What a CO-RE relocation puts into an instruction's immediate (enum bpf_core_relo_kind). */
struct ir_core {
	const struct core_access *access;	/* NULL: none */
	uint32_t kind;				/* BPF_CORE_FIELD_BYTE_OFFSET, ... */
};

struct ir_item {
	enum ir_kind kind;
	struct bpf_insn insn;
	uint64_t imm64;
	uint32_t label;
	const char *symbol;
	bool func_addr;			/* the symbol is a function whose address is taken (bpf_loop callbacks) */
	struct ir_core core;
	int32_t arg_slot;		/* load of an event's argument: patched where positions differ; -1: none */
	uint32_t body;			/* of an argument's load: the set's body it belongs to */
	uint32_t doubts;		/* flags of unknown && and || that are open here (rules/effort.h) */
	struct span span;
	const char *comment;
};

struct ir_func {
	const char *name;
	const char *section;		/* ".text" for subprograms */
	bool is_program;
	uint32_t nparams;		/* 1: (ctx); 2: (ctx, u32); 3: (u32, ptr, ptr); IR_CALLBACK: (u32, ptr) */
	const struct ir_func *caller;	/* of a callback: the function whose frame stays while it runs */
	struct ir_item *items;
	uint32_t n;
	uint32_t nlabels;
	uint32_t doubts;		/* of what is appended now */
	uint32_t frame;			/* bytes of stack in use now ... */
	uint32_t frame_max;		/* ... and at most */
	struct span line, frame_line;	/* the present line, and that which needed frame_max */
	uint32_t frame_limit;		/* of which IR_FRAME_MAX, or less, are allowed */
	struct arena *arena;
};

/* nparams of a function that bpf_loop calls. */
#define IR_CALLBACK 4

/* Registers for values: arguments and scratch, r0-r5 die at calls. r6-r9 have fixed jobs in bodies. */
#define IR_CTX BPF_REG_6	/* the program's context */
#define IR_STATS BPF_REG_7	/* struct df_stats * of the event */
#define IR_REC BPF_REG_8	/* struct df_rec * of the program */
#define IR_DEPTH 5		/* values held in registers at once: r1 .. r5 */
#define IR_REG(depth) (BPF_REG_1 + (depth))

/* Stack a function may use. The kernel allows 512 bytes for a program and its callees together. */
#define IR_FRAME_MAX 256

/* Of a tracing program, which calls the engine: that takes 384 (v6.1: 320 + 64). */
#define IR_FRAME_DIRECT 128

struct ir_func *ir_func_new(struct arena *a, const char *name, const char *section, uint32_t nparams);

uint32_t ir_new_label(struct ir_func *f);
void ir_label(struct ir_func *f, uint32_t label);
void ir_line(struct ir_func *f, struct span span);
void ir_comment(struct ir_func *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reserve `bytes` (rounded up to 8) of stack until ir_frame_release; returns the offset from r10, negative. */
int16_t ir_frame(struct ir_func *f, uint32_t bytes);
void ir_frame_release(struct ir_func *f, uint32_t bytes);

/* The last item appended. */
struct ir_item *ir_last(struct ir_func *f);

void ir_raw(struct ir_func *f, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm);
void ir_mov(struct ir_func *f, uint8_t dst, uint8_t src);
void ir_mov32(struct ir_func *f, uint8_t dst, uint8_t src);
void ir_movi(struct ir_func *f, uint8_t dst, uint64_t value);		/* shortest form */
void ir_ldimm64(struct ir_func *f, uint8_t dst, uint64_t value);	/* always 64 bits */
void ir_alu(struct ir_func *f, uint8_t op, uint8_t dst, uint8_t src);	/* BPF_ADD ..., 64 bits */
void ir_alui(struct ir_func *f, uint8_t op, uint8_t dst, int32_t imm);
void ir_load(struct ir_func *f, uint32_t size, uint8_t dst, uint8_t base, int16_t off);	/* zero-extends */
void ir_store(struct ir_func *f, uint32_t size, uint8_t base, int16_t off, uint8_t src);
void ir_storei(struct ir_func *f, uint32_t size, uint8_t base, int16_t off, int32_t imm);
void ir_jmp(struct ir_func *f, uint32_t label);
void ir_jcc(struct ir_func *f, uint8_t op, uint8_t dst, uint8_t src, uint32_t label);	/* BPF_JEQ ..., 64 bits */
void ir_jcci(struct ir_func *f, uint8_t op, uint8_t dst, int32_t imm, uint32_t label);
void ir_call(struct ir_func *f, uint32_t helper);
void ir_call_symbol(struct ir_func *f, const char *symbol);
void ir_address(struct ir_func *f, uint8_t dst, const char *symbol, uint32_t offset);
void ir_func_address(struct ir_func *f, uint8_t dst, const char *symbol);
void ir_exit(struct ir_func *f);

/* Remove what can never run, such as the failure branch of a read that cannot fail: the verifier refuses such code. */
void ir_drop_dead(struct ir_func *f);

/* One line an item; comments and source lines included. */
void ir_print(const struct ir_func *f, FILE *out);

/* The text of one instruction, as the kernel's verifier writes it; buf holds at least 96 bytes. */
void ir_insn_text(const struct bpf_insn *insn, char *buf, size_t size);

#endif
