// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/dwarf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

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
	DW_AT_location = 0x02, DW_AT_name = 0x03, DW_AT_byte_size = 0x0b, DW_AT_bit_size = 0x0d, DW_AT_language = 0x13,
	DW_AT_const_value = 0x1c, DW_AT_prototyped = 0x27, DW_AT_count = 0x37, DW_AT_data_member_location = 0x38,
	DW_AT_declaration = 0x3c, DW_AT_encoding = 0x3e, DW_AT_external = 0x3f, DW_AT_type = 0x49,
	DW_AT_data_bit_offset = 0x6b, DW_AT_producer = 0x25,
};

enum {
	DW_FORM_data2 = 0x05, DW_FORM_data4 = 0x06, DW_FORM_data1 = 0x0b, DW_FORM_sdata = 0x0d, DW_FORM_strp = 0x0e,
	DW_FORM_udata = 0x0f, DW_FORM_ref4 = 0x13, DW_FORM_exprloc = 0x18, DW_FORM_flag_present = 0x19,
};

enum { DW_ATE_boolean = 2, DW_ATE_float = 4, DW_ATE_signed = 5, DW_ATE_signed_char = 6, DW_ATE_unsigned = 7,
       DW_ATE_unsigned_char = 8 };
#define DW_LANG_C99 0x0c
#define DW_OP_addr 0x03

/* Our abbreviations: a tag, whether it has children, and its attributes. */
enum abbrev {
	AB_UNIT = 1, AB_BASE, AB_POINTER, AB_POINTER_VOID, AB_STRUCT, AB_UNION, AB_STRUCT_DECL, AB_UNION_DECL,
	AB_MEMBER, AB_MEMBER_ANON, AB_BITFIELD, AB_BITFIELD_ANON, AB_ARRAY, AB_SUBRANGE, AB_SUBRANGE_OPEN, AB_ENUM,
	AB_ENUM_DECL, AB_ENUMERATOR, AB_TYPEDEF, AB_TYPEDEF_VOID, AB_CONST, AB_CONST_VOID, AB_VOLATILE,
	AB_VOLATILE_VOID, AB_RESTRICT, AB_FUNC, AB_FUNC_VOID, AB_PARAM, AB_ELLIPSIS, AB_VARIABLE, AB_STRUCT_ANON,
	AB_UNION_ANON, AB_ENUM_ANON, AB_COUNT
};

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
};

/* A reference that is written before its target's place is known. */
struct fixup {
	uint32_t at;
	uint32_t id;
};

struct maker {
	const struct btf *btf;
	struct dwarf *d;
	const struct dwarf_patch *patches;
	uint32_t types;		/* in BTF; ids from here on are ours */
	uint32_t *place;	/* offset of each type's entry, 0: none */
	uint32_t *str;		/* offset of each BTF string in .debug_str + 1 */
	uint32_t strings;	/* bytes of BTF's strings */
	struct fixup *fixups;
	size_t nfixups, room;
	bool failed;
};

static void put_u32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	buf_add(b, bytes, sizeof(bytes));
}

