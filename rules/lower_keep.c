// SPDX-License-Identifier: GPL-2.0-or-later
/* lower_keep.c - what an event keeps beside its fields: bytes of an object, the user stack, branch records. */
#include <stddef.h>

#include "bpf/layout.h"
#include "rules/layout.h"
#include "rules/lower_parts.h"

#define REC_WORD(i) ((int16_t)(offsetof(struct df_rec, w) + 8 * (i)))
#define STAT_FIELD_UNKNOWN ((int16_t)offsetof(struct df_stats, field_unknown))

/* r1 = where word `word` of the payload is */
static void payload_address(struct lower *l, uint8_t reg, uint32_t word)
{
	ir_mov(l->f, reg, IR_REC);
	ir_alui(l->f, BPF_ADD, reg, REC_WORD(word));
}

/* Bytes of an object; when they cannot be read, their bit in the mask of unknown fields is set. */
static void lower_bytes(struct lower *l, const struct keep_bytes *b, uint32_t bit, uint32_t mask)
{
	uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);

	ir_line(l->f, b->addr->span);
	lower_value(l, b->addr, 0, fail);
	ir_mov(l->f, BPF_REG_3, IR_REG(0));
	payload_address(l, BPF_REG_1, b->word);
	ir_movi(l->f, BPF_REG_2, b->len);
	ir_call(l->f, lower_reader(l));
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, done);
	ir_label(l->f, fail);
	ir_load(l->f, 8, BPF_REG_1, IR_REC, REC_WORD(mask));
	ir_movi(l->f, BPF_REG_2, 1ULL << bit);
	ir_alu(l->f, BPF_OR, BPF_REG_1, BPF_REG_2);
	ir_store(l->f, 8, IR_REC, REC_WORD(mask), BPF_REG_1);
	ir_load(l->f, 8, BPF_REG_1, IR_STATS, STAT_FIELD_UNKNOWN);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, 1);
	ir_store(l->f, 8, IR_STATS, STAT_FIELD_UNKNOWN, BPF_REG_1);
	ir_label(l->f, done);
}

/* r0: bytes that a helper has written behind the count at `word`, or negative; the count is in entries. */
static void store_count(struct lower *l, uint32_t word, uint32_t entry_bytes)
{
	uint32_t done = ir_new_label(l->f);

	ir_jcci(l->f, BPF_JSLE, BPF_REG_0, 0, done);
	ir_alui(l->f, BPF_DIV, BPF_REG_0, (int32_t)entry_bytes);
	ir_store(l->f, 8, IR_REC, REC_WORD(word), BPF_REG_0);
	ir_label(l->f, done);
}

static void lower_ustack(struct lower *l)
{
	uint32_t word = l->event->ustack_word;

	ir_comment(l->f, "user stack");
	ir_storei(l->f, 8, IR_REC, REC_WORD(word), 0);
	ir_mov(l->f, BPF_REG_1, IR_CTX);
	payload_address(l, BPF_REG_2, word + 1);
	ir_movi(l->f, BPF_REG_3, USTACK_DEPTH * USTACK_FRAME_WORDS * 8);
	ir_movi(l->f, BPF_REG_4, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID);
	ir_call(l->f, BPF_FUNC_get_stack);
	store_count(l, word, USTACK_FRAME_WORDS * 8);
}

/* The CPU's last branches (v5.16, commit 856c02dbce4f); none on CPUs or hypervisors without them. */
static void lower_lbr(struct lower *l)
{
	uint32_t word = l->event->lbr_word;

	ir_comment(l->f, "branch records");
	ir_storei(l->f, 8, IR_REC, REC_WORD(word), 0);
	payload_address(l, BPF_REG_1, word + 1);
	ir_movi(l->f, BPF_REG_2, LBR_DEPTH * LBR_ENTRY_WORDS * 8);
	ir_movi(l->f, BPF_REG_3, 0);
	ir_call(l->f, BPF_FUNC_get_branch_snapshot);
	store_count(l, word, LBR_ENTRY_WORDS * 8);
}

void lower_keep(struct lower *l)
{
	const struct event *e = l->event;

	for (uint32_t i = 0; i < e->nbytes; i++)
		lower_bytes(l, &e->bytes[i], e->nfields + i, event_mask_word(e));
	if (e->keep & KEEP_USTACK)
		lower_ustack(l);
	if (e->keep & KEEP_LBR)
		lower_lbr(l);
}
