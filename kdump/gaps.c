// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/gaps.h"

#include <string.h>

static const char *kind_of(enum err_code code)
{
	switch (code) {
	case ERR_ABSENT:
		return "absent";
	case ERR_CORRUPT:
	case ERR_INVALID:
		return "corrupt";
	case ERR_UNSUPPORTED:
		return "unsupported";
	default:
		return "error";
	}
}

void gaps_add(struct gaps *g, const struct err *err, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vprintf(g->arena, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < g->count; i++)
		if (!strcmp(g->items[i].what, what) && !strcmp(g->items[i].why, err->msg))
			return;
	if (g->count == GAPS_MAX) {
		g->dropped++;
		return;
	}
	g->items = arena_grow(g->arena, g->items, g->count, sizeof(*g->items));
	g->items[g->count++] = (struct gap){ .what = what, .kind = kind_of(err->code),
					     .why = arena_strdup(g->arena, err->msg) };
}
