// SPDX-License-Identifier: GPL-2.0-or-later
/* set_reach.c - how far keys came, by state of their automata (df_reach): why a match has not happened. */
#include "kdump/set_read.h"

#include <stdlib.h>

static const struct want wants[] = {
	WANT(struct set_reach, entered, "entered"),
	WANT(struct set_reach, late, "late"),
	WANT(struct set_reach, refused, "refused"),
};

void set_read_reach(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = set_map(s, "df_reach");
	const struct ktypes *types;
	struct layout l;
	struct err err;
	uint32_t n = 0;
	uint8_t *bytes;

	if (!m || !s->mf)
		return;		/* a set of an older runtime */
	types = set_types(r, m, &err);
	if (!types || layout_resolve(&l, types, "df_reach", "", wants, sizeof(wants) / sizeof(*wants), &err)) {
		gaps_add(r->gaps, &err, "how far keys came");
		return;
	}
	for (size_t i = 0; i < s->mf->nmachines; i++) {
		struct mf_machine *one = &s->mf->machines[i];

		one->reach = arena_array(r->arena, one->nstates + 1, sizeof(*one->reach));
		for (size_t j = 0; j < one->nstates && n < m->max_entries; j++, n++) {
			bytes = set_read_element(r, m, n, &err);
			if (bytes)
				layout_decode(&l, bytes, m->value_size, &one->reach[j]);
			else
				gaps_add(r->gaps, &err, "how far keys came");
			free(bytes);
		}
	}
}
