/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf_abbrev.h - the abbreviations that our DWARF uses: each entry in .debug_info begins with the number of one, which
 * says its tag, its attributes and their forms.
 */
#ifndef KDUMP_DWARF_ABBREV_H
#define KDUMP_DWARF_ABBREV_H

#include "lib/buf.h"

#include <stdint.h>

/* Values of attributes (DWARF 4, section 7). */
enum { DW_ATE_boolean = 2, DW_ATE_float = 4, DW_ATE_signed = 5, DW_ATE_signed_char = 6, DW_ATE_unsigned = 7,
       DW_ATE_unsigned_char = 8 };
#define DW_LANG_C99 0x0c
#define DW_OP_addr 0x03

enum abbrev {
	AB_UNIT = 1, AB_BASE, AB_POINTER, AB_POINTER_VOID, AB_STRUCT, AB_UNION, AB_STRUCT_DECL, AB_UNION_DECL,
	AB_MEMBER, AB_MEMBER_ANON, AB_BITFIELD, AB_BITFIELD_ANON, AB_ARRAY, AB_SUBRANGE, AB_SUBRANGE_OPEN, AB_ENUM,
	AB_ENUM_DECL, AB_ENUMERATOR, AB_TYPEDEF, AB_TYPEDEF_VOID, AB_CONST, AB_CONST_VOID, AB_VOLATILE,
	AB_VOLATILE_VOID, AB_RESTRICT, AB_FUNC, AB_FUNC_VOID, AB_PARAM, AB_ELLIPSIS, AB_VARIABLE, AB_STRUCT_ANON,
	AB_UNION_ANON, AB_ENUM_ANON, AB_UNIT_CODE, AB_CONSTANT, AB_COUNT
};

/* The contents of .debug_abbrev. */
void dwarf_put_abbrevs(struct buf *b);

/* A number in DWARF's variable length. */
void dwarf_put_uleb(struct buf *b, uint64_t v);

#endif
