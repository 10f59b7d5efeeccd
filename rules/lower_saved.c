// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_saved.c - what an event at a return wants from the entry: old(...), and the arguments, which only fexit
 * still has.
 *
 * A session is one program for both ends of a call: its body saves at the entry and goes on at the return. Where
 * fexit is the way, another body, attached by fentry, saves. The values go through the stack, mask first, to the
 * thread's frames (bpf/saved.h), and back.
 */
#include "rules/lower_parts.h"

/* The mask and the values. */
static uint32_t saved_bytes(const struct lower *l)
{
	return 8 * (l->saved.n + 1);
}

static void add(struct lower *l, const struct expr *e)
{
	for (uint32_t i = 0; i < l->saved.n; i++) {
		const struct expr *v = l->saved.values[i];

		if (v == e || (v->op == EXPR_ARG && e->op == EXPR_ARG && v->index == e->index))
			return;
	}
	if (l->saved.n == DF_SAVED) {
		diag_error(l->diags, TAG_TOO_BIG, e->span, "event '%s' takes more than %d values from the entry",
			   l->event->name, DF_SAVED);
		return;
	}
	l->saved.values[l->saved.n++] = e;
}

static void collect(struct lower *l, const struct expr *e)
{
	if (!e)
		return;
	if (e->op == EXPR_OLD || (e->op == EXPR_ARG && l->body->hook == HOOK_SESSION)) {
		add(l, e);
		return;
	}
	for (uint32_t i = 0; i < e->nlist; i++)
		collect(l, e->list[i]);
	collect(l, e->a);
	collect(l, e->b);
	collect(l, e->c);
}

/* All expressions of the event, for the body that is being made. */
void saved_collect(struct lower *l)
{
	const struct event_plan *p = &l->am->plans[l->event->index];
	const struct event *e = l->event;

	l->saved.n = 0;
	l->saved_at = 0;
	collect(l, e->where);
	for (uint32_t i = 0; i < e->nfields; i++)
		collect(l, e->fields[i].expr);
	for (uint32_t i = 0; i < e->nbytes; i++)
		collect(l, e->bytes[i].addr);
	for (uint32_t i = 0; i < DF_VALS; i++) {
		if ((p->value_mask >> i & 1) && p->values[i].kind == VALUE_EXPR)
			collect(l, p->values[i].expr);
	}
	for (uint32_t r = 0; r < p->nrecordings; r++) {
		for (uint32_t i = 0; i < p->recordings[r].nkey; i++)
			collect(l, p->recordings[r].key[i]);
	}
}

/* r1 = what tells this call from others, r2 = the event, r3 = the values, r4 = their number */
static void call_frames(struct lower *l, const char *function, int16_t at)
{
	if (l->body->hook == HOOK_SESSION) {
		ir_call_symbol(l->f, "df_session");
		ir_mov(l->f, BPF_REG_1, BPF_REG_0);
	} else {
		ir_mov(l->f, BPF_REG_1, IR_CTX);
	}
	ir_movi(l->f, BPF_REG_2, l->event->index);
	ir_mov(l->f, BPF_REG_3, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_3, at);
	ir_movi(l->f, BPF_REG_4, l->saved.n);
	ir_call_symbol(l->f, function);
}

static void save_value(struct lower *l, uint32_t i, int16_t at)
{
	const struct expr *e = l->saved.values[i];
	uint32_t unknown = ir_new_label(l->f);

	ir_line(l->f, e->span);
	if (e->type->kind == TYPE_STR)
		lower_text_hash(l, e->a, 0, unknown);
	else
		lower_value(l, e->op == EXPR_OLD ? e->a : e, 0, unknown);
	ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + 8 * (i + 1)), IR_REG(0));
	ir_load(l->f, 8, BPF_REG_1, BPF_REG_10, at);
	ir_alui(l->f, BPF_OR, BPF_REG_1, 1 << i);
	ir_store(l->f, 8, BPF_REG_10, at, BPF_REG_1);
	ir_label(l->f, unknown);
}

/* At the entry: evaluate and keep; goes on to `end`. */
void lower_save(struct lower *l, uint32_t end)
{
	int16_t at = ir_frame(l->f, saved_bytes(l));

	ir_comment(l->f, "entry: values for the return");
	for (uint32_t i = 0; i <= l->saved.n; i++)
		ir_storei(l->f, 8, BPF_REG_10, (int16_t)(at + 8 * i), 0);
	l->at_entry = true;
	for (uint32_t i = 0; i < l->saved.n; i++)
		save_value(l, i, at);
	l->at_entry = false;
	call_frames(l, "df_save", at);
	ir_jmp(l->f, end);
	ir_frame_release(l->f, saved_bytes(l));
}

/* At the return: the values back on the stack, where they stay for the whole body. */
void lower_saved(struct lower *l)
{
	l->saved_at = ir_frame(l->f, saved_bytes(l));
	for (uint32_t i = 0; i <= l->saved.n; i++)
		ir_storei(l->f, 8, BPF_REG_10, (int16_t)(l->saved_at + 8 * i), 0);
	call_frames(l, "df_saved", l->saved_at);
}

void lower_saved_release(struct lower *l)
{
	if (l->saved_at)
		ir_frame_release(l->f, saved_bytes(l));
	l->saved_at = 0;
}
