// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/layout.h"

#include <stdio.h>
#include <string.h>

int layout_resolve(struct layout *l, const struct ktypes *t, const char *type, const char *prefix,
		   const struct want *wants, size_t count, struct err *err)
{
	struct kmember whole;
	struct err why;
	char path[128];

	*l = (struct layout){ .wants = wants, .count = count };
	if (count > LAYOUT_MAX)
		return err_set(err, ERR_INVALID, "struct %s: %zu members wanted", type, count);
	if (ktypes_member(t, type, "", &whole, err))
		return -1;
	l->size = whole.size;
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s%s", prefix, wants[i].path);
		if (ktypes_member(t, type, path, &l->members[i], &why)) {
			if (wants[i].optional && why.code == ERR_ABSENT) {
				l->members[i] = (struct kmember){ 0 };
				continue;
			}
			if (err)
				*err = why;
			return -1;
		}
		if (!l->members[i].size || l->members[i].size > 8 || l->members[i].bits)
			return err_set(err, ERR_CORRUPT, "%s.%s is not a number", type, path);
	}
	return 0;
}

uint32_t layout_end(const struct layout *l)
{
	uint32_t end = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->members[i].offset + l->members[i].size > end)
			end = l->members[i].offset + l->members[i].size;
	return end;
}

uint64_t bytes_number(const uint8_t *bytes, size_t len, size_t at, size_t size)
{
	uint64_t v = 0;

	if (size > 8 || at > len || len - at < size)
		return 0;
	while (size--)
		v = v << 8 | bytes[at + size];
	return v;
}

void layout_decode(const struct layout *l, const uint8_t *bytes, size_t len, void *dest)
{
	uint64_t v;

	for (size_t i = 0; i < l->count; i++) {
		v = bytes_number(bytes, len, l->members[i].offset, l->members[i].size);
		memcpy((char *)dest + l->wants[i].at, &v, sizeof(v));
	}
}
