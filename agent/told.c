// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/told.h"

#include <string.h>

void told_add(struct told *t, const void *data, size_t size)
{
	struct df_told *item = &t->items[t->next];

	if (size < sizeof(*item))
		return;
	memcpy(item, data, sizeof(*item));
	t->next = (t->next + 1) % TOLD_MAX;
}

const struct df_told *told_find(const struct told *t, uint64_t seq)
{
	for (uint32_t i = 0; i < TOLD_MAX; i++) {
		if (t->items[i].note.kind == DF_NOTE_STEP && t->items[i].e.seq == seq)
			return &t->items[i];
	}
	return NULL;
}
