// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/late.h"

#include <string.h>

#include "lib/arena.h"

const char *late_kind_name(enum late_kind kind)
{
	static const char *const names[LATE_KINDS] = { "symbol", "func", "code", "kconfig", "version", "filtered" };

	return names[kind];
}

uint32_t late_word(struct arena *a, struct lates *lates, enum late_kind kind, const char *name, struct span span,
		   uint32_t rule)
{
	struct late *late;

	for (uint32_t i = 0; i < lates->n; i++) {
		if (lates->items[i].kind == kind && !strcmp(lates->items[i].name, name))
			return lates->items[i].word;
	}
	lates->items = arena_grow(a, lates->items, lates->n, sizeof(*lates->items));
	late = &lates->items[lates->n++];
	*late = (struct late){ .kind = kind, .name = name, .span = span, .rule = rule, .word = lates->words };
	lates->words += kind == LATE_CODE ? LATE_CODE_WORDS : 1;
	return late->word;
}
