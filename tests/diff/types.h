/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - the BTF that expressions are checked against, with the prototype of subject(). */
#ifndef TESTS_DIFF_TYPES_H
#define TESTS_DIFF_TYPES_H

/* Read raw BTF, add `int subject(...)` with the members of struct arguments, write it. Returns 0 or -1. */
int types_make(const char *from, const char *to);

#endif
