/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema.h - the keys of a mapping as a table: name, type, range, where the value goes.
 *
 * One table does validation, defaults (what is not given keeps the value that the struct has) and storage. Unknown
 * keys are errors that name the nearest one.
 */
#ifndef RULES_SCHEMA_H
#define RULES_SCHEMA_H

#include "rules/expr.h"
#include "rules/yaml.h"

struct reader {
	struct arena *arena;
	struct arena *temp;		/* of the reading only, as the tree is */
	struct diags *diags;
};

enum key_type {
	KEY_TEXT,	/* const char *: any text of 1 ... max bytes */
	KEY_NAME,	/* const char *: an identifier */
	KEY_UINT,	/* uint32_t in min ... max */
	KEY_COUNT,	/* uint64_t in min ... max */
	KEY_TIME,	/* uint64_t: a duration in ns, in min ... max */
	KEY_BOOL,	/* bool */
	KEY_EXPR,	/* struct expr * */
	KEY_CHOICE,	/* uint32_t or enum: index into choices, NULL-terminated */
	KEY_NODE,	/* const struct node *: looked at later */
	KEY_CUSTOM,	/* read(r, value, object) */
};

struct key {
	const char *name;
	enum key_type type;
	bool required;
	size_t offset;
	uint64_t min, max;
	const char *const *choices;
	void (*read)(struct reader *r, const struct node *value, void *object);
};

/* what: the mapping in messages ("an event"). keys end with a zeroed entry. */
void schema_read(struct reader *r, const struct node *map, const char *what, const struct key *keys, void *object);

/* The pieces, for what needs a reader of its own; false after an error that is in diags. what: "'len'". */
bool read_map(struct reader *r, const struct node *n, const char *what);
bool read_text(struct reader *r, const struct node *n, const char *what, uint64_t max, const char **ret);
bool read_name(struct reader *r, const struct node *n, const char *what, const char **ret);
bool read_uint(struct reader *r, const struct node *n, const char *what, uint64_t min, uint64_t max, uint64_t *ret);
bool read_time(struct reader *r, const struct node *n, const char *what, uint64_t min, uint64_t max, uint64_t *ret);
struct expr *read_expr(struct reader *r, const struct node *n, const char *what);

/* Is this an identifier, at most NAME_MAX_LEN long? */
#define NAME_MAX_LEN 63
bool is_identifier(const char *s);

/* A list, or a single value as a list of one: its items. Nothing: an error. */
uint32_t read_items(struct reader *r, const struct node *n, const char *what, struct node *const **items);

#endif
