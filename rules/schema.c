// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/lex.h"
#include "rules/parse.h"

bool is_identifier(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return !s[n] && n <= NAME_MAX_LEN;
}

static bool expect_kind(struct reader *r, const struct node *n, enum node_kind kind, const char *what,
			const char *expected)
{
	struct diag *d;

	if (n->bad)
		return false;
	if (n->kind == kind && !(kind == NODE_SCALAR && node_is_null(n)))
		return true;
	d = diag_error(r->diags, TAG_VALUE_KIND, n->span, "%s takes %s, not %s", what, expected, node_kind_text(n));
	if (n->flow && (!strcmp(expected, "text") || !strcmp(expected, "an expression")))
		diag_hint(r->diags, d, "quote a value that begins with %s",
			  n->kind == NODE_MAP ? "'{' or contains ': '" : "'['");
	return false;
}

bool read_map(struct reader *r, const struct node *n, const char *what)
{
	return expect_kind(r, n, NODE_MAP, what, "a mapping");
}

bool read_text(struct reader *r, const struct node *n, const char *what, uint64_t max, const char **ret)
{
	if (!expect_kind(r, n, NODE_SCALAR, what, "text"))
		return false;
	if (!n->len || n->len > max) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes 1 to %llu bytes of text, not %u", what,
			   (unsigned long long)max, n->len);
		return false;
	}
	*ret = n->text;
	return true;
}

bool read_name(struct reader *r, const struct node *n, const char *what, const char **ret)
{
	if (!expect_kind(r, n, NODE_SCALAR, what, "a name"))
		return false;
	if (!is_identifier(n->text)) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span,
			   "%s: '%s' is not a name of letters, digits and _, at most %d long", what, n->text,
			   NAME_MAX_LEN);
		return false;
	}
	*ret = n->text;
	return true;
}

static bool read_number(struct reader *r, const struct node *n, const char *what, const char *expected,
			uint64_t *ret, enum unit *unit)
{
	const char *problem;

	if (!expect_kind(r, n, NODE_SCALAR, what, expected))
		return false;
	problem = isdigit((unsigned char)n->text[0]) ? lex_number(n->text, ret, unit) : "not a number";
	if (problem) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes %s; '%s': %s", what, expected, n->text,
			   problem);
		return false;
	}
	return true;
}

bool read_uint(struct reader *r, const struct node *n, const char *what, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	enum unit unit;

	if (!read_number(r, n, what, "a number", &value, &unit))
		return false;
	if (unit == UNIT_TIME || unit == UNIT_VERSION) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes a number, not a %s", what,
			   unit == UNIT_TIME ? "duration" : "version");
		return false;
	}
	if (value < min || value > max) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes a number from %llu to %llu, not %llu", what,
			   (unsigned long long)min, (unsigned long long)max, (unsigned long long)value);
		return false;
	}
	*ret = value;
	return true;
}

/* 10000000 -> "10ms" */
static const char *time_text(struct arena *a, uint64_t ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{ "d", 86400000000000 }, { "h", 3600000000000 }, { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns && ns % units[i].ns == 0)
			return arena_printf(a, "%llu%s", (unsigned long long)(ns / units[i].ns), units[i].unit);
	}
	return arena_printf(a, "%lluns", (unsigned long long)ns);
}

bool read_time(struct reader *r, const struct node *n, const char *what, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	enum unit unit;

	if (!read_number(r, n, what, "a duration such as 500ms", &value, &unit))
		return false;
	if (unit != UNIT_TIME) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes a duration such as 500ms, with its unit", what);
		return false;
	}
	if (value < min || value > max) {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes a duration from %s to %s, not %s", what,
			   time_text(r->arena, min), time_text(r->arena, max), n->text);
		return false;
	}
	*ret = value;
	return true;
}

static void read_bool(struct reader *r, const struct node *n, const char *what, bool *ret)
{
	if (!expect_kind(r, n, NODE_SCALAR, what, "true or false"))
		return;
	if (!strcmp(n->text, "true") || !strcmp(n->text, "yes"))
		*ret = true;
	else if (!strcmp(n->text, "false") || !strcmp(n->text, "no"))
		*ret = false;
	else
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes true or false, not '%s'", what, n->text);
}

struct expr *read_expr(struct reader *r, const struct node *n, const char *what)
{
	if (!expect_kind(r, n, NODE_SCALAR, what, "an expression"))
		return NULL;
	return parse_expr(r->arena, r->diags, n);
}