static void put_uleb(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static void put_sleb(struct buf *b, int64_t v)
{
	while (v < -64 || v > 63) {
		buf_putc(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_putc(b, (char)(v & 0x7f));
}

static void put_text(struct maker *m, const char *s)
{
	put_u32(&m->d->info, (uint32_t)m->d->str.len);
	buf_add(&m->d->str, s, strlen(s) + 1);
}

/* A BTF string, once. */
static void put_name(struct maker *m, uint32_t offset)
{
	const char *s = btf__str_by_offset(m->btf, offset);

	s = s ? s : "";
	if (offset >= m->strings) {
		put_text(m, s);
		return;
	}
	if (!m->str[offset]) {
		m->str[offset] = (uint32_t)m->d->str.len + 1;
		buf_add(&m->d->str, s, strlen(s) + 1);
	}
	put_u32(&m->d->info, m->str[offset] - 1);
}

static void put_ref(struct maker *m, uint32_t id)
{
	struct fixup *grown;

	if (m->nfixups == m->room) {
		grown = realloc(m->fixups, (m->room * 2 + 1024) * sizeof(*grown));
		if (!grown) {
			m->failed = true;
			return;
		}
		m->fixups = grown;
		m->room = m->room * 2 + 1024;
	}
	m->fixups[m->nfixups++] = (struct fixup){ .at = (uint32_t)m->d->info.len, .id = id };
	put_u32(&m->d->info, 0);
}

static void begin(struct maker *m, enum abbrev ab)
{
	put_uleb(&m->d->info, ab);
}

static void end_children(struct maker *m)
{
	buf_putc(&m->d->info, 0);
}

static void put_int(struct maker *m, const struct btf_type *t)
{
	uint8_t flags = btf_int_encoding(t), encoding;

	if (flags & BTF_INT_BOOL)
		encoding = DW_ATE_boolean;
	else if (t->size == 1)
		encoding = flags & BTF_INT_SIGNED ? DW_ATE_signed_char : DW_ATE_unsigned_char;
	else
		encoding = flags & BTF_INT_SIGNED ? DW_ATE_signed : DW_ATE_unsigned;
	begin(m, AB_BASE);
	put_name(m, t->name_off);
	buf_putc(&m->d->info, (char)t->size);
	buf_putc(&m->d->info, (char)encoding);
}

static uint32_t find_base(const struct maker *m, const char *text, size_t len);

/* The name under which a member is shown: see compat.h. */
static const char *renamed(struct maker *m, const struct btf_type *t, const struct btf_member *member)
{
	const char *type = btf__str_by_offset(m->btf, t->name_off), *name;

	/* Of a struct that is mostly one anonymous struct (mm_struct), the members are found there. */
	for (const struct dwarf_patch *p = m->patches; type && p->type; p++) {
		name = btf__str_by_offset(m->btf, member->name_off);
		if (p->kind == DWARF_RENAME && name && (!*type || !strcmp(type, p->type)) &&
		    !strcmp(name, p->member))
			return p->as;
	}
	return NULL;
}

static void put_member(struct maker *m, const struct btf_type *t, uint32_t i)
{
	const struct btf_member *member = btf_members(t) + i;
	uint32_t bits = btf_member_bitfield_size(t, i), offset = btf_member_bit_offset(t, i);
	const char *as = renamed(m, t, member);

	if (bits)
		begin(m, member->name_off ? AB_BITFIELD : AB_BITFIELD_ANON);
	else
		begin(m, member->name_off ? AB_MEMBER : AB_MEMBER_ANON);
	if (as)
		put_text(m, as);
	else if (member->name_off)
		put_name(m, member->name_off);
	put_ref(m, member->type);
	if (bits) {
		buf_putc(&m->d->info, (char)bits);
		put_uleb(&m->d->info, offset);
	} else {
		put_uleb(&m->d->info, offset / 8);
	}
}

/* Members that older kernels had, at the places where their values are now. */
static void put_added(struct maker *m, const struct dwarf_patch *p)
{
	uint32_t id = find_base(m, p->as, strlen(p->as));

	if (!id)
		return;
	begin(m, AB_MEMBER);
	put_text(m, p->member);
	put_ref(m, id);
	put_uleb(&m->d->info, p->value);
}

static void put_composite(struct maker *m, const struct btf_type *t)
{
	const char *name = btf__str_by_offset(m->btf, t->name_off);
	bool is_struct = btf_is_struct(t);
	uint32_t size = t->size;

	for (const struct dwarf_patch *p = m->patches; p->type && name; p++)
		if (p->kind == DWARF_RESIZE && is_struct && !strcmp(name, p->type))
			size = p->value;
	if (t->name_off) {
		begin(m, is_struct ? AB_STRUCT : AB_UNION);
		put_name(m, t->name_off);
	} else {
		begin(m, is_struct ? AB_STRUCT_ANON : AB_UNION_ANON);
	}
	put_uleb(&m->d->info, size);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		put_member(m, t, i);
	for (const struct dwarf_patch *p = m->patches; p->type && name; p++)
		if (p->kind == DWARF_ADD && is_struct && !strcmp(name, p->type))
			put_added(m, p);
	end_children(m);
}

static void put_array(struct maker *m, const struct btf_type *t)
{
	const struct btf_array *a = btf_array(t);

	begin(m, AB_ARRAY);
	put_ref(m, a->type);
	begin(m, a->nelems ? AB_SUBRANGE : AB_SUBRANGE_OPEN);
	if (a->nelems)
		put_uleb(&m->d->info, a->nelems);
	end_children(m);
}

static void put_enum(struct maker *m, const struct btf_type *t)
{
	bool is64 = btf_is_enum64(t);

	if (!btf_vlen(t) && t->name_off) {
		begin(m, AB_ENUM_DECL);
		put_name(m, t->name_off);
		return;
	}
	begin(m, t->name_off ? AB_ENUM : AB_ENUM_ANON);
	if (t->name_off)
		put_name(m, t->name_off);
	buf_putc(&m->d->info, (char)t->size);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		begin(m, AB_ENUMERATOR);
		put_name(m, is64 ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off);
		if (is64)
			put_sleb(&m->d->info, (int64_t)btf_enum64_value(&btf_enum64(t)[i]));
		else
			put_sleb(&m->d->info, btf_enum(t)[i].val);
	}
	end_children(m);
}

static void put_proto(struct maker *m, const struct btf_type *t)
{
	const struct btf_param *p = btf_params(t);

	begin(m, t->type ? AB_FUNC : AB_FUNC_VOID);
	if (t->type)
		put_ref(m, t->type);
	for (uint32_t i = 0; i < btf_vlen(t); i++, p++) {
		begin(m, p->type ? AB_PARAM : AB_ELLIPSIS);
		if (p->type)
			put_ref(m, p->type);
	}
	end_children(m);
}

/* const, volatile, restrict, typedef, pointer: something of another type. */
static void put_modifier(struct maker *m, const struct btf_type *t)
{
	static const uint8_t forms[][2] = {
		[BTF_KIND_PTR] = { AB_POINTER, AB_POINTER_VOID },
		[BTF_KIND_TYPEDEF] = { AB_TYPEDEF, AB_TYPEDEF_VOID },
		[BTF_KIND_CONST] = { AB_CONST, AB_CONST_VOID },
		[BTF_KIND_VOLATILE] = { AB_VOLATILE, AB_VOLATILE_VOID },
		[BTF_KIND_RESTRICT] = { AB_RESTRICT, AB_CONST_VOID },
	};

	begin(m, forms[btf_kind(t)][!t->type]);
	if (btf_is_typedef(t))
		put_name(m, t->name_off);
	if (btf_is_ptr(t))
		buf_putc(&m->d->info, 8);
	if (t->type)
		put_ref(m, t->type);
}

static void put_type(struct maker *m, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(m->btf, id);

	m->place[id] = (uint32_t)m->d->info.len;
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		put_int(m, t);
		break;
	case BTF_KIND_FLOAT:
		begin(m, AB_BASE);
		put_name(m, t->name_off);
		buf_putc(&m->d->info, (char)t->size);
		buf_putc(&m->d->info, DW_ATE_float);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		put_composite(m, t);
		break;
	case BTF_KIND_ARRAY:
		put_array(m, t);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		put_enum(m, t);
		break;
	case BTF_KIND_FWD:
		begin(m, btf_kflag(t) ? AB_UNION_DECL : AB_STRUCT_DECL);
		put_name(m, t->name_off);
		break;
	case BTF_KIND_FUNC_PROTO:
		put_proto(m, t);
		break;
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
		put_modifier(m, t);
		break;
	default:
		m->place[id] = 0;	/* functions, variables, sections, tags */
	}
}

/* A type tag stands for the type behind it. */
static uint32_t place_of(const struct maker *m, uint32_t id)
{
	const struct btf_type *t;

	for (int i = 0; i < 8 && id < m->types; i++) {
		if (m->place[id])
			return m->place[id];
		t = btf__type_by_id(m->btf, id);
		if (!t || !btf_is_type_tag(t))
			break;
		id = t->type;
	}
	return 0;
}

/* The id of "struct x", "union x", or a named int or typedef, by its text of length len. 0: none. */
static uint32_t find_base(const struct maker *m, const char *text, size_t len)
{
	char name[128];
	int id;

	if (len >= sizeof(name))
		return 0;
	memcpy(name, text, len);
	name[len] = '\0';
	if (!strncmp(name, "struct ", 7))
		id = btf__find_by_name_kind(m->btf, name + 7, BTF_KIND_STRUCT);
	else if (!strncmp(name, "union ", 6))
		id = btf__find_by_name_kind(m->btf, name + 6, BTF_KIND_UNION);
	else
		id = btf__find_by_name(m->btf, name);
	return id > 0 ? (uint32_t)id : 0;
}

/* Write entries for pointers and arrays of a C type's text; returns where the outermost is, 0: not known. */
static uint32_t put_c_type(struct maker *m, const char *text)
{
	size_t len = strcspn(text, "*[");
	const char *rest = text + len;
	uint32_t target, at;

	while (len && text[len - 1] == ' ')
		len--;
	target = place_of(m, find_base(m, text, len));
	for (; target && *rest == '*'; rest++) {
		at = (uint32_t)m->d->info.len;
		begin(m, AB_POINTER);
		buf_putc(&m->d->info, 8);
		put_u32(&m->d->info, target);
		target = at;
	}
	rest += strspn(rest, " ");
	if (!target || *rest != '[')
		return target;
	at = (uint32_t)m->d->info.len;
	begin(m, AB_ARRAY);
	put_u32(&m->d->info, target);
	begin(m, AB_SUBRANGE);
	put_uleb(&m->d->info, strtoul(rest + 1, NULL, 0));
	end_children(m);
	return at;
}

static bool put_var(struct maker *m, const struct dwarf_var *v)
{
	uint32_t type = v->type ? put_c_type(m, v->type) : place_of(m, v->type_id);

	if (!type)
		return false;
	begin(m, AB_VARIABLE);
	put_text(m, v->name);
	put_u32(&m->d->info, type);
	put_uleb(&m->d->info, 9);
	buf_putc(&m->d->info, DW_OP_addr);
	put_u32(&m->d->info, (uint32_t)v->addr);
	put_u32(&m->d->info, (uint32_t)(v->addr >> 32));
	return true;
}

/* union thread_union { struct task_struct task; unsigned long stack[]; }: kernels do not put it into BTF. */
static void put_thread_union(struct maker *m, uint32_t thread_size)
{
	uint32_t task = place_of(m, find_base(m, "struct task_struct", 18)), stack;
	char text[40];

	snprintf(text, sizeof(text), "long unsigned int [%u]", thread_size / 8);
	stack = put_c_type(m, text);
	if (!task || !stack || find_base(m, "union thread_union", 18))
		return;
	begin(m, AB_UNION);
	put_text(m, "thread_union");
	put_uleb(&m->d->info, thread_size);
	begin(m, AB_MEMBER);
	put_text(m, "task");
	put_u32(&m->d->info, task);
	put_uleb(&m->d->info, 0);
	begin(m, AB_MEMBER);
	put_text(m, "stack");
	put_u32(&m->d->info, stack);
	put_uleb(&m->d->info, 0);
	end_children(m);
}

static void put_abbrevs(struct buf *b)
{
	for (int i = 1; i < AB_COUNT; i++) {
		put_uleb(b, (uint64_t)i);
		buf_putc(b, (char)abbrevs[i].tag);
		buf_putc(b, (char)abbrevs[i].children);
		for (int j = 0; j < 12 && abbrevs[i].attrs[j]; j++)
			buf_putc(b, (char)abbrevs[i].attrs[j]);
		buf_add(b, NULL, 2);
	}
	buf_putc(b, 0);
}

static void patch_u32(struct buf *b, size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b->data[at + (size_t)i] = (char)(v >> (8 * i));
}

/*
 * Fill in the references. One to a type that has no entry (hostile BTF) points to a void pointer behind the unit's
 * own entry, so that every reference is valid.
 */
static void fix(struct maker *m, uint32_t nothing)
{
	uint32_t target;

	for (size_t i = 0; i < m->nfixups; i++) {
		target = place_of(m, m->fixups[i].id);
		patch_u32(&m->d->info, m->fixups[i].at, target ? target : nothing);
	}
}

static void put_unit(struct maker *m)
{
	put_u32(&m->d->info, 0);	/* length, filled in at the end */
	buf_putc(&m->d->info, 4);
	buf_putc(&m->d->info, 0);	/* version 4 */
	put_u32(&m->d->info, 0);	/* abbreviations */
	buf_putc(&m->d->info, 8);	/* bytes of an address */
	begin(m, AB_UNIT);
	put_text(m, "deadfall " DEADFALL_VERSION ", from BTF");
	buf_putc(&m->d->info, DW_LANG_C99);
	put_text(m, "vmlinux");
}

static int make_all(struct maker *m, const struct dwarf_var *vars, size_t nvars, uint32_t thread_size,
		    size_t *left_out, struct err *err)
{
	uint32_t nothing;

	put_abbrevs(&m->d->abbrev);
	buf_putc(&m->d->str, 0);
	put_unit(m);
	nothing = (uint32_t)m->d->info.len;
	begin(m, AB_POINTER_VOID);
	buf_putc(&m->d->info, 8);
	for (uint32_t id = 1; id < m->types; id++)
		put_type(m, id);
	put_thread_union(m, thread_size);
	*left_out = 0;
	for (size_t i = 0; i < nvars; i++)
		*left_out += !put_var(m, &vars[i]);
	end_children(m);
	if (m->failed || buf_failed(&m->d->info) || buf_failed(&m->d->str) || buf_failed(&m->d->abbrev))
		return err_nomem(err);
	if (m->d->info.len > UINT32_MAX / 2)
		return err_set(err, ERR_UNSUPPORTED, "more than 2 GB of type information");
	fix(m, nothing);
	patch_u32(&m->d->info, 0, (uint32_t)m->d->info.len - 4);
	return 0;
}

int dwarf_make(const struct btf *btf, const struct dwarf_var *vars, size_t nvars, const struct dwarf_patch *patches,
	       uint32_t thread_size, struct dwarf *ret, size_t *left_out, struct err *err)
{
	struct maker m = { .btf = btf, .d = ret, .patches = patches, .types = btf__type_cnt(btf) };
	const struct btf_header *h;
	uint32_t size;
	int rc;

	*ret = (struct dwarf){ 0 };
	h = btf__raw_data(btf, &size);
	m.strings = h ? h->str_len : 0;
	m.place = calloc(m.types + 1, sizeof(*m.place));
	m.str = calloc((size_t)m.strings + 1, sizeof(*m.str));
	rc = m.place && m.str ? make_all(&m, vars, nvars, thread_size, left_out, err) : err_nomem(err);
	free(m.place);
	free(m.str);
	free(m.fixups);
	if (rc)
		dwarf_deinit(ret);
	return rc;
}

void dwarf_deinit(struct dwarf *d)
{
	buf_deinit(&d->info);
	buf_deinit(&d->abbrev);
	buf_deinit(&d->str);
}
