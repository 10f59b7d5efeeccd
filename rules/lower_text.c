// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_text.c - strings: comparing them, recording them; functions in the stack.
 *
 * Short literals are compared here, word by word, after a read into the program's own stack; the rest is done by the
 * runtime (bpf/text.h), with literals and patterns in read-only data (df_literals).
 */
#include "rules/lower_parts.h"

#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"

#define INLINE_LITERAL 15	/* bytes of a literal, and of a prefix one more */
#define INLINE_WORDS 3
#define WHERE_USER (1u << 31)	/* bpf/text.h */

/* A literal in df_literals, with zeros up to a whole word; its offset in bytes. */
static uint32_t literal_offset(struct lower *l, const char *text, uint32_t len)
{
	struct literals *lit = &l->cs->literals;
	uint32_t words = len / 8 + 1, at;
	uint64_t *copy = arena_array(l->arena, words, sizeof(*copy));

	memcpy(copy, text, len);
	for (at = 0; at + words <= lit->n; at++) {
		if (!memcmp(&lit->words[at], copy, words * sizeof(*copy)))
			return at * 8;
	}
	at = lit->n;
	for (uint32_t i = 0; i < words; i++) {
		lit->words = arena_grow(l->arena, lit->words, lit->n, sizeof(*lit->words));
		lit->words[lit->n++] = copy[i];
	}
	return at * 8;
}

static bool is_comm(const struct expr *e)
{
	return e->op == EXPR_BUILTIN && e->index == BUILTIN_COMM;
}

static bool is_read(const struct expr *e)
{
	return e->op == EXPR_CALL && (e->index == FUNC_STR || e->index == FUNC_USTR);
}

static bool text_is_user(const struct expr *e)
{
	return is_read(e) && (e->index == FUNC_USTR || expr_points_to_user(e->list[0]));
}

/* Where a string is, into IR_REG(0). */
static void lower_text_address(struct lower *l, const struct expr *e, uint32_t fail)
{
	if (is_comm(e)) {
		ir_call_symbol(l->f, "df_comm");
		ir_mov(l->f, IR_REG(0), BPF_REG_0);
	} else if (e->op == EXPR_PARAM) {
		ir_address(l->f, IR_REG(0), "df_param_text", e->index * PARAM_TEXT);
	} else if (is_read(e)) {
		lower_value(l, e->list[0], 0, fail);
	} else {
		lower_value(l, e, 0, fail);
	}
}

static uint32_t text_where(const struct expr *e)
{
	return e->type->size | (text_is_user(e) ? WHERE_USER : 0);
}

/*
 * Read at most n bytes (with the NUL) of a string into the stack, and zeros behind it. probe_read_str takes the address
 * for the user's or the kernel's by the half in which it lies: BTF does not tell a `char __user *` from another.
 */
static void lower_text_read(struct lower *l, const struct expr *e, int16_t slot, uint32_t n, uint32_t fail)
{
	if (!is_comm(e))
		lower_text_address(l, e, fail);
	for (uint32_t i = 0; i < (n + 7) / 8; i++)
		ir_storei(l->f, 8, BPF_REG_10, (int16_t)(slot + 8 * i), 0);
	if (is_comm(e)) {
		ir_mov(l->f, BPF_REG_1, BPF_REG_10);
		ir_alui(l->f, BPF_ADD, BPF_REG_1, slot);
		ir_movi(l->f, BPF_REG_2, n);
		ir_call(l->f, BPF_FUNC_get_current_comm);
		return;
	}
	ir_mov(l->f, BPF_REG_3, IR_REG(0));
	ir_mov(l->f, BPF_REG_1, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, slot);
	ir_movi(l->f, BPF_REG_2, n);
	ir_call(l->f, text_is_user(e) ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_str);
	ir_jcci(l->f, BPF_JSLT, BPF_REG_0, 0, fail);
}

