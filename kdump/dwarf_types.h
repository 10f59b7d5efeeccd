/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf_types.h - within dwarf*.c: the entries of BTF's types, and what they are written with.
 */
#ifndef KDUMP_DWARF_TYPES_H
#define KDUMP_DWARF_TYPES_H

#include "kdump/dwarf.h"
#include "kdump/dwarf_abbrev.h"

#include <stdbool.h>

/* A reference that is written before its target's place is known. */
struct dwarf_fixup {
	uint32_t at;
	uint32_t id;
};

struct dwarf_maker {
	const struct dwarf_input *in;
	const struct btf *btf;
	struct dwarf *d;
	uint32_t types;		/* in BTF */
	uint32_t *place;	/* offset of each type's entry, 0: none */
	uint8_t *patched;	/* types with members that are renamed */
	uint32_t *str;		/* offset of each BTF string in .debug_str + 1 */
	uint32_t strings;	/* bytes of BTF's strings */
	struct dwarf_fixup *fixups;
	size_t nfixups, room;
	bool failed;
};

/* Parts of an entry in .debug_info. */
void dwarf_put_entry(struct dwarf_maker *m, enum abbrev ab);
void dwarf_end_children(struct dwarf_maker *m);
void dwarf_put_text(struct dwarf_maker *m, const char *s);
void dwarf_put_u32(struct buf *b, uint32_t v);
void dwarf_put_sleb(struct buf *b, int64_t v);

/* Mark the structs in which members are renamed; before the types are written. */
void dwarf_mark_renamed(struct dwarf_maker *m);

/* The entry of a type, if it is one that DWARF has. */
void dwarf_put_type(struct dwarf_maker *m, uint32_t id);

/* Where the entry of a written type stands, 0: it has none. */
uint32_t dwarf_place_of(const struct dwarf_maker *m, uint32_t id);

/* The id of "struct x", "union x", or a named int or typedef, by its text of length len. 0: none. */
uint32_t dwarf_find_type(const struct dwarf_maker *m, const char *text, size_t len);

#endif
