// SPDX-License-Identifier: GPL-2.0-or-later
/* code_print.c - encoded functions as text: instructions by number, with what the object file knows of them. */
#include "rules/encode.h"

#include "rules/core.h"

static void print_mark(const struct mark *m, FILE *out)
{
	uint32_t line, col;

	switch (m->kind) {
	case MARK_SYMBOL:
	case MARK_FUNC_ADDR:
		fprintf(out, "\t; %s", m->symbol);
		break;
	case MARK_CORE:
		fputs("\t; CO-RE ", out);
		core_access_print(m->core.access, m->core.kind, out);
		break;
	case MARK_LINE:
		source_position(m->span.src, m->span.off, &line, &col);
		fprintf(out, "\t; line %u:%u", line, col);
		break;
	case MARK_ARG:
		fprintf(out, "\t; argument %d", m->arg_slot);
		break;
	}
}

void code_print(const struct code *code, FILE *out)
{
	const struct mark *m = code->marks, *end = m + code->nmarks;
	char text[96];

	fprintf(out, "%s %s: %u instructions, %u bytes of stack\n", code->func->is_program ? code->func->section : "function",
		code->func->name, code->n, code->func->frame_max);
	for (uint32_t i = 0; i < code->n; i++) {
		ir_insn_text(&code->insns[i], text, sizeof(text));
		fprintf(out, "%5u\t%s", i, text);
		for (; m < end && m->insn == i; m++)
			print_mark(m, out);
		fputc('\n', out);
		/* the second half of a 64-bit constant */
		i += code->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);
	}
}
