/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generate.h - random expressions of the rule language over struct thing and the arguments of subject(). */
#ifndef TESTS_DIFF_GENERATE_H
#define TESTS_DIFF_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

uint64_t random_next(uint64_t *state);

/* A number, more often one at an edge of some width. */
uint64_t random_number(uint64_t *state);

/*
 * The text of an expression, nested at most `depth` deep. plain: only what C writes and means in the same way; the
 * other buffer gets C's form then.
 */
void expression_random(uint64_t *state, int depth, bool plain, struct buf *rule, struct buf *c);

#endif
