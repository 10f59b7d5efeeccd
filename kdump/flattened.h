/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flattened.h - makedumpfile's flattened format (-F): a dump as it went through a pipe.
 *
 * A 4 KB header ("makedumpfile", type 1, version 1), then pieces: offset and size (64-bit, big-endian), bytes; the
 * last has offset and size -1. Pieces may overwrite each other. libkdumpfile 0.5 does not read it.
 */
#ifndef KDUMP_FLATTENED_H
#define KDUMP_FLATTENED_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Does the file begin like one? Its position is left alone. */
bool flattened_is(int fd);

/*
 * Put the pieces in their places, in a nameless temporary file ($TMPDIR or /var/tmp), and return its descriptor,
 * which the caller closes. A file that ends early gives what is there and sets *cut. -1: ERR_SYSTEM, ERR_CORRUPT.
 */
int flattened_restore(int fd, bool *cut, struct err *err);

/* The same into the file `out`. */
int flattened_unpack(int fd, int out, bool *cut, struct err *err);

/* A nameless temporary file in $TMPDIR or /var/tmp; -1: ERR_SYSTEM. */
int flattened_temporary(struct err *err);

/* Copy size bytes from one place to the other; false at the end of the input, or with *err set. */
bool flattened_copy(int from, int64_t at, int to, int64_t offset, int64_t size, struct err *err);

#endif