uint32_t read_items(struct reader *r, const struct node *n, const char *what, struct node *const **items)
{
	if (n->kind == NODE_LIST) {
		*items = n->items;
		return n->n;
	}
	if (node_is_null(n)) {
		expect_kind(r, n, NODE_LIST, what, "a list");
		return 0;
	}
	struct node **one = arena_new(r->temp, struct node *);

	*one = arena_new(r->temp, struct node);
	**one = *n;
	*items = one;
	return 1;
}

static void read_choice(struct reader *r, const struct node *n, const char *what, const char *const *choices,
			uint32_t *ret)
{
	struct nearest near;
	const char *all = "";
	struct diag *d;

	if (!expect_kind(r, n, NODE_SCALAR, what, "a word"))
		return;
	near = nearest_init(n->text);
	for (uint32_t i = 0; choices[i]; i++) {
		if (!strcmp(n->text, choices[i])) {
			*ret = i;
			return;
		}
		nearest_offer(&near, choices[i]);
		all = arena_printf(r->arena, "%s%s%s", all, i ? ", " : "", choices[i]);
	}
	d = diag_error(r->diags, TAG_BAD_VALUE, n->span, "%s takes one of: %s", what, all);
	if (nearest_best(&near))
		diag_hint(r->diags, d, "did you mean '%s'?", nearest_best(&near));
}

static void read_key(struct reader *r, const struct key *k, const struct node *value, void *object)
{
	const char *what = arena_printf(r->temp, "'%s'", k->name);
	void *at = (char *)object + k->offset;
	uint64_t number;

	switch (k->type) {
	case KEY_TEXT:
		read_text(r, value, what, k->max, at);
		return;
	case KEY_NAME:
		read_name(r, value, what, at);
		return;
	case KEY_UINT:
		if (read_uint(r, value, what, k->min, k->max, &number))
			*(uint32_t *)at = (uint32_t)number;
		return;
	case KEY_COUNT:
		read_uint(r, value, what, k->min, k->max, at);
		return;
	case KEY_TIME:
		read_time(r, value, what, k->min, k->max, at);
		return;
	case KEY_BOOL:
		read_bool(r, value, what, at);
		return;
	case KEY_EXPR:
		*(struct expr **)at = read_expr(r, value, what);
		return;
	case KEY_CHOICE:
		read_choice(r, value, what, k->choices, at);
		return;
	case KEY_NODE:
		*(const struct node **)at = value;
		return;
	case KEY_CUSTOM:
		k->read(r, value, object);
		return;
	}
}

static void unknown_key(struct reader *r, const struct node *map, uint32_t i, const char *what,
			const struct key *keys)
{
	const struct node *key = map->keys[i];
	struct nearest near = nearest_init(key->text);
	const char *all = "";
	struct diag *d;

	if (map->flow && node_is_null(map->items[i]) && !is_identifier(key->text)) {
		d = diag_error(r->diags, TAG_QUOTE, key->span, "inside {...} a comma ends the value before it");
		diag_hint(r->diags, d, "quote the whole value, or write one key per line");
		return;
	}
	for (const struct key *k = keys; k->name; k++) {
		nearest_offer(&near, k->name);
		all = arena_printf(r->arena, "%s%s%s", all, *all ? ", " : "", k->name);
	}
	d = diag_error(r->diags, TAG_UNKNOWN_KEY, key->span, "%s has no key '%s'", what, key->text);
	if (nearest_best(&near))
		diag_hint(r->diags, d, "did you mean '%s'?", nearest_best(&near));
	else
		diag_hint(r->diags, d, "its keys are: %s", all);
}

void schema_read(struct reader *r, const struct node *map, const char *what, const struct key *keys, void *object)
{
	const struct key *k;

	if (!read_map(r, map, what))
		return;
	for (uint32_t i = 0; i < map->n; i++) {
		if (node_get(map, map->keys[i]->text) != map->items[i])
			continue;	/* given twice: said already, and readers rely on being called once */
		for (k = keys; k->name && strcmp(k->name, map->keys[i]->text); k++)
			;
		if (k->name)
			read_key(r, k, map->items[i], object);
		else
			unknown_key(r, map, i, what, keys);
	}
	for (k = keys; k->name; k++) {
		if (k->required && !node_get(map, k->name)) {
			struct span at = map->span;

			at.len = 1;
			diag_error(r->diags, TAG_MISSING_KEY, at, "%s must have the key '%s'", what, k->name);
		}
	}
}