/* One word of the stack against one of the literal, of which the low `bytes` count. */
static void lower_word(struct lower *l, int16_t slot, uint64_t want, uint32_t bytes, uint32_t no)
{
	ir_load(l->f, bytes == 4 ? 4 : 8, BPF_REG_1, BPF_REG_10, slot);
	if (bytes < 8 && bytes != 4) {
		uint64_t mask = (1ULL << (8 * bytes)) - 1;

		ir_movi(l->f, BPF_REG_2, mask);
		ir_alu(l->f, BPF_AND, BPF_REG_1, BPF_REG_2);
	}
	if ((int64_t)want == (int32_t)want) {
		ir_jcci(l->f, BPF_JNE, BPF_REG_1, (int32_t)want, no);
		return;
	}
	ir_movi(l->f, BPF_REG_2, want);
	ir_jcc(l->f, BPF_JNE, BPF_REG_1, BPF_REG_2, no);
}

/* The string against a literal, or its beginning if it is a prefix. */
static void lower_literal(struct lower *l, const struct expr *e, const char *text, uint32_t len, bool prefix,
			  uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint64_t want[INLINE_WORDS + 1] = { 0 };
	uint32_t n = len + (prefix ? 1 : 2), have;
	int16_t slot;

	if (is_comm(e))
		n = DF_COMM;
	else if (n > e->type->size)
		n = e->type->size;
	have = (n + 7) / 8;
	memcpy(want, text, len);
	ir_comment(l->f, "text %s \"%.*s\"", prefix ? "begins with" : "is", (int)len, text);
	slot = ir_frame(l->f, have * 8);
	lower_text_read(l, e, slot, n, unknown);
	for (uint32_t i = 0; i <= INLINE_WORDS; i++) {
		uint32_t bytes = !prefix ? 8 : len > 8 * i ? len - 8 * i : 0;

		if (i >= have) {
			if (want[i])
				ir_jmp(l->f, no);
			continue;
		}
		if (bytes)
			lower_word(l, (int16_t)(slot + 8 * i), want[i], bytes < 8 ? bytes : 8, no);
	}
	ir_frame_release(l->f, have * 8);
	ir_jmp(l->f, yes);
}

/* Nothing in it has a meaning in a pattern. */
static bool is_plain(const char *text, uint32_t len)
{
	return !memchr(text, '*', len) && !memchr(text, '?', len) && !memchr(text, '\\', len);
}

void lower_answer(struct lower *l, uint32_t yes, uint32_t no, uint32_t unknown)
{
	/* an int's upper half is not defined after a call between functions */
	ir_alui(l->f, BPF_LSH, BPF_REG_0, 32);
	ir_alui(l->f, BPF_ARSH, BPF_REG_0, 32);
	ir_jcci(l->f, BPF_JSLT, BPF_REG_0, 0, unknown);
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, no);
	ir_jmp(l->f, yes);
}

static void lower_like(struct lower *l, const struct expr *e, uint32_t unknown)
{
	lower_text_address(l, e->a, unknown);
	ir_movi(l->f, BPF_REG_2, text_where(e->a));
	if (e->b->op == EXPR_PARAM)
		ir_address(l->f, BPF_REG_3, "df_param_text", e->b->index * PARAM_TEXT);
	else
		ir_address(l->f, BPF_REG_3, "df_literals", literal_offset(l, e->b->text, e->b->len));
	ir_call_symbol(l->f, "df_text_like");
}

static void lower_long_literal(struct lower *l, const struct expr *e, uint32_t unknown)
{
	lower_text_address(l, e->a, unknown);
	ir_movi(l->f, BPF_REG_2, text_where(e->a));
	ir_address(l->f, BPF_REG_3, "df_literals", literal_offset(l, e->b->text, e->b->len));
	ir_movi(l->f, BPF_REG_4, e->b->len / 8 + 1);
	ir_call_symbol(l->f, "df_text_is");
}

static void lower_same(struct lower *l, const struct expr *e, uint32_t unknown)
{
	int16_t slot = ir_frame(l->f, 8);

	lower_text_address(l, e->a, unknown);
	ir_store(l->f, 8, BPF_REG_10, slot, IR_REG(0));
	lower_text_address(l, e->b, unknown);
	ir_mov(l->f, BPF_REG_3, IR_REG(0));
	ir_load(l->f, 8, BPF_REG_1, BPF_REG_10, slot);
	ir_movi(l->f, BPF_REG_2, text_where(e->a));
	ir_movi(l->f, BPF_REG_4, text_where(e->b));
	ir_call_symbol(l->f, "df_text_same");
	ir_frame_release(l->f, 8);
}

