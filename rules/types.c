// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * types.c - BTF ids to types, members, prototypes.
 *
 * A type is made once per BTF id; a pointer's target at once (a struct does not look at its members, so this ends).
 */
#include "rules/type.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/kbtf.h"

#define CACHE_SIZE 1024
#define CHAIN_MAX 64		/* typedefs and qualifiers in a row; a corrupt file may have a ring of them */
#define VISIT_MAX 1024		/* anonymous structs looked through for one member */

struct cached {
	struct cached *next;
	const struct btf *btf;
	uint32_t id;
	const struct type *type;
};

struct types {
	struct arena *arena;
	struct kbtf *kbtf;
	struct cached *cache[CACHE_SIZE];
	const struct btf *text;			/* of C text in the rule at hand */
	uint32_t depth;				/* pointers to pointers to ... being made */
	const struct type *void_type, *bool_type;
	const struct type *ints[4][2];		/* by log2(size), signed */
};

static const struct type *new_type(struct types *t, struct type init)
{
	struct type *type = arena_new(t->arena, struct type);

	*type = init;
	return type;
}

struct types *types_create(struct arena *a, struct kbtf *kbtf)
{
	struct types *t = arena_new(a, struct types);

	t->arena = a;
	t->kbtf = kbtf;
	t->void_type = new_type(t, (struct type){ .kind = TYPE_VOID, .name = "void" });
	t->bool_type = new_type(t, (struct type){ .kind = TYPE_BOOL, .size = 1, .name = "bool" });
	for (uint32_t i = 0; i < 4; i++) {
		for (int s = 0; s < 2; s++)
			t->ints[i][s] = new_type(t, (struct type){
				.kind = TYPE_INT, .size = 1u << i, .is_signed = s,
				.name = arena_printf(a, "%c%u", s ? 's' : 'u', 8u << i) });
	}
	return t;
}

void types_set_text(struct types *t, const struct btf *btf)
{
	t->text = btf;
}

/* A struct, union or typedef: of the text, else of the kernel. */
static uint32_t find_named(struct types *t, const char *name, uint32_t kind, const struct btf **btf)
{
	uint32_t id = t->text ? kbtf_find_in(t->text, name, kind) : 0;

	if (id) {
		*btf = t->text;
		return id;
	}
	return kbtf_find(t->kbtf, name, kind, btf);
}

const struct type *type_void(struct types *t)
{
	return t->void_type;
}

const struct type *type_bool(struct types *t)
{
	return t->bool_type;
}

const struct type *type_int(struct types *t, uint32_t size, bool is_signed)
{
	return t->ints[size >= 8 ? 3 : size >= 4 ? 2 : size >= 2 ? 1 : 0][is_signed];
}

const struct type *type_ptr(struct types *t, const struct type *target)
{
	return new_type(t, (struct type){ .kind = TYPE_PTR, .size = 8, .target = target });
}

const struct type *type_user_ptr(struct types *t, const struct type *target)
{
	return new_type(t, (struct type){ .kind = TYPE_PTR, .size = 8, .is_user = true, .target = target });
}

const struct type *type_str(struct types *t, uint32_t size)
{
	return new_type(t, (struct type){ .kind = TYPE_STR, .size = size });
}

/* What is passed on the way to a type. */
struct passed {
	uint32_t named;		/* the last typedef, by which an anonymous struct is known; 0: none */
	bool user;		/* a type tag "user" */
	bool be;		/* __be16 ... */
};

/* Through typedefs and qualifiers. */
static const struct btf_type *skip(const struct btf *btf, uint32_t *id, struct passed *passed)
{
	const struct btf_type *t = btf__type_by_id(btf, *id);

	for (int i = 0; t && i < CHAIN_MAX; i++) {
		if (btf_is_typedef(t)) {
			passed->named = *id;
			passed->be |= !strncmp(btf__str_by_offset(btf, t->name_off), "__be", 4);
		}
		else if (btf_kind(t) == BTF_KIND_TYPE_TAG)
			passed->user |= !strcmp(btf__str_by_offset(btf, t->name_off), "user");
		else if (!btf_is_mod(t))
			return t;
		*id = t->type;
		t = btf__type_by_id(btf, *id);
	}
	return NULL;
}

