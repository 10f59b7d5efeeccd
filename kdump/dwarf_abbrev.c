// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/dwarf_abbrev.h"

/* DWARF 4, section 7: the numbers that are used here. */
enum {
	DW_TAG_array_type = 0x01, DW_TAG_enumeration_type = 0x04, DW_TAG_formal_parameter = 0x05, DW_TAG_member = 0x0d,
	DW_TAG_pointer_type = 0x0f, DW_TAG_compile_unit = 0x11, DW_TAG_structure_type = 0x13,
	DW_TAG_subroutine_type = 0x15, DW_TAG_typedef = 0x16, DW_TAG_union_type = 0x17,
	DW_TAG_unspecified_parameters = 0x18, DW_TAG_subrange_type = 0x21, DW_TAG_base_type = 0x24,
	DW_TAG_const_type = 0x26, DW_TAG_enumerator = 0x28, DW_TAG_variable = 0x34, DW_TAG_volatile_type = 0x35,
	DW_TAG_restrict_type = 0x37,
};

enum {
	DW_AT_location = 0x02, DW_AT_name = 0x03, DW_AT_byte_size = 0x0b, DW_AT_bit_size = 0x0d, DW_AT_low_pc = 0x11,
	DW_AT_high_pc = 0x12, DW_AT_language = 0x13, DW_AT_const_value = 0x1c, DW_AT_prototyped = 0x27, DW_AT_count = 0x37, DW_AT_data_member_location = 0x38,
	DW_AT_declaration = 0x3c, DW_AT_encoding = 0x3e, DW_AT_external = 0x3f, DW_AT_type = 0x49,
	DW_AT_data_bit_offset = 0x6b, DW_AT_producer = 0x25,
};

enum {
	DW_FORM_addr = 0x01, DW_FORM_data4 = 0x06, DW_FORM_data1 = 0x0b, DW_FORM_sdata = 0x0d, DW_FORM_strp = 0x0e,
	DW_FORM_udata = 0x0f, DW_FORM_ref4 = 0x13, DW_FORM_exprloc = 0x18, DW_FORM_flag_present = 0x19,
};