void lower_text_hash(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	int16_t slot = ir_frame(l->f, 8);

	lower_text_address(l, e, fail);
	ir_storei(l->f, 8, BPF_REG_10, slot, 0);
	ir_movi(l->f, BPF_REG_2, text_where(e));
	ir_mov(l->f, BPF_REG_3, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_3, slot);
	ir_call_symbol(l->f, "df_text_hash");
	ir_alui(l->f, BPF_LSH, BPF_REG_0, 32);
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
	ir_load(l->f, 8, (uint8_t)IR_REG(depth), BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
}

/* Of texts of other events, and of the entry, only the number is there. */
static bool is_hash(const struct expr *e)
{
	return e->type->kind == TYPE_STR && (e->op == EXPR_OLD || e->op == EXPR_VAL || e->op == EXPR_KEPT);
}

static uint64_t literal_hash(const struct expr *e)
{
	uint64_t h = 0, word;

	for (uint32_t at = 0; at < e->len; at += 8) {
		word = 0;
		memcpy(&word, e->text + at, e->len - at < 8 ? e->len - at : 8);
		h = DF_HASH_WORD(h, word);
	}
	return DF_HASH_END(h);
}

static void lower_hash(struct lower *l, const struct expr *e, uint32_t fail)
{
	if (is_hash(e))
		lower_value(l, e, 0, fail);
	else if (e->op == EXPR_STR)
		ir_movi(l->f, IR_REG(0), literal_hash(e));
	else
		lower_text_hash(l, e, 0, fail);
}

static void lower_hashes(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	int16_t slot = ir_frame(l->f, 8);

	lower_hash(l, e->a, unknown);
	ir_store(l->f, 8, BPF_REG_10, slot, IR_REG(0));
	lower_hash(l, e->b, unknown);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, slot);
	ir_frame_release(l->f, 8);
	ir_jcc(l->f, BPF_JEQ, BPF_REG_0, IR_REG(0), yes);
	ir_jmp(l->f, no);
}

void lower_strcmp(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	const char *text = e->b->op == EXPR_STR ? e->b->text : NULL;
	uint32_t len = text ? e->b->len : 0, swap = yes;

	if (e->index == EXPR_NE) {
		yes = no;
		no = swap;
	}
	if (is_hash(e->a) || is_hash(e->b)) {
		lower_hashes(l, e, yes, no, unknown);
		return;
	}
	if (text && len <= INLINE_LITERAL && (!e->is_glob || is_plain(text, len))) {
		lower_literal(l, e->a, text, len, false, yes, no, unknown);
		return;
	}
	if (text && e->is_glob && len > 1 && len <= INLINE_LITERAL + 2 && text[len - 1] == '*' && is_plain(text, len - 1)) {
		lower_literal(l, e->a, text, len - 1, true, yes, no, unknown);
		return;
	}
	if (e->is_glob)
		lower_like(l, e, unknown);
	else if (text)
		lower_long_literal(l, e, unknown);
	else
		lower_same(l, e, unknown);
	lower_answer(l, yes, no, unknown);
}

void lower_text_to(struct lower *l, const struct expr *e, uint8_t base, int16_t off, uint32_t size, uint32_t fail)
{
	if (!is_comm(e)) {
		lower_text_address(l, e, fail);
		ir_mov(l->f, BPF_REG_3, IR_REG(0));
	}
	ir_mov(l->f, BPF_REG_1, base);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, off);
	ir_movi(l->f, BPF_REG_2, size);
	if (is_comm(e)) {
		ir_call(l->f, BPF_FUNC_get_current_comm);
		return;
	}
	ir_call(l->f, text_is_user(e) ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_str);
	ir_jcci(l->f, BPF_JSLT, BPF_REG_0, 0, fail);
}

void lower_stack_has(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	uint32_t word = late_word(l->arena, &l->cs->lates, LATE_CODE, e->text, e->span, l->rule->index);

	ir_comment(l->f, "kernel stack has %s", e->text);
	ir_mov(l->f, BPF_REG_1, IR_CTX);
	ir_address(l->f, BPF_REG_2, "df_late", word * 8);
	ir_call_symbol(l->f, "df_stack_has");
	lower_answer(l, yes, no, unknown);
}
