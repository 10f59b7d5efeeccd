/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode.h - the last step of code generation: labels become jump offsets, items become instructions.
 */
#ifndef RULES_ENCODE_H
#define RULES_ENCODE_H

#include "rules/ir.h"

/* What an object file needs beside the instructions; each names an instruction by its number. */
enum mark_kind { MARK_SYMBOL, MARK_FUNC_ADDR, MARK_CORE, MARK_LINE, MARK_ARG };

struct mark {
	enum mark_kind kind;
	uint32_t insn;
	const char *symbol;
	struct ir_core core;
	struct span span;
	int32_t arg_slot;
	uint32_t body;
};

struct code {
	const struct ir_func *func;
	struct bpf_insn *insns;
	uint32_t n;
	struct mark *marks;
	uint32_t nmarks;
};

/*
 * Encode one function; local types must be laid out (core_types_emit). Returns NULL, or what is too big: a text that
 * the caller reports, and *where in the rule (src NULL: nowhere).
 */
const char *encode(const struct ir_func *f, struct code *ret, struct span *where);

/* Instructions by number, with symbols, relocations and lines. */
void code_print(const struct code *code, FILE *out);

#endif
