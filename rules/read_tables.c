// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read_tables.c - further tables of a rule, and its sets of numbers.
 */
#include "rules/read.h"

#include <string.h>

#include "lib/arena.h"

static void read_table_key(struct reader *r, const struct node *n, void *object)
{
	struct table *t = object;

	t->nkey = read_key_parts(r, n, &t->key);
}

static const struct key table_keys[] = {
	{ "key", KEY_CUSTOM, false, .read = read_table_key },
	{ "last", KEY_UINT, false, .offset = offsetof(struct table, last), .min = 1, .max = 4096 },
	{ "keys", KEY_UINT, false, .offset = offsetof(struct table, keys), .min = 1, .max = 1 << 22 },
	{ 0 }
};

void read_tables(struct reader *r, const struct node *n, struct rule *rule)
{
	if (!read_map(r, n, "'tables'"))
		return;
	if (n->n > TABLES_MAX) {
		diag_error(r->diags, TAG_LIMIT, n->span, "more than %d tables", TABLES_MAX);
		return;
	}
	rule->tables = arena_array(r->arena, n->n, sizeof(*rule->tables));
	for (uint32_t i = 0; i < n->n; i++) {
		struct table *t = &rule->tables[rule->ntables];

		*t = (struct table){ .span = n->keys[i]->span, .last = 8, .keys = 4096 };
		schema_read(r, n->items[i], arena_printf(r->temp, "table '%s'", n->keys[i]->text), table_keys, t);
		if (read_name(r, n->keys[i], "a table", &t->name))
			t->index = ++rule->ntables;
	}
}

static void read_values(struct reader *r, const struct node *n, void *object)
{
	struct set *s = object;
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'values'", &items);
	struct expr *e;

	if (count > SET_VALUES_MAX) {
		diag_hint(r->diags, diag_error(r->diags, TAG_LIMIT, n->span, "more than %d values in a rule",
					       SET_VALUES_MAX),
			  "put them into a file, one a line: file: PATH");
		return;
	}
	s->values = arena_array(r->arena, count, sizeof(*s->values));
	for (uint32_t i = 0; i < count; i++) {
		e = read_expr(r, items[i], "a value");
		if (e)
			s->values[s->nvalues++] = e;
	}
}

static const struct key set_keys[] = {
	{ "values", KEY_CUSTOM, false, .read = read_values },
	{ "file", KEY_TEXT, false, .offset = offsetof(struct set, file), .max = 4095 },
	{ "max", KEY_UINT, false, .offset = offsetof(struct set, max), .min = 1, .max = 1 << 24 },
	{ 0 }
};

/* sets: {bad: [1, 2]}, or {bad: {file: PATH, max: 1000000}} */
void read_sets(struct reader *r, const struct node *n, struct rule *rule)
{
	if (!read_map(r, n, "'sets'"))
		return;
	rule->sets = arena_array(r->arena, n->n, sizeof(*rule->sets));
	for (uint32_t i = 0; i < n->n; i++) {
		struct set *s = &rule->sets[rule->nsets];

		*s = (struct set){ .span = n->keys[i]->span, .max = 1024 };
		if (n->items[i]->kind == NODE_MAP)
			schema_read(r, n->items[i], arena_printf(r->temp, "set '%s'", n->keys[i]->text), set_keys, s);
		else
			read_values(r, n->items[i], s);
		if (s->max < s->nvalues)
			s->max = s->nvalues;
		if (read_name(r, n->keys[i], "a set", &s->name))
			rule->nsets++;
	}
}
