/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lex.h - text of an expression to tokens.
 *
 * C's tokens, and: $name; numbers with a unit (10s, 4K); versions (6.12). Words such as `in` are names here; the
 * parser knows where they are operators.
 */
#ifndef RULES_LEX_H
#define RULES_LEX_H

#include "rules/expr.h"
#include "rules/yaml.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,		/* text */
	TOKEN_PARAM,		/* $text */
	TOKEN_INT,		/* value, unit */
	TOKEN_STR,		/* text, len */
	TOKEN_PUNCT,		/* punct */
};

/* Punctuation by its characters: '+' is '+', "->" is PUNCT2('-', '>'). */
#define PUNCT2(a, b) ((a) | (b) << 8)

struct token {
	enum token_kind kind;
	struct span span;
	const char *text;
	uint32_t len;
	uint64_t value;
	enum unit unit;
	int punct;
};

/* All tokens of a scalar, TOKEN_END last, in `tokens`, and their texts in `a`; NULL after an error that is in diags. */
struct token *lex(struct arena *a, struct arena *tokens, struct diags *diags, const struct node *scalar);

/*
 * A number with an optional unit that fills all of the text: "10s", "4K", "0x10", "-1" (is_signed). Returns NULL, or
 * what is wrong with it.
 */
const char *lex_number(const char *text, uint64_t *value, enum unit *unit);

#endif