static const char *name_at(const struct btf *btf, uint32_t name_off)
{
	const char *s = name_off ? btf__str_by_offset(btf, name_off) : NULL;

	return s && *s ? s : NULL;
}

static const struct type *int_from_btf(struct types *t, const struct btf *btf, const struct btf_type *b, uint32_t id,
				       bool is_be)
{
	static const char *const be_names[] = { [2] = "__be16", [4] = "__be32", [8] = "__be64" };
	uint8_t encoding = btf_int_encoding(b);
	const char *name = name_at(btf, b->name_off);
	struct type type = {
		.kind = encoding & BTF_INT_BOOL ? TYPE_BOOL : TYPE_INT,
		.size = b->size, .is_signed = encoding & BTF_INT_SIGNED, .btf = btf, .btf_id = id, .name = name,
	};

	type.is_char = b->size == 1 && name && strstr(name, "char");
	if (is_be && b->size >= 2 && b->size <= 8 && be_names[b->size]) {
		type.is_be = true;
		type.name = be_names[b->size];
	}
	return new_type(t, type);
}

/* Pahole marks signed enums only since 1.24: a negative value tells as well. */
static bool enum_is_signed(const struct btf_type *b)
{
	if (btf_kflag(b))
		return true;
	for (uint32_t i = 0; btf_is_enum(b) && i < btf_vlen(b); i++) {
		if (btf_enum(b)[i].val < 0)
			return true;
	}
	return false;
}

static const struct type *array_from_btf(struct types *t, const struct btf *btf, const struct btf_type *b)
{
	const struct type *element = type_from_btf(t, btf, btf_array(b)->type);
	uint32_t n = btf_array(b)->nelems;

	return new_type(t, (struct type){ .kind = TYPE_ARRAY, .target = element, .nelems = n,
					  .size = element->size && n > UINT32_MAX / element->size ? 0 :
						  element->size * n });
}

/* A struct that is only declared here may be defined elsewhere. */
static const struct type *fwd_from_btf(struct types *t, const struct btf *btf, const struct btf_type *b, uint32_t id)
{
	bool is_union = btf_kflag(b);
	const char *name = name_at(btf, b->name_off);
	const struct btf *where;
	uint32_t def = name ? find_named(t, name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, &where) : 0;

	if (def)
		return type_from_btf(t, where, def);
	return new_type(t, (struct type){ .kind = TYPE_STRUCT, .is_union = is_union, .btf = btf, .btf_id = id,
					  .name = name });
}

static const struct type *make_from_btf(struct types *t, const struct btf *btf, uint32_t id)
{
	struct passed passed = { 0 };
	const struct btf_type *b = skip(btf, &id, &passed);
	struct type type = { .btf = btf, .btf_id = id, .is_user = passed.user, .from_text = t->text && btf == t->text };
	uint32_t target;

	if (!b || !id)
		return t->void_type;
	type.name = name_at(btf, b->name_off);
	type.size = b->size;
	switch (btf_kind(b)) {
	case BTF_KIND_INT:
		return int_from_btf(t, btf, b, id, passed.be);
	case BTF_KIND_PTR:
		target = b->type;
		skip(btf, &target, &passed);
		return new_type(t, (struct type){ .kind = TYPE_PTR, .size = 8, .is_user = passed.user,
						  .target = type_from_btf(t, btf, b->type) });
	case BTF_KIND_ARRAY:
		return array_from_btf(t, btf, b);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FLOAT:
		type.kind = TYPE_STRUCT;
		type.is_union = btf_is_union(b);
		if (!type.name && passed.named) {
			type.btf_id = passed.named;
			type.name = name_at(btf, btf__type_by_id(btf, passed.named)->name_off);
		}
		return new_type(t, type);
	case BTF_KIND_FWD:
		return fwd_from_btf(t, btf, b, id);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		type.kind = TYPE_ENUM;
		type.is_signed = enum_is_signed(b);
		return new_type(t, type);
	case BTF_KIND_FUNC_PROTO:
		return new_type(t, (struct type){ .kind = TYPE_FUNC, .btf = btf, .btf_id = id });
	default:
		return t->void_type;
	}
}

