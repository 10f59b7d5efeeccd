// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_delay.c - an event's `delay`: the dice, then the runtime's wait (bpf/delay.h). */
#include "rules/lower.h"

#define CERTAIN 1000000u

/* By what the program that the code is in may do. */
static const char *wait_function(enum hook hook)
{
	if (hook_kinds[hook].direct)
		return "df_delay";
	return hook == HOOK_UPROBE || hook == HOOK_USDT ? "df_delay_user" : "df_delay_hit";
}

void lower_delay(struct lower *l)
{
	const struct event *e = l->event;
	uint32_t done;

	if (!e->delay_ns)
		return;
	done = ir_new_label(l->f);
	ir_line(l->f, e->delay_span);
	ir_comment(l->f, "delay");
	if (e->delay_ppm < CERTAIN) {
		ir_call(l->f, BPF_FUNC_get_prandom_u32);
		ir_movi(l->f, BPF_REG_1, ((uint64_t)e->delay_ppm << 32) / CERTAIN);
		ir_jcc(l->f, BPF_JGE, BPF_REG_0, BPF_REG_1, done);
	}
	ir_movi(l->f, BPF_REG_1, e->index);
	ir_movi(l->f, BPF_REG_2, l->rule->index);
	ir_movi(l->f, BPF_REG_3, e->delay_ns);
	ir_call_symbol(l->f, wait_function(l->body->hook));
	ir_label(l->f, done);
}
