/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor.h - a bounded, little-endian reader over untrusted bytes.
 *
 * All bytes that come from a file, a dump or another process are taken apart through a cursor. A read past
 * the end returns 0 or NULL, sets `failed`, and does not move; later reads fail too, so a decoder may read a
 * whole header and check once.
 */
#ifndef LIB_CURSOR_H
#define LIB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *start, *pos, *end;
	bool failed;
};

static inline struct cursor cursor_init(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct cursor){ .start = p, .pos = p, .end = p + len };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->pos);
}

static inline size_t cursor_offset(const struct cursor *c)
{
	return (size_t)(c->pos - c->start);
}

/* The next len bytes in place, or NULL. */
const void *cursor_bytes(struct cursor *c, size_t len);

/* Move to an absolute offset. */
bool cursor_seek(struct cursor *c, size_t offset);

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);

/* A NUL-terminated string in place, or NULL if no NUL follows. */
const char *cursor_str(struct cursor *c);

#endif
