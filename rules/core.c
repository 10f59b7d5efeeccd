// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/core.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"

struct core_struct;

struct core_field {
	const char *name;
	const struct type *type;
	uint32_t bit_size;		/* 0: not a bit-field */
	uint32_t offset;		/* local, bytes; set by layout */
	uint32_t index;
	uint64_t value;			/* of an enumerator */
};

struct core_struct {
	struct core_struct *next;
	const struct type *type;	/* of the kernel */
	const char *name;		/* local: the kernel's, with ___N where two share it; NULL: anonymous */
	struct core_field **fields;
	uint32_t nfields;
	uint32_t size;
	int id;				/* in the object's BTF; 0 until emitted */
};

struct core_path {
	struct core_field *field;	/* NULL: array element */
	uint32_t index;
	const struct type *elem;
};

struct core_access {
	struct core_types *types;
	struct core_struct *root;
	struct core_path *path;
	uint32_t n;			/* 0: the root itself */
	const struct type *type;	/* what it leads to */
};

struct core_types {
	struct arena *arena;
	struct core_struct *structs, **tail;
	int int_ids[2][2][4];		/* [bool][signed][log2 size] */
	int enum_ids[4];		/* [log2 size] */
	int ptr_id;
};

struct core_types *core_types_new(struct arena *a)
{
	struct core_types *ct = arena_new(a, struct core_types);

	ct->arena = a;
	ct->tail = &ct->structs;
	return ct;
}

static struct core_struct *core_struct_get(struct core_types *ct, const struct type *type)
{
	uint32_t same_name = 0;
	struct core_struct *s;

	for (s = ct->structs; s; s = s->next) {
		if (s->type->btf == type->btf && s->type->btf_id == type->btf_id)
			return s;
		if (type->name && s->type->name && !strcmp(s->type->name, type->name))
			same_name++;
	}
	s = arena_new(ct->arena, struct core_struct);
	s->type = type;
	s->name = type->name;
	if (same_name)
		s->name = arena_printf(ct->arena, "%s___%u", type->name, same_name + 1);
	*ct->tail = s;
	ct->tail = &s->next;
	return s;
}

/* A field or enumerator by its name, added if it is new. */
static struct core_field *core_field_get(struct core_types *ct, struct core_struct *s, const char *name,
					 const struct type *type)
{
	struct core_field *f;

	for (uint32_t i = 0; i < s->nfields; i++) {
		if (!strcmp(s->fields[i]->name, name))
			return s->fields[i];
	}
	f = arena_new(ct->arena, struct core_field);
	f->name = name;
	f->type = type;
	f->index = s->nfields;
	s->fields = arena_grow(ct->arena, s->fields, s->nfields, sizeof(*s->fields));
	s->fields[s->nfields++] = f;
	return f;
}

static struct core_access *access_new(struct core_types *ct, const struct type *root, uint32_t nsteps)
{
	struct core_access *access = arena_new(ct->arena, struct core_access);

	access->types = ct;
	access->root = core_struct_get(ct, root);
	access->path = arena_array(ct->arena, nsteps + 1, sizeof(*access->path));
	access->n = nsteps;
	access->type = root;
	return access;
}

const struct core_access *core_type(struct core_types *ct, const struct type *type)
{
	return access_new(ct, type, 0);
}

const struct core_access *core_enumerator(struct core_types *ct, const struct type *type, const char *name,
					  uint64_t value)
{
	struct core_access *access = access_new(ct, type, 1);

	access->path[0].field = core_field_get(ct, access->root, name, type);
	access->path[0].field->value = value;
	return access;
}

const struct core_access *core_access(struct core_types *ct, const struct type *root, const struct core_step *steps,
				      uint32_t nsteps)
{
	struct core_access *access = access_new(ct, root, nsteps);
	struct core_struct *s = access->root;

	access->type = steps[nsteps - 1].type;
	for (uint32_t i = 0; i < nsteps; i++) {
		struct core_path *p = &access->path[i];

		if (steps[i].member) {
			p->field = core_field_get(ct, s, steps[i].member->name, steps[i].type);
			p->field->bit_size = steps[i].member->bit_size;
		} else {
			p->index = steps[i].index;
			p->elem = steps[i].type;
		}
		if (steps[i].type->kind == TYPE_STRUCT)
			s = core_struct_get(ct, steps[i].type);
	}
	return access;
}

/* Size of a type in the local layout, in which structs hold only the members used. */
static uint32_t local_size(struct core_types *ct, const struct type *t);

