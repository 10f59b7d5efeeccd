// SPDX-License-Identifier: GPL-2.0-or-later
/* lex, parse: numbers with units, C's precedence, casts told from parentheses, errors at their place. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/lex.h"
#include "rules/parse.h"
#include "rules/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void numbers_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
		enum unit unit;
	} good[] = {
		{ "0", 0, UNIT_DECIMAL }, { "10s", 10000000000, UNIT_TIME }, { "1d", 86400000000000, UNIT_TIME },
		{ "500ms", 500000000, UNIT_TIME }, { "4K", 4096, UNIT_SIZE }, { "2MiB", 2 << 20, UNIT_SIZE },
		{ "0x10", 16, UNIT_HEX }, { "0b101", 5, UNIT_HEX }, { "017", 15, UNIT_HEX }, { "7u", 7, UNIT_UNSIGNED },
		{ "7ULL", 7, UNIT_ULONG }, { "18446744073709551615", UINT64_MAX, UNIT_DECIMAL },
		{ "6.12", 0x060c00, UNIT_VERSION }, { "6.1.300", 0x0601ff, UNIT_VERSION },
	};
	static const char *const bad[] = {
		"10x", "089", "18446744073709551616", "0x", "600000d", "4k", "10 s", "6.x", "1.2.3.4", "0x4K", "",
	};
	uint64_t value;
	enum unit unit;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(lex_number(good[i].text, &value, &unit));
		assert_int_equal(value, good[i].value);
		assert_int_equal(unit, good[i].unit);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!lex_number(bad[i], &value, &unit))
			fail_msg("'%s' is taken for a number", bad[i]);
	}
}

/* The text as a scalar, parsed; what is printed must be equal. */
static void parse(const char *text, const char *want)
{
	struct arena *a = arena_create(NULL, NULL);
	struct diags diags = diags_init(a);
	struct source *src = source_from_text(a, "t", text, strlen(text));
	struct node node = { .kind = NODE_SCALAR, .text = src->text, .len = (uint32_t)src->len,
			     .span = { .src = src, .len = (uint32_t)src->len } };
	struct expr *e = parse_expr(a, &diags, &node);
	struct buf out = BUF_INIT;

	if (e)
		expr_print(a, &out, e);
	else
		buf_printf(&out, "%u: %s", diags.items[0]->span.off, diags.items[0]->message);
	assert_string_equal(buf_str(&out), want);
	buf_deinit(&out);
	arena_destroy(a);
}

static void precedence_is_that_of_c(void **state)
{
	parse("a + b * c - d", "((a + (b * c)) - d)");
	parse("a - b - c", "((a - b) - c)");
	parse("a || b && c | d ^ e & f == g < h << i + j * k",
	      "(a || (b && (c | (d ^ (e & (f == (g < (h << (i + (j * k))))))))))");
	parse("a ? b : c ? d : e", "(a ? b : (c ? d : e))");
	parse("-a * !b + ~c", "(((-a) * (!b)) + (~c))");
	parse("*p->q[1].r", "(*p->q[1].r)");
	parse("&a.b == c", "((&a.b) == c)");
	parse("a == b == c", "((a == b) == c)");
	parse("a in [1, 2] && b", "((a in [1, 2]) && b)");
	parse("a not in $s || b like \"x*\"", "((!(a in $s)) || (b like \"x*\"))");
	parse("kstack has \"f\" && a", "((kstack has \"f\") && a)");
}

static void casts_are_told_from_parentheses(void **state)
{
	parse("(u32)a + b", "((u32)a + b)");
	parse("(a) + b", "(a + b)");
	parse("(a) - b", "(a - b)");
	parse("(size_t)-b", "(size_t)(-b)");
	parse("(foo)b", "(foo)b");
	parse("(foo *)b", "(foo *)b");
	parse("(a)(b)", "(a)b");
	parse("(struct foo **)b->c", "(struct foo **)b->c");
	parse("((struct foo *)b)->c", "((struct foo *)b)->c");
	parse("(const unsigned long)a", "(unsigned long)a");
	parse("sizeof(struct foo) + sizeof a.b", "(sizeof(struct foo) + sizeof(a.b))");
	parse("(a) in [1]", "(a in [1])");
	parse("container_of(p, struct foo, a.b)->c", "container_of(p, struct foo, a.b)->c");
	parse("exists(struct foo.bar) && exists(f)", "(exists(struct foo.bar) && exists(f))");
	parse("old(a->b) != a->b", "(old(a->b) != a->b)");
}

static void one_error_at_its_place(void **state)
{
	parse("a +", "3: expected a value, but the expression ends here");
	parse("a b", "2: expected an operator before 'b'");
	parse("f(a, b", "6: expected ',' or ')', but the expression ends here");
	parse("a.1", "2: expected the name of a member before '1'");
	parse("\"abc", "0: the closing \" is missing");
	parse("'ab'", "0: '...' is one character");
	parse("\"a\\q\"", "2: unknown escape '\\q'");
	parse("a in 3", "5: expected '[' or $set before '3'");
	parse("a ? b", "5: expected ':', but the expression ends here");
	parse("", "0: expected a value, but the expression ends here");
	parse("a // comment", "a");
	parse("a /* comment */ + b", "(a + b)");
	parse("a /* open", "a");
}

static void strings_have_c_escapes(void **state)
{
	parse("a == \"x\\ty\\x41\\\"\\\\\"", "(a == \"x\\x09yA\\\"\\\\\")");
	parse("a like \"b\\*c\"", "(a like \"b\\\\*c\")");
	parse("'\\n' + '\\0' + 'a'", "((10 + 0) + 97)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(precedence_is_that_of_c),
		cmocka_unit_test(casts_are_told_from_parentheses),
		cmocka_unit_test(one_error_at_its_place),
		cmocka_unit_test(strings_have_c_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
