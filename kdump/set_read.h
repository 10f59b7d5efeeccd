/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_read.h - what the files that read a set share: set.c (what it is and said), set_keys.c (its keys and events).
 */
#ifndef KDUMP_SET_READ_H
#define KDUMP_SET_READ_H

#include "kdump/layout.h"
#include "kdump/set.h"

/* Maps of a set share the type information of one or two loaded objects. */
#define SET_TYPES_MAX 4

struct set_reader {
	struct kernel *k;
	struct arena *arena;
	struct gaps *gaps;
	const struct set_select *select;
	struct {
		uint64_t btf;
		struct ktypes *types;
	} cache[SET_TYPES_MAX];
	size_t ncached;
};

/* The map's types; they live as long as the reader. NULL: *err. */
const struct ktypes *set_types(struct set_reader *r, const struct bpfmap *m, struct err *err);

/* Layout of a key as a map or verdict holds it. */
struct key_layout {
	struct kmember table, part;
};

/* Look for the key's members under `prefix` of struct `type`. */
int key_layout_resolve(struct key_layout *l, const struct ktypes *t, const char *type, const char *prefix,
		       struct err *err);
void key_decode(const struct key_layout *l, const uint8_t *bytes, size_t len, struct set_key *ret);

/* Whole element of an array map; the caller frees it. */
uint8_t *set_read_element(struct set_reader *r, const struct bpfmap *m, uint32_t index, struct err *err);

/* Copy a fixed-size character array out of a struct's bytes, terminated; size includes the terminator. */
void comm_decode(const struct kmember *m, const uint8_t *bytes, size_t len, char *comm, size_t size);

/* What `deadfall mark` wrote. */
void set_read_marks(struct set_reader *r, struct df_set *s);

/* How far keys came, into the machines of s->mf. */
void set_read_reach(struct set_reader *r, struct df_set *s);

/* Live keys, and the events of the selected ones. */
void set_read_keys(struct set_reader *r, struct df_set *s);

#endif