/* Place the members one after the other, each at a multiple of 8. */
static void core_layout(struct core_types *ct, struct core_struct *s)
{
	uint32_t at = 0, size;

	if (s->type->kind == TYPE_ENUM)
		return;
	for (uint32_t i = 0; i < s->nfields; i++) {
		size = (local_size(ct, s->fields[i]->type) + 7) & ~7u;
		s->fields[i]->offset = s->type->is_union ? 0 : at;
		if (!s->type->is_union)
			at += size;
		else if (size > at)
			at = size;
	}
	s->size = at;
}

static uint32_t local_size(struct core_types *ct, const struct type *t)
{
	struct core_struct *s;

	if (t->kind == TYPE_ARRAY)
		return t->nelems * local_size(ct, t->target);
	if (t->kind != TYPE_STRUCT)
		return t->size;
	s = core_struct_get(ct, t);
	core_layout(ct, s);
	return s->size;
}

static int log2_size(uint32_t size)
{
	return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
}

static int emit_int(struct core_types *ct, struct btf *btf, const struct type *t)
{
	bool is_bool = t->kind == TYPE_BOOL;
	int *id = &ct->int_ids[is_bool][t->is_signed][log2_size(t->size)];
	char name[16];

	if (!*id) {
		snprintf(name, sizeof(name), "%s%u", is_bool ? "b" : t->is_signed ? "s" : "u", t->size * 8);
		*id = btf__add_int(btf, name, t->size, is_bool ? BTF_INT_BOOL : t->is_signed ? BTF_INT_SIGNED : 0);
	}
	return *id;
}

/*
 * An enum of which only the size matters. It needs an enumerator: without one it is a declaration, and the linker takes
 * all nameless declared enums for the same, whatever their size.
 */
static int emit_size(struct core_types *ct, struct btf *btf, uint32_t size)
{
	int *id = &ct->enum_ids[log2_size(size)];

	if (!*id) {
		*id = btf__add_enum(btf, NULL, size);
		btf__add_enum_value(btf, arena_printf(ct->arena, "df_enum_of_%u", size), 0);
	}
	return *id;
}

static int emit_struct(struct core_types *ct, struct btf *btf, struct core_struct *s);

/* The id of a local type that CO-RE finds compatible with the kernel's. */
static int emit_type(struct core_types *ct, struct btf *btf, const struct type *t)
{
	int id;

	switch (t->kind) {
	case TYPE_PTR:
	case TYPE_FUNC:
		if (!ct->ptr_id)
			ct->ptr_id = btf__add_ptr(btf, 0);
		return ct->ptr_id;
	case TYPE_ENUM:
		return emit_size(ct, btf, t->size);
	case TYPE_ARRAY:
		id = emit_type(ct, btf, t->target);
		if (id < 0)
			return id;
		return btf__add_array(btf, ct->int_ids[0][0][2] ? ct->int_ids[0][0][2] : id, id, t->nelems);
	case TYPE_STRUCT:
		return emit_struct(ct, btf, core_struct_get(ct, t));
	default:
		return emit_int(ct, btf, t);
	}
}

/* An enum that is asked for by its name, with the enumerators used. */
static int emit_enum(struct btf *btf, struct core_struct *s)
{
	bool wide = s->type->size > 4;
	int err = 0;

	s->id = wide ? btf__add_enum64(btf, s->name, s->type->size, s->type->is_signed) :
		       btf__add_enum(btf, s->name, s->type->size);
	for (uint32_t i = 0; i < s->nfields && s->id > 0 && !err; i++)
		err = wide ? btf__add_enum64_value(btf, s->fields[i]->name, s->fields[i]->value) :
			     btf__add_enum_value(btf, s->fields[i]->name, (int64_t)s->fields[i]->value);
	return err ? err : s->id;
}

static bool is_typedef(const struct type *t)
{
	const struct btf_type *bt = t->btf ? btf__type_by_id(t->btf, t->btf_id) : NULL;

	return bt && btf_is_typedef(bt);
}

