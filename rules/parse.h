/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h - text of an expression to a tree.
 */
#ifndef RULES_PARSE_H
#define RULES_PARSE_H

#include "rules/diag.h"
#include "rules/expr.h"
#include "rules/yaml.h"

/* The tree of a scalar's text, unchecked; NULL after an error that is in diags. */
struct expr *parse_expr(struct arena *a, struct diags *diags, const struct node *scalar);

#endif