const struct type *type_from_btf(struct types *t, const struct btf *btf, uint32_t id)
{
	struct cached **head = &t->cache[(id ^ ((uintptr_t)btf >> 6)) % CACHE_SIZE], *c;

	for (c = *head; c; c = c->next) {
		if (c->btf == btf && c->id == id)
			return c->type ? c->type : t->void_type;
	}
	c = arena_new(t->arena, struct cached);
	c->btf = btf;
	c->id = id;
	c->next = *head;
	*head = c;
	t->depth++;
	c->type = t->depth > CHAIN_MAX ? t->void_type : make_from_btf(t, btf, id);
	t->depth--;
	return c->type;
}

/* C's own names, in the order in which their words may be sorted. */
static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} c_types[] = {
	{ "char", 1, true }, { "char signed", 1, true }, { "char unsigned", 1, false },
	{ "short", 2, true }, { "int short", 2, true }, { "short signed", 2, true }, { "int short signed", 2, true },
	{ "short unsigned", 2, false }, { "int short unsigned", 2, false },
	{ "int", 4, true }, { "signed", 4, true }, { "int signed", 4, true },
	{ "unsigned", 4, false }, { "int unsigned", 4, false },
	{ "long", 8, true }, { "int long", 8, true }, { "long signed", 8, true }, { "int long signed", 8, true },
	{ "long unsigned", 8, false }, { "int long unsigned", 8, false },
	{ "long long", 8, true }, { "int long long", 8, true }, { "long long signed", 8, true },
	{ "int long long signed", 8, true },
	{ "long long unsigned", 8, false }, { "int long long unsigned", 8, false },
	{ "u8", 1, false }, { "s8", 1, true }, { "u16", 2, false }, { "s16", 2, true }, { "u32", 4, false },
	{ "s32", 4, true }, { "u64", 8, false }, { "s64", 8, true },
	{ "__u8", 1, false }, { "__s8", 1, true }, { "__u16", 2, false }, { "__s16", 2, true },
	{ "__u32", 4, false }, { "__s32", 4, true }, { "__u64", 8, false }, { "__s64", 8, true },
	{ "uint8_t", 1, false }, { "int8_t", 1, true }, { "uint16_t", 2, false }, { "int16_t", 2, true },
	{ "uint32_t", 4, false }, { "int32_t", 4, true }, { "uint64_t", 8, false }, { "int64_t", 8, true },
	{ "size_t", 8, false }, { "ssize_t", 8, true }, { "uintptr_t", 8, false },
};

/* "unsigned long int" -> "int long unsigned"; false if that is too long for a C type. */
static bool sort_words(const char *name, char *sorted, size_t size)
{
	char copy[64], *words[8], *save = NULL, *w;
	size_t n = 0, len = 0;

	if (strlen(name) >= sizeof(copy))
		return false;
	strcpy(copy, name);
	for (w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		size_t i = n;

		if (n == sizeof(words) / sizeof(words[0]))
			return false;
		for (; i && strcmp(words[i - 1], w) > 0; i--)
			words[i] = words[i - 1];
		words[i] = w;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(sorted + len, size - len, "%s%s", i ? " " : "", words[i]);
	return n > 0;
}

static const struct type *c_type(struct types *t, const char *name)
{
	char sorted[80];

	if (!sort_words(name, sorted, sizeof(sorted)))
		return NULL;
	if (!strcmp(sorted, "void"))
		return t->void_type;
	if (!strcmp(sorted, "bool") || !strcmp(sorted, "_Bool"))
		return t->bool_type;
	for (size_t i = 0; i < sizeof(c_types) / sizeof(c_types[0]); i++) {
		if (strcmp(sorted, c_types[i].name))
			continue;
		if (strncmp(sorted, "char", 4))
			return type_int(t, c_types[i].size, c_types[i].is_signed);
		return new_type(t, (struct type){ .kind = TYPE_INT, .size = 1, .is_signed = c_types[i].is_signed,
						  .is_char = true, .name = "char" });
	}
	return NULL;
}

static const struct {
	const char *prefix;
	uint32_t kind;
} tags[] = {
	{ "struct ", BTF_KIND_STRUCT }, { "union ", BTF_KIND_UNION }, { "enum ", BTF_KIND_ENUM },
	{ "enum ", BTF_KIND_ENUM64 },
};

const struct type *type_by_name(struct types *t, const char *name)
{
	const struct type *type = c_type(t, name);
	const struct btf *btf;
	uint32_t id;

	if (type)
		return type;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t len = strlen(tags[i].prefix);

		if (strncmp(name, tags[i].prefix, len))
			continue;
		id = find_named(t, name + len, tags[i].kind, &btf);
		if (id)
			return type_from_btf(t, btf, id);
	}
	id = kbtf_find(t->kbtf, name, BTF_KIND_TYPEDEF, &btf);
	return id ? type_from_btf(t, btf, id) : NULL;
}

