// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (32 * 1024)

/* Numbers and pointers are all that structs are made of; strings are many and short. */
#define ALIGN 8

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *arg);
	void *arg;
};

struct arena {
	struct deferred *deferred;
	struct chunk *chunks;		/* the first has room */
	struct arena *scratch;
	arena_oom_fn *oom;
	void *arg;
	size_t used;
};

struct arena *arena_create(arena_oom_fn *oom, void *arg)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->oom = oom;
	a->arg = arg;
	return a;
}

void arena_destroy(struct arena *a)
{
	struct chunk *next;

	if (!a)
		return;
	for (struct deferred *d = a->deferred; d; d = d->next)
		d->fn(d->arg);
	for (struct chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	arena_destroy(a->scratch);
	free(a);
}

static void arena_fail(struct arena *a)
{
	if (a->oom)
		a->oom(a->arg);
	abort();
}

struct arena *arena_scratch(struct arena *a)
{
	if (!a->scratch)
		a->scratch = arena_create(a->oom, a->arg);
	if (!a->scratch)
		arena_fail(a);
	return a->scratch;
}

void arena_reset(struct arena *a)
{
	struct chunk *c = a->chunks, *next;

	if (!c)
		return;
	while ((next = c->next)) {
		c->next = next->next;
		free(next);
	}
	memset(c->data, 0, c->used);
	c->used = 0;
	a->used = 0;
}

/* A new chunk. A large allocation has one of its own, behind the one that has room for more. */
static struct chunk *add_chunk(struct arena *a, size_t size)
{
	size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;
	struct chunk *c = calloc(1, sizeof(*c) + room), **at = &a->chunks;

	if (!c)
		arena_fail(a);
	if (room == size && a->chunks)
		at = &a->chunks->next;
	c->size = room;
	c->next = *at;
	*at = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 4)
		arena_fail(a);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->size - c->used < size)
		c = add_chunk(a, size);
	p = c->data + c->used;
	c->used += size;
	a->used += size;
	return p;
}

static void defer(struct arena *a, struct deferred *d, void (*fn)(void *arg), void *arg)
{
	d->fn = fn;
	d->arg = arg;
	d->next = a->deferred;
	a->deferred = d;
}

void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
	defer(a, arena_new(a, struct deferred), fn, arg);
}

static void destroy_inner(void *inner)
{
	arena_destroy(inner);
}

struct arena *arena_inner(struct arena *a)
{
	struct deferred *d = arena_new(a, struct deferred);
	struct arena *inner = arena_create(a->oom, a->arg);

	if (!inner)
		arena_fail(a);
	defer(a, d, destroy_inner, inner);
	return inner;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 4 / size)
		arena_fail(a);
	return arena_alloc(a, count * size);
}

void *arena_grow(struct arena *a, void *items, size_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return items;
	grown = arena_array(a, count ? count * 2 : 1, size);
	if (count)
		memcpy(grown, items, count * size);
	return grown;
}

/* The room that arena_grow has made for so many. */
static size_t room_for(size_t count)
{
	size_t room = 1;

	while (room < count)
		room *= 2;
	return room;
}

void *arena_reserve(struct arena *a, void *items, size_t count, size_t more, size_t size)
{
	void *grown;

	if (!more || (count && count + more <= room_for(count)))
		return items;
	grown = arena_array(a, room_for(count + more), size);
	if (count)
		memcpy(grown, items, count * size);
	return grown;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
	va_end(again);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
