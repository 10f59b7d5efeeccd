/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * returns.h - "-> TYPE" behind the functions of a probe: of what a glob matches only those that return that type, when a
 * rule is checked and again when it is attached.
 */
#ifndef RULES_RETURNS_H
#define RULES_RETURNS_H

#include <stdbool.h>

struct arena;
struct kbtf_func;
struct type;
struct types;

/* "int", "struct inode *", "void"; NULL if there is no such type. */
const struct type *returns_type(struct arena *a, struct types *t, const char *text);

/* Does the function return it? Of one that is not in BTF nobody knows: no. */
bool returns_it(struct types *t, const struct kbtf_func *f, const struct type *wanted);

#endif
