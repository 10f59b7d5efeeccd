// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ir_live.c - what can be reached: the kernel refuses a program with an instruction that no path leads to
 * (kernel/bpf/verifier.c, check_cfg), and conditions that cannot fail leave such code behind.
 */
#include "rules/ir.h"

#include "lib/arena.h"

enum flow { NEXT = 1, JUMP = 2 };

/* Where control goes after an item. */
static int flow_of(const struct ir_item *item)
{
	uint8_t class = BPF_CLASS(item->insn.code), op = BPF_OP(item->insn.code);

	if (item->kind != IR_INSN || (class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL)
		return NEXT;
	if (op == BPF_EXIT)
		return 0;
	return op == BPF_JA ? JUMP : NEXT | JUMP;
}

bool *ir_live(const struct ir_func *f)
{
	uint32_t *labels = arena_array(f->arena, f->nlabels + 1, sizeof(*labels));
	uint32_t *todo = arena_array(f->arena, f->nlabels + 2, sizeof(*todo)), n = 0;
	bool *live = arena_array(f->arena, f->n + 1, sizeof(*live));

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->items[i].kind == IR_LABEL)
			labels[f->items[i].label] = i;
	}
	todo[n++] = 0;
	while (n) {
		for (uint32_t i = todo[--n]; i < f->n && !live[i]; i++) {
			int flow = flow_of(&f->items[i]);

			live[i] = true;
			/* a label is queued once: it is marked when it is */
			if ((flow & JUMP) && !live[labels[f->items[i].label]]) {
				live[labels[f->items[i].label]] = true;
				todo[n++] = labels[f->items[i].label] + 1;
			}
			if (!(flow & NEXT))
				break;
		}
	}
	return live;
}
