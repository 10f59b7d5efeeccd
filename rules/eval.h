/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eval.h - what a checked expression means, in plain C over any memory: the reference that generated code is compared
 * with, and a way to try rules.
 *
 * A value is known or not (docs/rule-language.md, "Unknown"). Numbers are extended to 64 bits by their type.
 */
#ifndef RULES_EVAL_H
#define RULES_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/expr.h"

#define EVAL_STR_MAX 256

struct eval_value {
	bool unknown;
	uint64_t num;
	uint32_t len;			/* strings */
	char str[EVAL_STR_MAX + 1];
};

/* Where an expression is evaluated. Callbacks may be NULL: then what they are asked for is unknown. */
struct eval_env {
	void *arg;
	/* asked before a part is evaluated, numbers and operators aside: true if it tells the value */
	bool (*given)(void *arg, const struct expr *e, struct eval_value *ret);
	bool (*read)(void *arg, uint64_t addr, void *buf, size_t len, bool user);	/* false: a fault */
	bool (*symbol)(void *arg, const char *name, uint64_t *addr);
	bool (*in_set)(void *arg, uint32_t set, uint64_t value);
	bool (*stack_has)(void *arg, const char *function);
	bool (*step)(void *arg, const struct expr *e, struct eval_value *ret);	/* false: unknown */
	const uint64_t *args;		/* by slot; fitted to the argument's type when used */
	uint64_t retval;
	const uint64_t *params;		/* by index; param_strs where they are text */
	const char *const *param_strs;
	uint64_t builtins[BUILTIN_KERNEL_VERSION + 1];
	const char *comm;
	const struct eval_env *entry;	/* for old(): NULL is this one */
};

struct eval_value eval_expr(const struct eval_env *env, const struct expr *e);

/* The pattern of `like`: '*', '?', and '\' before a character that stands for itself. */
bool eval_like(const char *pattern, const char *text);

#endif
