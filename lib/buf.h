/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf.h - a growing byte buffer with a sticky failure.
 *
 * Appending never reports: once memory is short the buffer remembers it, every later append does nothing,
 * and the one check stands before the bytes are used:
 *
 *	struct buf b = BUF_INIT;
 *	buf_printf(&b, "...");
 *	if (buf_failed(&b)) ...
 *
 * The contents are always followed by a NUL that does not count, so that data can be used as a string.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;		/* NULL until something was appended */
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT { 0 }

/* Release the memory; the buffer is empty and usable again. */
void buf_deinit(struct buf *b);

/* Append len bytes. data may be NULL: zeros are appended. Returns the offset at which they stand. */
size_t buf_add(struct buf *b, const void *data, size_t len);

/* Append zero bytes until the length is a multiple of align (a power of two). */
void buf_align(struct buf *b, size_t align);

void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

/* The contents as a string, "" when empty; valid until the next append. */
const char *buf_str(const struct buf *b);

/* Take the contents out: the caller owns the returned malloc'd memory (NULL after a failure). */
char *buf_steal(struct buf *b);

#endif
