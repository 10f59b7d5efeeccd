// SPDX-License-Identifier: GPL-2.0-or-later
/* ir_print.c - generated code as text: IR with its labels and comments, single instructions. */
#include "rules/ir.h"

#include <stdlib.h>

#include "rules/core.h"

static const char *const alu_ops[16] = { "+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=",
					 "s>>=" };
static const char *const jmp_ops[16] = { "",   "==", ">",  ">=", "&",  "!=", "s>", "s>=",
					 "call", "exit", "<",  "<=", "s<", "s<=" };
static const char *const sizes[4] = { "u32", "u16", "u8", "u64" };

static void alu_text(const struct bpf_insn *in, char *buf, size_t size)
{
	char r = BPF_CLASS(in->code) == BPF_ALU64 ? 'r' : 'w';

	if (BPF_OP(in->code) == BPF_NEG)
		snprintf(buf, size, "%c%d = -%c%d", r, in->dst_reg, r, in->dst_reg);
	else if (BPF_SRC(in->code) == BPF_X)
		snprintf(buf, size, "%c%d %s %c%d", r, in->dst_reg, alu_ops[in->code >> 4], r, in->src_reg);
	else
		snprintf(buf, size, "%c%d %s %d", r, in->dst_reg, alu_ops[in->code >> 4], in->imm);
}

static void jmp_text(const struct bpf_insn *in, char *buf, size_t size)
{
	char r = BPF_CLASS(in->code) == BPF_JMP ? 'r' : 'w';

	switch (BPF_OP(in->code)) {
	case BPF_CALL:
		snprintf(buf, size, in->src_reg ? "call pc%+d" : "call helper %d", in->imm);
		break;
	case BPF_EXIT:
		snprintf(buf, size, "exit");
		break;
	case BPF_JA:
		snprintf(buf, size, "goto pc%+d", in->off);
		break;
	default:
		if (BPF_SRC(in->code) == BPF_X)
			snprintf(buf, size, "if %c%d %s %c%d goto pc%+d", r, in->dst_reg, jmp_ops[in->code >> 4], r,
				 in->src_reg, in->off);
		else
			snprintf(buf, size, "if %c%d %s %d goto pc%+d", r, in->dst_reg, jmp_ops[in->code >> 4],
				 in->imm, in->off);
	}
}

static void mem_text(const struct bpf_insn *in, char *buf, size_t size)
{
	const char *width = sizes[BPF_SIZE(in->code) >> 3];

	switch (BPF_CLASS(in->code)) {
	case BPF_LDX:
		snprintf(buf, size, "r%d = *(%s *)(r%d %c %d)", in->dst_reg, width, in->src_reg,
			 in->off < 0 ? '-' : '+', abs(in->off));
		break;
	case BPF_ST:
		snprintf(buf, size, "*(%s *)(r%d %c %d) = %d", width, in->dst_reg, in->off < 0 ? '-' : '+',
			 abs(in->off), in->imm);
		break;
	default:
		snprintf(buf, size, "*(%s *)(r%d %c %d) = r%d", width, in->dst_reg, in->off < 0 ? '-' : '+',
			 abs(in->off), in->src_reg);
	}
}

void ir_insn_text(const struct bpf_insn *in, char *buf, size_t size)
{
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu_text(in, buf, size);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		jmp_text(in, buf, size);
		break;
	case BPF_LD:
		snprintf(buf, size, "r%d = %d ll", in->dst_reg, in->imm);
		break;
	default:
		mem_text(in, buf, size);
	}
}

static bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static void insn_print(const struct ir_item *item, FILE *out)
{
	char text[96], *pc;

	ir_insn_text(&item->insn, text, sizeof(text));
	pc = __builtin_strstr(text, "pc");
	if (is_jump(&item->insn) && pc)
		fprintf(out, "\t%.*sL%u", (int)(pc - text), text, item->label);
	else if (item->symbol)
		fprintf(out, "\tcall %s", item->symbol);
	else
		fprintf(out, "\t%s", text);
	if (item->arg_slot >= 0)
		fprintf(out, "\t; argument %d", item->arg_slot);
	if (item->core.access) {
		fprintf(out, "\t; CO-RE ");
		core_access_print(item->core.access, item->core.kind, out);
	}
	fputc('\n', out);
}

void ir_print(const struct ir_func *f, FILE *out)
{
	uint32_t line;

	fprintf(out, "%s %s:\n", f->is_program ? f->section : "function", f->name);
	for (const struct ir_item *item = f->items; item < f->items + f->n; item++) {
		switch (item->kind) {
		case IR_INSN:
			insn_print(item, out);
			break;
		case IR_LDIMM64:
			if (item->symbol)
				fprintf(out, "\tr%d = &%s + %llu\n", item->insn.dst_reg, item->symbol,
					(unsigned long long)item->imm64);
			else
				fprintf(out, "\tr%d = 0x%llx ll\n", item->insn.dst_reg,
					(unsigned long long)item->imm64);
			break;
		case IR_LABEL:
			fprintf(out, "L%u:\n", item->label);
			break;
		case IR_LINE:
			line = span_line(item->span);
			fprintf(out, "    ; line %u: %.*s\n", line, (int)item->span.len,
				item->span.src->text + item->span.off);
			break;
		case IR_COMMENT:
			fprintf(out, "    ; %s\n", item->comment);
			break;
		}
	}
}