/* A tag, whether it has children, and its attributes. */
static const struct {
	uint8_t tag, children;
	uint8_t attrs[12];	/* attribute, form, ..., 0 */
} abbrevs[AB_COUNT] = {
	[AB_UNIT] = { DW_TAG_compile_unit, 1, { DW_AT_producer, DW_FORM_strp, DW_AT_language, DW_FORM_data1,
						DW_AT_name, DW_FORM_strp } },
	[AB_BASE] = { DW_TAG_base_type, 0, { DW_AT_name, DW_FORM_strp, DW_AT_byte_size, DW_FORM_data1,
					     DW_AT_encoding, DW_FORM_data1 } },
	[AB_POINTER] = { DW_TAG_pointer_type, 0, { DW_AT_byte_size, DW_FORM_data1, DW_AT_type, DW_FORM_ref4 } },
	[AB_POINTER_VOID] = { DW_TAG_pointer_type, 0, { DW_AT_byte_size, DW_FORM_data1 } },
	[AB_STRUCT] = { DW_TAG_structure_type, 1, { DW_AT_name, DW_FORM_strp, DW_AT_byte_size, DW_FORM_udata } },
	[AB_UNION] = { DW_TAG_union_type, 1, { DW_AT_name, DW_FORM_strp, DW_AT_byte_size, DW_FORM_udata } },
	[AB_STRUCT_ANON] = { DW_TAG_structure_type, 1, { DW_AT_byte_size, DW_FORM_udata } },
	[AB_UNION_ANON] = { DW_TAG_union_type, 1, { DW_AT_byte_size, DW_FORM_udata } },
	[AB_STRUCT_DECL] = { DW_TAG_structure_type, 0, { DW_AT_name, DW_FORM_strp, DW_AT_declaration,
							 DW_FORM_flag_present } },
	[AB_UNION_DECL] = { DW_TAG_union_type, 0, { DW_AT_name, DW_FORM_strp, DW_AT_declaration,
						    DW_FORM_flag_present } },
	[AB_MEMBER] = { DW_TAG_member, 0, { DW_AT_name, DW_FORM_strp, DW_AT_type, DW_FORM_ref4,
					    DW_AT_data_member_location, DW_FORM_udata } },
	[AB_MEMBER_ANON] = { DW_TAG_member, 0, { DW_AT_type, DW_FORM_ref4, DW_AT_data_member_location,
						 DW_FORM_udata } },
	[AB_BITFIELD] = { DW_TAG_member, 0, { DW_AT_name, DW_FORM_strp, DW_AT_type, DW_FORM_ref4, DW_AT_bit_size,
					      DW_FORM_data1, DW_AT_data_bit_offset, DW_FORM_udata } },
	[AB_BITFIELD_ANON] = { DW_TAG_member, 0, { DW_AT_type, DW_FORM_ref4, DW_AT_bit_size, DW_FORM_data1,
						   DW_AT_data_bit_offset, DW_FORM_udata } },
	[AB_ARRAY] = { DW_TAG_array_type, 1, { DW_AT_type, DW_FORM_ref4 } },
	[AB_SUBRANGE] = { DW_TAG_subrange_type, 0, { DW_AT_count, DW_FORM_udata } },
	[AB_SUBRANGE_OPEN] = { DW_TAG_subrange_type, 0, { 0 } },
	[AB_ENUM] = { DW_TAG_enumeration_type, 1, { DW_AT_name, DW_FORM_strp, DW_AT_byte_size, DW_FORM_data1 } },
	[AB_ENUM_ANON] = { DW_TAG_enumeration_type, 1, { DW_AT_byte_size, DW_FORM_data1 } },
	[AB_ENUM_DECL] = { DW_TAG_enumeration_type, 0, { DW_AT_name, DW_FORM_strp, DW_AT_declaration,
							 DW_FORM_flag_present } },
	[AB_ENUMERATOR] = { DW_TAG_enumerator, 0, { DW_AT_name, DW_FORM_strp, DW_AT_const_value, DW_FORM_sdata } },
	[AB_TYPEDEF] = { DW_TAG_typedef, 0, { DW_AT_name, DW_FORM_strp, DW_AT_type, DW_FORM_ref4 } },
	[AB_TYPEDEF_VOID] = { DW_TAG_typedef, 0, { DW_AT_name, DW_FORM_strp } },
	[AB_CONST] = { DW_TAG_const_type, 0, { DW_AT_type, DW_FORM_ref4 } },
	[AB_CONST_VOID] = { DW_TAG_const_type, 0, { 0 } },
	[AB_VOLATILE] = { DW_TAG_volatile_type, 0, { DW_AT_type, DW_FORM_ref4 } },
	[AB_VOLATILE_VOID] = { DW_TAG_volatile_type, 0, { 0 } },
	[AB_RESTRICT] = { DW_TAG_restrict_type, 0, { DW_AT_type, DW_FORM_ref4 } },
	[AB_FUNC] = { DW_TAG_subroutine_type, 1, { DW_AT_prototyped, DW_FORM_flag_present, DW_AT_type,
						   DW_FORM_ref4 } },
	[AB_FUNC_VOID] = { DW_TAG_subroutine_type, 1, { DW_AT_prototyped, DW_FORM_flag_present } },
	[AB_PARAM] = { DW_TAG_formal_parameter, 0, { DW_AT_type, DW_FORM_ref4 } },
	[AB_ELLIPSIS] = { DW_TAG_unspecified_parameters, 0, { 0 } },
	[AB_VARIABLE] = { DW_TAG_variable, 0, { DW_AT_name, DW_FORM_strp, DW_AT_type, DW_FORM_ref4, DW_AT_external,
						DW_FORM_flag_present, DW_AT_location, DW_FORM_exprloc } },
	/* Code of so many bytes from an address on, and a constant that is known in it. */
	[AB_UNIT_CODE] = { DW_TAG_compile_unit, 1, { DW_AT_producer, DW_FORM_strp, DW_AT_language, DW_FORM_data1,
						     DW_AT_name, DW_FORM_strp, DW_AT_low_pc, DW_FORM_addr,
						     DW_AT_high_pc, DW_FORM_data4 } },
	[AB_CONSTANT] = { DW_TAG_variable, 0, { DW_AT_name, DW_FORM_strp, DW_AT_type, DW_FORM_ref4, DW_AT_const_value,
						DW_FORM_sdata } },
};

void dwarf_put_uleb(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

void dwarf_put_abbrevs(struct buf *b)
{
	for (int i = 1; i < AB_COUNT; i++) {
		dwarf_put_uleb(b, (uint64_t)i);
		buf_putc(b, (char)abbrevs[i].tag);
		buf_putc(b, (char)abbrevs[i].children);
		for (int j = 0; j < 12 && abbrevs[i].attrs[j]; j++)
			buf_putc(b, (char)abbrevs[i].attrs[j]);
		buf_add(b, NULL, 2);
	}
	buf_putc(b, 0);
}
