/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.h - descriptors read whole, and memory files. */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Append everything from a descriptor, from its current position on (works for pipes and /proc as well). */
int file_read_fd(int fd, struct buf *out, struct err *err);

/* A memory file with these contents, positioned at its beginning; the caller closes it. Negative on error. */
int file_memory(const char *name, const void *data, size_t len, struct err *err);

#endif
