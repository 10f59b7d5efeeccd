// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/diff/generate.h"

#include <string.h>

#define LOOPS 0

struct gen {
	uint64_t *state;
	struct buf *rule, *c;
	bool plain;
	bool bound;		/* in a loop: x is a struct thing *, y a number */
};

static void number(struct gen *g, int depth);
static void condition(struct gen *g, int depth);

uint64_t random_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s * 2685821657736338717ull;
}

uint64_t random_number(uint64_t *s)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff,
					  0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, ~0ull, ~1ull };
	uint64_t r = random_next(s) >> 3;

	return r & 1 ? edges[(r >> 8) % (sizeof(edges) / sizeof(edges[0]))] : random_next(s) >> (r >> 8 & 63);
}

static uint32_t below(struct gen *g, uint32_t n)
{
	return (uint32_t)(random_next(g->state) >> 20) % n;
}

#define PICK(g, array) ((array)[below((g), sizeof(array) / sizeof((array)[0]))])

/* The same text to both. */
static void put(struct gen *g, const char *s)
{
	buf_puts(g->rule, s);
	buf_puts(g->c, s);
}

static void constant(struct gen *g)
{
	static const char *const suffixes[] = { "", "", "u", "l", "ul" };
	uint64_t v = random_number(g->state);
	const char *suffix = PICK(g, suffixes);

	/* what fits no signed type has no suffix of a signed one */
	if (v > INT64_MAX)
		suffix = "ul";
	if (below(g, 3))
		v &= 0xff;
	if (below(g, 2)) {
		buf_printf(g->rule, "0x%llx%s", (unsigned long long)v, suffix);
		buf_printf(g->c, "0x%llx%s", (unsigned long long)v, suffix);
	} else {
		buf_printf(g->rule, "%llu%s", (unsigned long long)v, suffix);
		buf_printf(g->c, "%llu%s", (unsigned long long)v, suffix);
	}
}

/* A pointer to a struct thing, not always a good one. */
static void thing(struct gen *g)
{
	static const char *const things[] = { "arg.t", "arg.t", "arg.t", "arg.t->next", "arg.t->next->next",
					      "((struct thing *)arg.t->untyped)",
					      "container_of(arg.t->head.next, struct thing, link)",
					      "container_of(&arg.t->inner, struct thing, inner)", "(&arg.t->next[1])",
					      "((struct thing *)arg.c)" };

	put(g, g->bound && below(g, 2) ? "x" : PICK(g, things));
}

static void member(struct gen *g)
{
	static const char *const members[] = {
		"m_u8", "m_s16", "m_u64", "m_s8", "m_u16", "m_bool", "m_s64", "m_u32", "m_s32", "b_3", "b_11", "b_s5",
		"b_s9", "b_33", "b_s21", "b_last", "kind", "wide", "array[2]", "numbers[1]", "array[arg.a & 3]",
		"numbers[arg.a & 1]", "inner.left", "inner.right", "pairs[1].left", "pairs[arg.e & 1].right", "one", "other",
		"name[3]", "text[1]", "next->m_s32", "next->inner.right",
	};

	thing(g);
	put(g, "->");
	put(g, PICK(g, members));
}

static void atom(struct gen *g)
{
	static const char *const args[] = { "arg.a", "arg.b", "arg.c", "arg.d", "arg.e" };
	static const char *const others[] = { "task.pid", "task.tid", "task.uid", "KIND_LOW", "KIND_HIGH", "KIND_NEGATIVE",
					      "WIDE_BIG", "IS_ERR(arg.t)" };

	if (!below(g, 3))
		constant(g);
	else if (g->plain || below(g, 2))
		put(g, PICK(g, args));
	else if (below(g, 8))
		member(g);
	else
		put(g, g->bound ? "x->m_u32" : PICK(g, others));
}

static void two(struct gen *g, const char *before, const char *op, const char *after, int depth,
		void (*operand)(struct gen *, int))
{
	put(g, before);
	operand(g, depth - 1);
	put(g, op);
	operand(g, depth - 1);
	put(g, after);
}

