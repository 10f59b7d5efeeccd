/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print.h - what the front half makes, as text: for --emit and the golden tests. One thing a line, no addresses.
 */
#ifndef RULES_PRINT_H
#define RULES_PRINT_H

#include "lib/buf.h"
#include "rules/rule.h"
#include "rules/yaml.h"

/* The tree of a document, each node with its line and column. */
void tree_print(struct buf *out, const struct node *n);

/* A checked rule: resolved probes, expressions with all conversions, roles, numbers. */
void rule_print(struct arena *a, struct buf *out, const struct rule *rule);

/* An expression in C's notation, fully parenthesised; works on unchecked ones as well. */
void expr_print(struct arena *a, struct buf *out, const struct expr *e);

#endif