/* Types that the members need come first, the struct after them. */
static int emit_struct(struct core_types *ct, struct btf *btf, struct core_struct *s)
{
	const char *name = is_typedef(s->type) ? NULL : s->name;
	int *ids, id, err = 0;

	if (s->id)
		return s->id;
	if (s->type->kind == TYPE_ENUM)
		return emit_enum(btf, s);
	ids = arena_array(ct->arena, s->nfields + 1, sizeof(*ids));
	for (uint32_t i = 0; i < s->nfields; i++) {
		ids[i] = emit_type(ct, btf, s->fields[i]->type);
		if (ids[i] < 0)
			return ids[i];
	}
	id = s->type->is_union ? btf__add_union(btf, name, s->size) : btf__add_struct(btf, name, s->size);
	for (uint32_t i = 0; i < s->nfields && id > 0 && !err; i++)
		err = btf__add_field(btf, s->fields[i]->name, ids[i], s->fields[i]->offset * 8,
				     s->fields[i]->bit_size);
	if (id > 0 && !err && is_typedef(s->type))
		id = btf__add_typedef(btf, s->name, id);
	s->id = err ? err : id;
	return s->id;
}

int core_types_emit(struct core_types *ct, struct btf *btf)
{
	static const struct type u32_type = { .kind = TYPE_INT, .size = 4 };
	int id;

	emit_int(ct, btf, &u32_type);
	for (struct core_struct *s = ct->structs; s; s = s->next)
		core_layout(ct, s);
	for (struct core_struct *s = ct->structs; s; s = s->next) {
		id = emit_struct(ct, btf, s);
		if (id < 0)
			return id;
	}
	return 0;
}

static const struct core_field *last_field(const struct core_access *access)
{
	return access->n ? access->path[access->n - 1].field : NULL;
}

bool core_is_member(const struct core_access *access)
{
	return last_field(access) != NULL;
}

bool core_is_bitfield(const struct core_access *access)
{
	const struct core_field *f = last_field(access);

	return f && f->bit_size;
}

static uint32_t local_offset(const struct core_access *access)
{
	uint32_t off = 0;

	for (uint32_t i = 0; i < access->n; i++) {
		const struct core_path *p = &access->path[i];

		off += p->field ? p->field->offset : p->index * local_size(access->types, p->elem);
	}
	return off;
}

uint32_t core_local_value(const struct core_access *access, uint32_t kind)
{
	const struct core_field *f = last_field(access);
	uint32_t size = local_size(access->types, access->type);
	uint32_t bits = f && f->bit_size ? f->bit_size : size * 8;

	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		return local_offset(access);
	case BPF_CORE_FIELD_BYTE_SIZE:
	case BPF_CORE_TYPE_SIZE:
		return size;
	case BPF_CORE_FIELD_LSHIFT_U64:
	case BPF_CORE_FIELD_RSHIFT_U64:
		return 64 - bits;
	case BPF_CORE_FIELD_EXISTS:
	case BPF_CORE_TYPE_EXISTS:
		return 1;
	default:
		return 0;
	}
}

uint32_t core_root_id(const struct core_access *access)
{
	return (uint32_t)access->root->id;
}

const char *core_spec(struct core_types *ct, const struct core_access *access)
{
	char *spec = arena_strdup(ct->arena, "0");

	/* an enumerator's is its number alone */
	if (access->root->type->kind == TYPE_ENUM && access->n)
		return arena_printf(ct->arena, "%u", access->path[0].field->index);
	for (uint32_t i = 0; i < access->n; i++) {
		const struct core_path *p = &access->path[i];

		spec = arena_printf(ct->arena, "%s:%u", spec, p->field ? p->field->index : p->index);
	}
	return spec;
}

void core_access_print(const struct core_access *access, uint32_t kind, FILE *out)
{
	static const char *const kinds[] = {
		[BPF_CORE_FIELD_BYTE_OFFSET] = "offset of ", [BPF_CORE_FIELD_BYTE_SIZE] = "size of ",
		[BPF_CORE_FIELD_EXISTS] = "exists ", [BPF_CORE_FIELD_SIGNED] = "signed ",
		[BPF_CORE_FIELD_LSHIFT_U64] = "lshift of ", [BPF_CORE_FIELD_RSHIFT_U64] = "rshift of ",
		[BPF_CORE_TYPE_EXISTS] = "exists ", [BPF_CORE_TYPE_SIZE] = "size of ",
		[BPF_CORE_ENUMVAL_VALUE] = "value of ",
	};
	bool known = kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind];

	fprintf(out, "%s%s", known ? kinds[kind] : "", access->root->name ? access->root->name : "(anonymous)");
	for (uint32_t i = 0; i < access->n; i++) {
		if (access->path[i].field)
			fprintf(out, ".%s", access->path[i].field->name);
		else
			fprintf(out, "[%u]", access->path[i].index);
	}
}