/* By a constant, or in C what a rule means by any count: modulo the width. */
static void shift(struct gen *g, int depth)
{
	const char *op = below(g, 2) ? " << " : " >> ";
	size_t at;

	put(g, "(");
	at = g->c->len;
	number(g, depth - 1);
	put(g, op);
	if (below(g, 2)) {
		buf_printf(g->rule, "%u", below(g, 32));
		buf_puts(g->c, strrchr(buf_str(g->rule), ' ') + 1);
	} else if (!g->plain) {
		number(g, depth - 1);
	} else {
		char left[4096];
		size_t n = g->c->len - at - 4;

		n = n < sizeof(left) - 1 ? n : sizeof(left) - 1;
		memcpy(left, buf_str(g->c) + at, n);
		left[n] = '\0';
		buf_puts(g->c, "(int)(");
		number(g, depth - 1);
		buf_printf(g->c, " & (sizeof(%s + 0) * 8 - 1))", left);
	}
	put(g, ")");
}

static void divide(struct gen *g, int depth)
{
	const char *op = below(g, 2) ? " / " : " % ";

	put(g, "(");
	number(g, depth - 1);
	put(g, op);
	if (g->plain || below(g, 2)) {
		buf_printf(g->rule, "%u", 1 + below(g, 1000));
		buf_puts(g->c, strrchr(buf_str(g->rule), ' ') + 1);
	} else {
		number(g, depth - 1);
	}
	put(g, ")");
}

static void choice(struct gen *g, int depth)
{
	put(g, "(");
	condition(g, depth - 1);
	put(g, " ? ");
	number(g, depth - 1);
	put(g, " : ");
	number(g, depth - 1);
	put(g, ")");
}

static void function(struct gen *g, int depth)
{
	static const char *const swaps[] = { "ntohs(", "ntohl(", "be64_to_cpu(", "BIT(63 & " };

	switch (below(g, 5)) {
	case 0:
		two(g, "min(", ", ", ")", depth, number);
		break;
	case 1:
		two(g, "max(", ", ", ")", depth, number);
		break;
	case 2:
		put(g, "abs(");
		number(g, depth - 1);
		put(g, ")");
		break;
	case 3:
		put(g, swaps[below(g, 4)]);
		number(g, depth - 1);
		put(g, ")");
		break;
	default:
		two(g, "*(s32 *)((u64)arg.t->untyped + (", " & 7) + (", " & 3))", depth, number);
	}
}

/* What a loop goes over, and whether its elements are structs. */
static bool elements(struct gen *g)
{
	static const struct {
		const char *text;
		bool structs;
	} all[] = {
		{ "arg.t->array", false }, { "arg.t->numbers", false }, { "list(&arg.t->head, struct thing, link)", true },
		{ "hlist(&arg.t->hhead, struct thing, hlink)", true }, { "array(arg.t->next, arg.a & 3)", true },
		{ "list(&arg.t->next->head, struct thing, link)", true }, { "array(&arg.t->array[0], arg.a & 3)", false },
	};
	uint32_t i = below(g, sizeof(all) / sizeof(all[0]));

	put(g, all[i].text);
	return all[i].structs;
}

static void loop(struct gen *g, int depth, bool is_any)
{
	static const char *const limits[] = { "", "", ", 2", ", 3", ", 100" };

	if (!is_any && !below(g, 3)) {
		put(g, "len(");
		elements(g);
	} else {
		put(g, is_any ? "any(x, " : "count(x, ");
		if (elements(g)) {
			put(g, ", ");
			g->bound = true;
			condition(g, depth - 1);
			g->bound = false;
		} else {
			put(g, ", x > ");
			number(g, depth - 1);
		}
	}
	put(g, PICK(g, limits));
	put(g, ")");
}

