// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/tracefs.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/cleanup.h"

static const char *const dirs[] = { "/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events" };

const char *tracefs_event(struct arena *a, const char *category, const char *name)
{
	const char *found = NULL;
	glob_t g;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && !found; i++) {
		if (!glob(arena_printf(a, "%s/%s/%s", dirs[i], category, name), GLOB_ONLYDIR, NULL, &g))
			found = arena_strdup(a, g.gl_pathv[0]);
		globfree(&g);
	}
	return found;
}

const char *tracefs_category(struct arena *a, const char *event)
{
	const char *end = strrchr(event, '/'), *begin = end;

	while (begin > event && begin[-1] != '/')
		begin--;
	return arena_strndup(a, begin, (size_t)(end - begin));
}

/* "	field:unsigned char name[16];	offset:8;	size:16;	signed:0;" */
static bool parse_field(struct arena *a, const char *line, struct tracefs_field *ret)
{
	const char *text = strstr(line, "field:"), *end = text ? strchr(text, ';') : NULL, *begin;

	if (!end || sscanf(end, "; offset:%u; size:%u", &ret->offset, &ret->size) != 2)
		return false;
	if (end[-1] == ']')
		while (end > text && *end != '[')
			end--;
	for (begin = end; begin > text && !strchr(" *:", begin[-1]); begin--)
		;
	ret->name = arena_strndup(a, begin, (size_t)(end - begin));
	return *ret->name;
}

uint32_t tracefs_fields(struct arena *a, const char *event, struct tracefs_field **ret)
{
	_cleanup_fclose_ FILE *f = fopen(arena_printf(a, "%s/format", event), "re");
	struct tracefs_field field;
	char line[1024];
	uint32_t n = 0;

	*ret = NULL;
	while (f && fgets(line, sizeof(line), f)) {
		if (!parse_field(a, line, &field))
			continue;
		*ret = arena_grow(a, *ret, n, sizeof(**ret));
		(*ret)[n++] = field;
	}
	return n;
}
