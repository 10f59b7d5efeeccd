// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/members.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"

/* A line: a number in C's notation, '#' begins a comment. Returns 1, 0 (nothing there) or -1. */
static int parse_line(char *line, uint64_t *value)
{
	char *end;

	line[strcspn(line, "#\n")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (!*line)
		return 0;
	errno = 0;
	*value = *line == '-' ? (uint64_t)strtoll(line, &end, 0) : strtoull(line, &end, 0);
	while (isspace((unsigned char)*end))
		end++;
	return *end || errno ? -1 : 1;
}

static int read_set(struct arena *a, struct info_members *m, struct err *err)
{
	FILE *f = fopen(m->file, "re");
	uint32_t n = 0, room = m->nvalues + 1;
	char line[256];
	int got = 0;

	if (!f)
		return err_sys(err, errno, "set '%s': %s", m->name, m->file);
	while (got >= 0 && fgets(line, sizeof(line), f)) {
		uint64_t value;

		n++;
		got = parse_line(line, &value);
		if (got <= 0)
			continue;
		if (m->nvalues == room - 1) {
			uint64_t *more = arena_array(a, room * 2 + 1024, sizeof(*more));

			memcpy(more, m->values, m->nvalues * sizeof(*more));
			m->values = more;
			room = room * 2 + 1024;
		}
		m->values[m->nvalues++] = value;
	}
	fclose(f);
	if (got < 0)
		return err_set(err, ERR_INVALID, "set '%s': %s:%u: not a number", m->name, m->file, n);
	return 0;
}

int members_read(struct arena *a, struct set_info *info, struct err *err)
{
	for (uint32_t i = 0; i < info->nsets; i++) {
		struct info_members *m = &info->sets[i];

		if (m->file && read_set(a, m, err))
			return -1;
		if (m->max && m->nvalues > m->max)
			return err_set(err, ERR_INVALID, "set '%s' has %u members, its 'max' is %u", m->name, m->nvalues,
				       m->max);
	}
	return 0;
}

/* What it has, or may come to have. */
static uint32_t room_of(const struct info_members *m)
{
	return m->nvalues > m->max ? m->nvalues : m->max;
}

uint32_t members_max(const struct set_info *info)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < info->nsets; i++)
		n += room_of(&info->sets[i]);
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

bool members_filtered(const struct set_info *info, uint32_t set)
{
	return set < info->nsets && room_of(&info->sets[set]) >= DF_BLOOM_MIN;
}

int members_fill(const struct set_info *info, int sets, int bloom, struct err *err)
{
	const uint8_t one = 1;

	for (uint32_t i = 0; i < info->nsets; i++) {
		const struct info_members *m = &info->sets[i];
		bool filtered = members_filtered(info, i);

		for (uint32_t v = 0; v < m->nvalues; v++) {
			struct df_member member = { .value = m->values[v], .set = i };

			if (bpf_map_update_elem(sets, &member, &one, 0) ||
			    (filtered && bpf_map_update_elem(bloom, NULL, &member, 0)))
				return err_sys(err, errno, "fill set '%s'", m->name);
		}
	}
	return 0;
}