static void number(struct gen *g, int depth)
{
	static const char *const ops[] = { " + ", " - ", " * ", " & ", " | ", " ^ " };
	static const char *const casts[] = { "(u8)", "(s8)", "(u16)", "(s16)", "(u32)", "(s32)", "(u64)", "(s64)" };

	if (depth <= 0) {
		atom(g);
		return;
	}
	switch (below(g, g->plain ? 12 : g->bound ? 14 : 14 + LOOPS)) {
	case 0: case 1: case 2: case 3: case 4:
		two(g, "(", PICK(g, ops), ")", depth, number);
		break;
	case 5:
		divide(g, depth);
		break;
	case 6:
		shift(g, depth);
		break;
	case 7:
		put(g, below(g, 2) ? "(-" : "(~");
		number(g, depth - 1);
		put(g, ")");
		break;
	case 8: case 9:
		put(g, "(");
		put(g, PICK(g, casts));
		number(g, depth - 1);
		put(g, ")");
		break;
	case 10:
		choice(g, depth);
		break;
	case 11:
		put(g, "(");
		condition(g, depth - 1);
		put(g, ")");
		break;
	case 12: case 13:
		function(g, depth);
		break;
	default:
		loop(g, depth, false);
	}
}

static void text(struct gen *g)
{
	static const char *const texts[] = { "arg.t->name", "str(arg.t->text)", "arg.t->next->name", "str(arg.t->text, 5)",
					     "str(arg.t->next->text, 40)", "task.comm", "ustr(arg.d)", "ustr(arg.d, 7)" };

	put(g, g->bound && below(g, 2) ? "x->name" : PICK(g, texts));
}

static void text_compare(struct gen *g)
{
	static const char *const literals[] = { "", "a", "ab", "abc", "df-diff", "abcdefg", "abcdefgh", "abcdefghi",
						"abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz0123456789" };
	static const char *const patterns[] = { "*", "a*", "abc*", "abcdefgh*", "*c", "a?c", "?", "*b*", "abcdefghijkl*", "a*z*9",
						"df-*", "*f?i*", "abcdefghijklmnopqrs*", "x\\\\*y", "a\\\\**" };

	text(g);
	switch (below(g, 6)) {
	case 0:
		put(g, " == ");
		text(g);
		return;
	case 1:
		put(g, " != ");
		text(g);
		return;
	case 2: case 3:
		put(g, " like \"");
		put(g, PICK(g, patterns));
		break;
	default:
		put(g, below(g, 2) ? " == \"" : " != \"");
		put(g, PICK(g, literals));
	}
	put(g, "\"");
}

static void membership(struct gen *g, int depth)
{
	uint32_t n = 1 + below(g, 12);

	put(g, "(");
	number(g, depth - 1);
	put(g, " in [");
	for (uint32_t i = 0; i < n; i++) {
		put(g, i ? ", " : "");
		if (below(g, 6))
			constant(g);
		else
			number(g, depth - 2);
	}
	put(g, "])");
}

static void condition(struct gen *g, int depth)
{
	static const char *const compare[] = { " < ", " <= ", " > ", " >= ", " == ", " != " };

	switch (below(g, g->plain ? 10 : g->bound ? 15 : 15 + LOOPS)) {
	case 0: case 1: case 2: case 3:
		two(g, "(", PICK(g, compare), ")", depth, number);
		break;
	case 4: case 5:
		two(g, "(", " && ", ")", depth, depth > 0 ? condition : number);
		break;
	case 6: case 7:
		two(g, "(", " || ", ")", depth, depth > 0 ? condition : number);
		break;
	case 8:
		put(g, "(!");
		if (depth > 0)
			condition(g, depth - 1);
		else
			number(g, 0);
		put(g, ")");
		break;
	case 9:
		number(g, depth - 1);
		break;
	case 10:
		membership(g, depth);
		break;
	case 11: case 12:
		put(g, "(");
		text_compare(g);
		put(g, ")");
		break;
	case 13:
		two(g, below(g, 2) ? "before(" : "after(", ", ", ")", depth, number);
		break;
	case 14:
		put(g, below(g, 2) ? "IS_ERR((void *)" : "IS_ERR_OR_NULL((void *)");
		number(g, depth - 1);
		put(g, ")");
		break;
	default:
		loop(g, depth, true);
	}
}

void expression_random(uint64_t *state, int depth, bool plain, struct buf *rule, struct buf *c)
{
	struct gen g = { .state = state, .rule = rule, .c = c, .plain = plain };

	if (below(&g, 2))
		condition(&g, depth);
	else
		number(&g, depth);
}
