// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/dwarf_types.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

void dwarf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	buf_add(b, bytes, sizeof(bytes));
}

void dwarf_put_sleb(struct buf *b, int64_t v)
{
	while (v < -64 || v > 63) {
		buf_putc(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_putc(b, (char)(v & 0x7f));
}

void dwarf_put_text(struct dwarf_maker *m, const char *s)
{
	dwarf_put_u32(&m->d->info, (uint32_t)m->d->str.len);
	buf_add(&m->d->str, s, strlen(s) + 1);
}

/* A BTF string, once. */
static void put_name(struct dwarf_maker *m, uint32_t offset)
{
	const char *s = btf__str_by_offset(m->btf, offset);

	s = s ? s : "";
	if (offset >= m->strings) {
		dwarf_put_text(m, s);
		return;
	}
	if (!m->str[offset]) {
		m->str[offset] = (uint32_t)m->d->str.len + 1;
		buf_add(&m->d->str, s, strlen(s) + 1);
	}
	dwarf_put_u32(&m->d->info, m->str[offset] - 1);
}

static void put_ref(struct dwarf_maker *m, uint32_t id)
{
	struct dwarf_fixup *grown;

	if (m->nfixups == m->room) {
		grown = realloc(m->fixups, (m->room * 2 + 1024) * sizeof(*grown));
		if (!grown) {
			m->failed = true;
			return;
		}
		m->fixups = grown;
		m->room = m->room * 2 + 1024;
	}
	m->fixups[m->nfixups++] = (struct dwarf_fixup){ .at = (uint32_t)m->d->info.len, .id = id };
	dwarf_put_u32(&m->d->info, 0);
}

void dwarf_put_entry(struct dwarf_maker *m, enum abbrev ab)
{
	dwarf_put_uleb(&m->d->info, ab);
}

void dwarf_end_children(struct dwarf_maker *m)
{
	buf_putc(&m->d->info, 0);
}

static void put_int(struct dwarf_maker *m, const struct btf_type *t)
{
	uint8_t flags = btf_int_encoding(t), encoding;

	if (flags & BTF_INT_BOOL)
		encoding = DW_ATE_boolean;
	else if (t->size == 1)
		encoding = flags & BTF_INT_SIGNED ? DW_ATE_signed_char : DW_ATE_unsigned_char;
	else
		encoding = flags & BTF_INT_SIGNED ? DW_ATE_signed : DW_ATE_unsigned;
	dwarf_put_entry(m, AB_BASE);
	put_name(m, t->name_off);
	buf_putc(&m->d->info, (char)t->size);
	buf_putc(&m->d->info, (char)encoding);
}

/*
 * Mark the struct that has the member: this one, or an anonymous one in it (of mm_struct, nearly all members are in one).
 */
static void mark_holder(struct dwarf_maker *m, uint32_t id, const char *member, int depth)
{
	const struct btf_type *t = btf__type_by_id(m->btf, id);

	if (!t || !btf_is_composite(t))
		return;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *x = btf_members(t) + i;
		const char *name = btf__str_by_offset(m->btf, x->name_off);

		if (name && !strcmp(name, member))
			m->patched[id] = 1;
		if (!x->name_off && depth && x->type < m->types)
			mark_holder(m, x->type, member, depth - 1);
	}
}

void dwarf_mark_renamed(struct dwarf_maker *m)
{
	const struct btf_type *t;
	const char *name;

	for (const struct dwarf_patch *p = m->in->patches; p->type; p++) {
		for (uint32_t id = 1; p->kind == DWARF_RENAME && id < m->types; id++) {
			t = btf__type_by_id(m->btf, id);
			name = btf_is_struct(t) ? btf__str_by_offset(m->btf, t->name_off) : NULL;
			if (name && !strcmp(name, p->type))
				mark_holder(m, id, p->member, 4);
		}
	}
}

/* The name under which a member is shown: see compat.h. */
static const char *renamed(struct dwarf_maker *m, uint32_t id, const struct btf_member *member)
{
	const char *name = m->patched[id] ? btf__str_by_offset(m->btf, member->name_off) : NULL;

	for (const struct dwarf_patch *p = m->in->patches; name && p->type; p++)
		if (p->kind == DWARF_RENAME && !strcmp(name, p->member))
			return p->as;
	return NULL;
}

static void put_member(struct dwarf_maker *m, uint32_t id, uint32_t i)
{
	const struct btf_type *t = btf__type_by_id(m->btf, id);
	const struct btf_member *member = btf_members(t) + i;
	uint32_t bits = btf_member_bitfield_size(t, i), offset = btf_member_bit_offset(t, i);
	const char *as = renamed(m, id, member);

	if (bits)
		dwarf_put_entry(m, member->name_off ? AB_BITFIELD : AB_BITFIELD_ANON);
	else
		dwarf_put_entry(m, member->name_off ? AB_MEMBER : AB_MEMBER_ANON);
	if (as)
		dwarf_put_text(m, as);
	else if (member->name_off)
		put_name(m, member->name_off);
	put_ref(m, member->type);
	if (bits) {
		buf_putc(&m->d->info, (char)bits);
		dwarf_put_uleb(&m->d->info, offset);
	} else {
		dwarf_put_uleb(&m->d->info, offset / 8);
	}
}

/* Members that older kernels had, at the places where their values are now. */
static void put_added(struct dwarf_maker *m, const struct dwarf_patch *p)
{
	uint32_t id = dwarf_find_type(m, p->as, strlen(p->as));

	if (!id)
		return;
	dwarf_put_entry(m, AB_MEMBER);
	dwarf_put_text(m, p->member);
	put_ref(m, id);
	dwarf_put_uleb(&m->d->info, p->value);
}

static void put_composite(struct dwarf_maker *m, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(m->btf, id);
	const char *name = btf__str_by_offset(m->btf, t->name_off);
	bool is_struct = btf_is_struct(t);
	uint32_t size = t->size;

	for (const struct dwarf_patch *p = m->in->patches; p->type && name; p++)
		if (p->kind == DWARF_RESIZE && is_struct && !strcmp(name, p->type))
			size = p->value;
	if (t->name_off) {
		dwarf_put_entry(m, is_struct ? AB_STRUCT : AB_UNION);
		put_name(m, t->name_off);
	} else {
		dwarf_put_entry(m, is_struct ? AB_STRUCT_ANON : AB_UNION_ANON);
	}
	dwarf_put_uleb(&m->d->info, size);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		put_member(m, id, i);
	for (const struct dwarf_patch *p = m->in->patches; p->type && name; p++)
		if (p->kind == DWARF_ADD && is_struct && !strcmp(name, p->type))
			put_added(m, p);
	dwarf_end_children(m);
}

static void put_array(struct dwarf_maker *m, const struct btf_type *t)
{
	const struct btf_array *a = btf_array(t);

	dwarf_put_entry(m, AB_ARRAY);
	put_ref(m, a->type);
	dwarf_put_entry(m, a->nelems ? AB_SUBRANGE : AB_SUBRANGE_OPEN);
	if (a->nelems)
		dwarf_put_uleb(&m->d->info, a->nelems);
	dwarf_end_children(m);
}

static void put_enum(struct dwarf_maker *m, const struct btf_type *t)
{
	bool is64 = btf_is_enum64(t);

	if (!btf_vlen(t) && t->name_off) {
		dwarf_put_entry(m, AB_ENUM_DECL);
		put_name(m, t->name_off);
		return;
	}
	dwarf_put_entry(m, t->name_off ? AB_ENUM : AB_ENUM_ANON);
	if (t->name_off)
		put_name(m, t->name_off);
	buf_putc(&m->d->info, (char)t->size);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		dwarf_put_entry(m, AB_ENUMERATOR);
		put_name(m, is64 ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off);
		if (is64)
			dwarf_put_sleb(&m->d->info, (int64_t)btf_enum64_value(&btf_enum64(t)[i]));
		else
			dwarf_put_sleb(&m->d->info, btf_enum(t)[i].val);
	}
	dwarf_end_children(m);
}