const char *type_nearest(struct types *t, const char *name)
{
	struct nearest n;
	const struct btf *btf;

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t len = strlen(tags[i].prefix);

		if (strncmp(name, tags[i].prefix, len))
			continue;
		n = nearest_init(arena_strdup(t->arena, name + len));
		kbtf_offer_names(t->kbtf, tags[i].kind, &n);
		if (nearest_best(&n))
			return arena_printf(t->arena, "%s%s", tags[i].prefix, nearest_best(&n));
	}
	/* "inode" for "struct inode" is the common slip. */
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!strchr(name, ' ') && kbtf_find(t->kbtf, name, tags[i].kind, &btf))
			return arena_printf(t->arena, "%s%s", tags[i].prefix, name);
	}
	n = nearest_init(arena_strdup(t->arena, name));
	kbtf_offer_names(t->kbtf, BTF_KIND_TYPEDEF, &n);
	return nearest_best(&n);
}

static const struct btf_type *struct_of(const struct type *st)
{
	struct passed passed = { 0 };
	uint32_t id = st->btf_id;
	const struct btf_type *b;

	if (!st->btf)
		return NULL;
	b = skip(st->btf, &id, &passed);
	return b && btf_is_composite(b) ? b : NULL;
}

/* Bit-fields of old BTF are in the integer's own offset and width. */
static void place_member(struct types *t, const struct btf *btf, const struct btf_type *b, uint32_t i,
			 struct type_member *m)
{
	uint32_t id = btf_members(b)[i].type;
	struct passed passed = { 0 };
	const struct btf_type *type;

	m->type = type_from_btf(t, btf, id);
	m->bit_off += btf_member_bit_offset(b, i);
	m->bit_size = btf_member_bitfield_size(b, i);
	type = skip(btf, &id, &passed);
	if (!m->bit_size && type && btf_is_int(type) && btf_int_bits(type) != type->size * 8) {
		m->bit_off += btf_int_offset(type);
		m->bit_size = btf_int_bits(type);
	}
}

struct member_search {
	struct types *types;
	const struct btf *btf;
	const char *name;
	struct nearest *nearest;	/* instead of finding: offer all */
	struct type_member *ret;
	uint32_t visits;
};

static bool search_members(struct member_search *s, const struct btf_type *b, uint32_t bit_off)
{
	for (uint32_t i = 0; i < btf_vlen(b); i++) {
		const struct btf_member *m = &btf_members(b)[i];
		const char *name = name_at(s->btf, m->name_off);
		struct passed passed = { 0 };
		const struct btf_type *inner;
		uint32_t id = m->type;

		if (name && s->nearest) {
			nearest_offer(s->nearest, name);
		} else if (name && !strcmp(name, s->name)) {
			*s->ret = (struct type_member){ .name = name, .bit_off = bit_off };
			place_member(s->types, s->btf, b, i, s->ret);
			return true;
		}
		if (name || ++s->visits > VISIT_MAX)
			continue;
		inner = skip(s->btf, &id, &passed);
		if (inner && btf_is_composite(inner) &&
		    search_members(s, inner, bit_off + btf_member_bit_offset(b, i)))
			return true;
	}
	return false;
}

bool type_find_member(struct types *t, const struct type *st, const char *name, struct type_member *ret)
{
	struct member_search s = { .types = t, .btf = st->btf, .name = name, .ret = ret };
	const struct btf_type *b = struct_of(st);

	return b && search_members(&s, b, 0);
}

