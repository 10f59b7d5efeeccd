/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.h - what is wrong with a rule: collected values, printed at the end.
 *
 * A stage that finds something wrong adds a diagnostic and goes on, so that one run shows all of them. Whether a
 * compilation failed is derived from the number of errors. Each has a stable tag (diag_tags.h) that a test names.
 *
 *	widget.yaml:9:12: error[unknown-field]: no field 'i_sz' in struct inode
 *	    9 |     where: arg.inode->i_sz > 0
 *	      |                       ^^^^
 *	      = hint: did you mean 'i_size'?
 */
#ifndef RULES_DIAG_H
#define RULES_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/source.h"

struct json_t;

enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

enum diag_tag {
#define DIAG_TAG(id, name, about) TAG_##id,
#include "rules/diag_tags.h"
#undef DIAG_TAG
	DIAG_TAGS
};

struct diag {
	enum diag_severity severity;
	enum diag_tag tag;
	struct span span;
	const char *message;
	const char *hint;	/* NULL: none */
	struct span also;	/* a second place ("first defined here"), src NULL: none */
	const char *also_text;
};

struct diags {
	struct arena *arena;
	struct diag **items;
	uint32_t n;
	uint32_t errors;
	uint32_t quiet;		/* > 0: code that cannot run is looked at: nothing is kept */
	struct diag dropped;	/* what diag_error returns then */
};

/* More than this many errors are counted and not kept. */
#define DIAGS_MAX 200

struct diags diags_init(struct arena *a);

/* Add one; returns it (never NULL) so that a hint can be given. */
struct diag *diag_error(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct diag *diag_warn(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct diag *diag_note(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void diag_hint(struct diags *d, struct diag *diag, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_also(struct diags *d, struct diag *diag, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

const char *diag_tag_name(enum diag_tag tag);

/* Print all, in the order of their places, as text or as one JSON array of objects; `more` (taken) ends it, unless NULL. */
void diags_print(const struct diags *d, FILE *out, bool color);
void diags_print_json(const struct diags *d, struct json_t *more, FILE *out);

#endif
