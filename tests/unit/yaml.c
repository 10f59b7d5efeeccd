// SPDX-License-Identifier: GPL-2.0-or-later
/* source, diag, yaml: text to a tree with places, and what is said about text that is not meant. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/yaml.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct arena *arena;
	struct diags diags;
	struct source *src;
	char *text;
};

static struct yaml_file *parse(struct fixture *f, const char *text)
{
	f->arena = arena_create(NULL, NULL);
	f->diags = diags_init(f->arena);
	f->src = source_from_text(f->arena, "t.yaml", text, strlen(text));
	return yaml_parse(f->arena, f->arena, f->src, &f->diags);
}

static const char *printed(struct fixture *f)
{
	size_t len;
	FILE *out = open_memstream(&f->text, &len);

	diags_print(&f->diags, out, false);
	fclose(out);
	return f->text;
}

static void done(struct fixture *f)
{
	free(f->text);
	arena_destroy(f->arena);
}

static void every_value_knows_its_place(void **state)
{
	struct fixture f = { 0 };
	struct yaml_file *y = parse(&f, "a: 1\nb:\n  - x\n  - {c: 'd e'}\n");
	struct node *list = node_get(y->docs[0], "b"), *d = node_get(list->items[1], "c");

	assert_int_equal(y->ndocs, 1);
	assert_int_equal(list->n, 2);
	assert_string_equal(d->text, "d e");
	assert_int_equal(node_part(d, 2, 1).off, 25);
	assert_int_equal(span_line(d->span), 4);
	assert_int_equal(f.diags.n, 0);
	done(&f);
}

static void a_kept_node_outlives_its_tree(void **state)
{
	struct fixture f = { 0 };
	struct arena *tree = arena_create(NULL, NULL);
	const char text[] = "a: \"x\\ty == q\"\nb: [1, 2]\n";
	const struct node *a, *b;
	struct yaml_file *y;

	parse(&f, text);
	y = yaml_parse(f.arena, tree, f.src, &f.diags);
	a = node_keep(f.arena, node_get(y->docs[0], "a"));
	b = node_keep(f.arena, node_get(y->docs[0], "b"));
	arena_destroy(tree);
	assert_string_equal(a->text, "x\ty == q");
	assert_int_equal(f.src->text[node_part(a, 7, 1).off], 'q');
	assert_int_equal(b->kind, NODE_LIST);
	assert_int_equal(b->n, 0);
	assert_int_equal(span_line(b->span), 2);
	done(&f);
}

static void places_count_bytes_after_other_scripts_and_a_byte_order_mark(void **state)
{
	struct fixture f = { 0 };
	struct yaml_file *y = parse(&f, "\xef\xbb\xbf" "about: \xc3\xa4\xe2\x82\xac\nx: value\n");
	struct node *x = node_get(y->docs[0], "x");

	assert_memory_equal(f.src->text + x->span.off, "value", 5);
	done(&f);
}

static void escaped_folded_and_block_scalars_map_to_their_bytes(void **state)
{
	struct fixture f = { 0 };
	struct yaml_file *y = parse(&f, "a: \"x\\ty == q\"\nb: 'it''s z'\nc: |\n  one\n    two\nd: a &&\n   b\n");
	struct node *a = node_get(y->docs[0], "a"), *b = node_get(y->docs[0], "b");
	struct node *c = node_get(y->docs[0], "c"), *d = node_get(y->docs[0], "d");

	assert_int_equal(f.src->text[node_part(a, 7, 1).off], 'q');
	assert_int_equal(f.src->text[node_part(b, 5, 1).off], 'z');
	assert_memory_equal(f.src->text + node_part(c, 6, 3).off, "two", 3);
	assert_string_equal(d->text, "a && b");
	assert_int_equal(f.src->text[node_part(d, 5, 1).off], 'b');
	done(&f);
}

static void several_documents_and_empty_ones(void **state)
{
	struct fixture f = { 0 };
	struct yaml_file *y = parse(&f, "---\n---\na: 1\n---\nb: 2\n...\n");

	assert_int_equal(y->ndocs, 2);
	assert_int_equal(f.diags.n, 0);
	done(&f);
}

static void what_yaml_takes_for_itself_is_an_error_that_says_quote_it(void **state)
{
	static const char *const texts[][2] = {
		{ "where: !IS_ERR(x)\n", "hint: quote it: '!IS_ERR(x)'" },
		{ "where: &init_net == x\n", "hint: quote it: '&init_net == x'" },
		{ "where: *p\n", "hint: quote it: '*p'" },
		{ "where: *p == 'a'\n", "hint: quote it: \"*p == 'a'\"" },
		{ "where: {a,!b}x\n", "hint: inside {...} and [...] quote each value" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f = { 0 };

		parse(&f, texts[i][0]);
		assert_int_not_equal(f.diags.errors, 0);
		assert_non_null(strstr(printed(&f), texts[i][1]));
		done(&f);
	}
}

static void a_caret_stands_under_the_place(void **state)
{
	struct fixture f = { 0 };

	parse(&f, "a: 1\n\xc3\xa4: 2\na: 3\n");
	assert_string_equal(printed(&f), "t.yaml:3:1: error[duplicate]: 'a' is given twice\n"
					 "    3 | a: 3\n"
					 "      | ^\n"
					 "      = t.yaml:1:1: first here\n");
	done(&f);
}

static void depth_and_number_of_keys_are_limited(void **state)
{
	struct fixture f = { 0 };
	char text[40000], *p = text;

	memset(text, '[', 10000);
	text[10000] = 0;
	parse(&f, text);
	assert_non_null(strstr(printed(&f), "error[limit]"));
	done(&f);
	for (int i = 0; i < 4200; i++)
		p += sprintf(p, "k%d: 1\n", i);
	f = (struct fixture){ 0 };
	parse(&f, text);
	assert_int_equal(f.diags.errors, 1);
	done(&f);
}

static void diagnostics_as_json(void **state)
{
	struct fixture f = { 0 };
	size_t len;
	FILE *out;

	parse(&f, "a: 1\na: 3\n");
	out = open_memstream(&f.text, &len);
	diags_print_json(&f.diags, NULL, out);
	fclose(out);
	assert_non_null(strstr(f.text, "\"tag\": \"duplicate\""));
	assert_non_null(strstr(f.text, "\"line\": 2"));
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_knows_its_place),
		cmocka_unit_test(a_kept_node_outlives_its_tree),
		cmocka_unit_test(places_count_bytes_after_other_scripts_and_a_byte_order_mark),
		cmocka_unit_test(escaped_folded_and_block_scalars_map_to_their_bytes),
		cmocka_unit_test(several_documents_and_empty_ones),
		cmocka_unit_test(what_yaml_takes_for_itself_is_an_error_that_says_quote_it),
		cmocka_unit_test(a_caret_stands_under_the_place),
		cmocka_unit_test(depth_and_number_of_keys_are_limited),
		cmocka_unit_test(diagnostics_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
