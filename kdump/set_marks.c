// SPDX-License-Identifier: GPL-2.0-or-later
/* set_marks.c - the remarks among a set's events (df_marks, a ring of DF_MARKS). */
#include "kdump/set_read.h"

#include <stdlib.h>

#include <linux/types.h>

#include "bpf/layout.h"

static const struct want wants[] = {
	WANT(struct set_mark, ns, "ns"),
	WANT(struct set_mark, seq, "seq"),
};

static int read_mark(struct set_reader *r, const struct bpfmap *m, const struct layout *l, const struct kmember *text,
		     uint32_t index, struct set_mark *ret, struct err *err)
{
	uint8_t *bytes = set_read_element(r, m, index, err);

	if (!bytes)
		return -1;
	layout_decode(l, bytes, m->value_size, ret);
	comm_decode(text, bytes, m->value_size, ret->text, sizeof(ret->text));
	free(bytes);
	return 0;
}

void set_read_marks(struct set_reader *r, struct df_set *s)
{
	uint32_t count = s->ctl.marks < DF_MARKS ? (uint32_t)s->ctl.marks : DF_MARKS;
	const struct bpfmap *m = set_map(s, "df_marks");
	const struct ktypes *types;
	struct kmember text;
	struct layout l;
	struct err err;

	if (!count || !m)
		return;
	types = set_types(r, m, &err);
	if (!types || layout_resolve(&l, types, "df_mark", "", wants, sizeof(wants) / sizeof(*wants), &err) ||
	    ktypes_member(types, "df_mark", "text", &text, &err)) {
		gaps_add(r->gaps, &err, "marks");
		return;
	}
	s->marks = arena_array(r->arena, count + 1, sizeof(*s->marks));
	for (uint32_t i = 0; i < count; i++) {
		if (!read_mark(r, m, &l, &text, (uint32_t)(s->ctl.marks - count + i) % DF_MARKS, &s->marks[s->nmarks], &err))
			s->nmarks++;
		else
			gaps_add(r->gaps, &err, "a mark");
	}
}