static void put_proto(struct dwarf_maker *m, const struct btf_type *t)
{
	const struct btf_param *p = btf_params(t);

	dwarf_put_entry(m, t->type ? AB_FUNC : AB_FUNC_VOID);
	if (t->type)
		put_ref(m, t->type);
	for (uint32_t i = 0; i < btf_vlen(t); i++, p++) {
		dwarf_put_entry(m, p->type ? AB_PARAM : AB_ELLIPSIS);
		if (p->type)
			put_ref(m, p->type);
	}
	dwarf_end_children(m);
}

/* const, volatile, restrict, typedef, pointer: something of another type. */
static void put_modifier(struct dwarf_maker *m, const struct btf_type *t)
{
	static const uint8_t forms[][2] = {
		[BTF_KIND_PTR] = { AB_POINTER, AB_POINTER_VOID },
		[BTF_KIND_TYPEDEF] = { AB_TYPEDEF, AB_TYPEDEF_VOID },
		[BTF_KIND_CONST] = { AB_CONST, AB_CONST_VOID },
		[BTF_KIND_VOLATILE] = { AB_VOLATILE, AB_VOLATILE_VOID },
		[BTF_KIND_RESTRICT] = { AB_RESTRICT, AB_CONST_VOID },
	};

	dwarf_put_entry(m, forms[btf_kind(t)][!t->type]);
	if (btf_is_typedef(t))
		put_name(m, t->name_off);
	if (btf_is_ptr(t))
		buf_putc(&m->d->info, 8);
	if (t->type)
		put_ref(m, t->type);
}

void dwarf_put_type(struct dwarf_maker *m, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(m->btf, id);

	m->place[id] = (uint32_t)m->d->info.len;
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		put_int(m, t);
		break;
	case BTF_KIND_FLOAT:
		dwarf_put_entry(m, AB_BASE);
		put_name(m, t->name_off);
		buf_putc(&m->d->info, (char)t->size);
		buf_putc(&m->d->info, DW_ATE_float);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		put_composite(m, id);
		break;
	case BTF_KIND_ARRAY:
		put_array(m, t);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		put_enum(m, t);
		break;
	case BTF_KIND_FWD:
		dwarf_put_entry(m, btf_kflag(t) ? AB_UNION_DECL : AB_STRUCT_DECL);
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
uint32_t dwarf_place_of(const struct dwarf_maker *m, uint32_t id)
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

uint32_t dwarf_find_type(const struct dwarf_maker *m, const char *text, size_t len)
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