bool type_member(struct types *t, const struct type *st, uint32_t n, struct type_member *ret)
{
	const struct btf_type *b = struct_of(st);
	const char *name;

	if (!b || n >= btf_vlen(b))
		return false;
	name = btf__str_by_offset(st->btf, btf_members(b)[n].name_off);
	*ret = (struct type_member){ .type = type_from_btf(t, st->btf, btf_members(b)[n].type), .name = *name ? name : NULL,
				     .bit_off = btf_member_bit_offset(b, n), .bit_size = btf_member_bitfield_size(b, n) };
	return true;
}

const char *type_nearest_member(struct types *t, const struct type *st, const char *name)
{
	struct nearest n = nearest_init(name);
	struct member_search s = { .types = t, .btf = st->btf, .name = name, .nearest = &n };
	const struct btf_type *b = struct_of(st);

	if (b)
		search_members(&s, b, 0);
	return nearest_best(&n);
}

bool type_enumerator(const struct type *e, uint32_t n, const char **name, int64_t *value)
{
	const struct btf_type *b = e->btf ? btf__type_by_id(e->btf, e->btf_id) : NULL;

	if (!b || n >= btf_vlen(b))
		return false;
	*name = btf__str_by_offset(e->btf, btf_is_enum(b) ? btf_enum(b)[n].name_off : btf_enum64(b)[n].name_off);
	*value = btf_is_enum(b) ? btf_enum(b)[n].val : (int64_t)btf_enum64_value(&btf_enum64(b)[n]);
	return true;
}

bool type_enum_value(const struct type *e, const char *name, int64_t *ret)
{
	const char *found;

	for (uint32_t i = 0; type_enumerator(e, i, &found, ret); i++) {
		if (!strcmp(found, name))
			return true;
	}
	return false;
}

bool type_proto_param(struct types *t, const struct btf *btf, uint32_t proto_id, uint32_t n, const char **name,
		      const struct type **type)
{
	const struct btf_type *b = btf__type_by_id(btf, proto_id);

	if (!b || !btf_is_func_proto(b) || n >= btf_vlen(b) || !btf_params(b)[n].type)
		return false;
	*name = name_at(btf, btf_params(b)[n].name_off);
	*type = type_from_btf(t, btf, btf_params(b)[n].type);
	return true;
}

const struct type *type_proto_ret(struct types *t, const struct btf *btf, uint32_t proto_id)
{
	const struct btf_type *b = btf__type_by_id(btf, proto_id);

	return b && btf_is_func_proto(b) ? type_from_btf(t, btf, b->type) : t->void_type;
}

bool type_same(const struct type *a, const struct type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->size != b->size || a->is_signed != b->is_signed)
		return false;
	switch (a->kind) {
	case TYPE_PTR:
		return a->is_user == b->is_user && type_same(a->target, b->target);
	case TYPE_ARRAY:
		return a->nelems == b->nelems && type_same(a->target, b->target);
	case TYPE_STRUCT:
		if (a->is_union != b->is_union)
			return false;
		if (a->name && b->name)
			return !strcmp(a->name, b->name);
		return a->btf == b->btf && a->btf_id == b->btf_id;
	case TYPE_ENUM:
		return !a->name || !b->name || !strcmp(a->name, b->name);
	default:
		return true;
	}
}

const char *type_text(struct arena *a, const struct type *t)
{
	const char *tag = t->kind == TYPE_ENUM ? "enum " : t->is_union ? "union " : "struct ";
	const char *target;

	switch (t->kind) {
	case TYPE_PTR:
		target = type_text(a, t->target);
		return arena_printf(a, "%s%s*", target, target[strlen(target) - 1] == '*' ? "" : " ");
	case TYPE_ARRAY:
		return arena_printf(a, "%s[%u]", type_text(a, t->target), t->nelems);
	case TYPE_STRUCT:
	case TYPE_ENUM:
		return arena_printf(a, "%s%s", tag, t->name ? t->name : "{...}");
	case TYPE_FUNC:
		return "function";
	case TYPE_STR:
		return "string";
	default:
		return t->name ? t->name : "?";
	}
}
