/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - the text of a rule file, and places in it.
 *
 * A place is a span: a range of bytes of one source. Every token, tree node, rule, expression and instruction
 * carries one, so that any stage can point at the text it speaks of, down to the verifier (line_info).
 */
#ifndef RULES_SOURCE_H
#define RULES_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

struct source {
	const char *name;	/* as the user wrote it; "<stdin>" for "-" */
	const char *text;	/* NUL-terminated, len bytes before it */
	size_t len;
	uint32_t *line_off;	/* offset of each line's first byte */
	uint32_t nlines;
};

struct span {
	const struct source *src;	/* NULL: no place (a fault of the whole run) */
	uint32_t off, len;
};

/* Largest rule file accepted. */
#define SOURCE_MAX (8u << 20)

/* Read a file ("-": standard input) into the arena. Errors: ERR_SYSTEM, ERR_INVALID (too large, NUL bytes). */
int source_read(struct arena *a, const char *path, struct source **ret, struct err *err);

/* A source from memory (tests, embedded rules); text is copied. */
struct source *source_from_text(struct arena *a, const char *name, const char *text, size_t len);

/* 1-based line and column (in bytes) of an offset. */
void source_position(const struct source *src, uint32_t off, uint32_t *line, uint32_t *col);

/* The text of a 1-based line without its line end, in the arena. */
char *source_line(struct arena *a, const struct source *src, uint32_t line);

/* Line of a span, 0 if it has no place. */
uint32_t span_line(struct span span);

/* The word that a span ends with; all of the span if it does not. */
struct span span_last_word(struct span span, const char *word);

/* The smallest span that covers both. */
struct span span_join(struct span a, struct span b);

#endif
