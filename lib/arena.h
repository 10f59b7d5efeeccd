/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - memory with one lifetime.
 *
 * A compilation allocates everything it builds (trees, rules, IR, diagnostics) from one arena and frees
 * nothing singly. When memory runs out the arena calls the handler that its owner set, which must not
 * return (the compiler's longjmps back into compile(), where the arena is destroyed): so no code between
 * carries error branches for memory.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* Called when memory is short; must not return. */
typedef void arena_oom_fn(void *arg);

/* A new arena, or NULL without memory. oom may be NULL: then allocation failure aborts. */
struct arena *arena_create(arena_oom_fn *oom, void *arg);

/* Frees the arena and all that was allocated from it. NULL is allowed. */
void arena_destroy(struct arena *a);

/*
 * Call fn(arg) when the arena is destroyed, last one first, before its memory goes: for what others allocated and a
 * longjmp would leak. The memory it needs is taken now.
 */
void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

/*
 * A second arena, made when it is first asked for, that goes with this one: for what is needed for a moment only. Whoever
 * uses it empties it by arena_reset. Never NULL.
 */
struct arena *arena_scratch(struct arena *a);

/* An arena that goes with this one, and may be emptied before by arena_reset. Never NULL. */
struct arena *arena_inner(struct arena *a);

/* Forget all that was allocated. */
void arena_reset(struct arena *a);

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size);

/* count * size with overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);

/*
 * Grow an array: returns items with room for one more element than count, moving it when count is a power
 * of two (or zero). The old memory stays in the arena.
 */
void *arena_grow(struct arena *a, void *items, size_t count, size_t size);

/* Room for `more` elements that are known to come: so many may be added without asking again. */
void *arena_reserve(struct arena *a, void *items, size_t count, size_t more, size_t size);

char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
