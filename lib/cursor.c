// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/cursor.h"

#include <string.h>

const void *cursor_bytes(struct cursor *c, size_t len)
{
	const void *p = c->pos;

	if (c->failed || (size_t)(c->end - c->pos) < len) {
		c->failed = true;
		return NULL;
	}
	c->pos += len;
	return p;
}

bool cursor_seek(struct cursor *c, size_t offset)
{
	if (c->failed || (size_t)(c->end - c->start) < offset) {
		c->failed = true;
		return false;
	}
	c->pos = c->start + offset;
	return true;
}

static uint64_t cursor_le(struct cursor *c, size_t size)
{
	const uint8_t *p = cursor_bytes(c, size);
	uint64_t v = 0;

	for (size_t i = 0; p && i < size; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_le(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_le(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_le(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return cursor_le(c, 8);
}

const char *cursor_str(struct cursor *c)
{
	const char *s = (const char *)c->pos;
	const void *nul;

	if (c->failed)
		return NULL;
	nul = memchr(c->pos, 0, (size_t)(c->end - c->pos));
	if (!nul) {
		c->failed = true;
		return NULL;
	}
	c->pos = (const uint8_t *)nul + 1;
	return s;
}
