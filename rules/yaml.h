/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml.h - YAML text to a tree that remembers places.
 *
 * Only what a rule needs of YAML: mappings, sequences and scalars, several documents per file. Tags, anchors and
 * aliases are refused with a word about quoting: `where: !IS_ERR(x)` would be a tag with an empty value, that is no
 * condition at all. Keys of a mapping are scalars and unique.
 */
#ifndef RULES_YAML_H
#define RULES_YAML_H

#include <stdbool.h>

#include "rules/diag.h"
#include "rules/source.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool quoted;			/* in quotes or a block: never null, true or a number */
	bool flow;			/* written as [..] or {..} */
	bool bad;			/* an error was reported: say no more about it */
	uint32_t len;
	uint32_t text_off;		/* where the text begins in the source, when it stands there as it is ... */
	uint32_t n;			/* of items */
	struct span span;
	const char *text;		/* NODE_SCALAR: NUL-terminated, len bytes, no NUL inside */
	union {
		uint32_t *map;		/* NODE_SCALAR: ... else: the place of each byte, and of the end */
		struct node **items;	/* NODE_LIST, and the values of NODE_MAP, whose ... */
	};
	struct node **keys;		/* ... scalar keys are these */
};

#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 1000000u
#define YAML_SCALAR_MAX 65536u
#define YAML_KEYS_MAX 4096u

struct yaml_file {
	struct node **docs;		/* roots; an empty document is left out */
	uint32_t ndocs;
	bool failed;			/* the text after the last document was not understood */
};

/*
 * Parse all documents; the one that an error of YAML cuts off is left out. The nodes are in `tree`, which may be emptied
 * when they have been read; texts of scalars stay in `a`.
 */
struct yaml_file *yaml_parse(struct arena *a, struct arena *tree, const struct source *src, struct diags *diags);

/* A node that outlives its tree, in `a`; of a list or mapping only where it is. */
const struct node *node_keep(struct arena *a, const struct node *n);

/* The place of a part of a scalar's text. */
struct span node_part(const struct node *n, uint32_t off, uint32_t len);

/* Nothing was written: `key:`, or ~ or null. */
bool node_is_null(const struct node *n);

/* The value of a key of a map, or NULL. */
struct node *node_get(const struct node *map, const char *key);

/* "a list", "a mapping", "a value", for messages. */
const char *node_kind_text(const struct node *n);

#endif
