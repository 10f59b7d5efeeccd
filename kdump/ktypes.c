// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/ktypes.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define DEPTH_MAX 16		/* typedefs and qualifiers in a row, anonymous structs in each other */
#define VISITS_MAX 65536	/* members looked at for one lookup */
#define MEMBER_SIZE_MAX (1u << 28)

/* One named struct, union or typedef. */
struct slot {
	uint32_t hash;
	uint32_t id;
};

struct ktypes {
	struct btf *btf;
	struct slot *slots;	/* open addressing, a power of two, at most half full */
	uint32_t mask;
};

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h;
}

static bool is_indexed(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_typedef(t) || btf_is_enum(t);
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

static int build_index(struct ktypes *t, struct err *err)
{
	uint32_t count = btf__type_cnt(t->btf), named = 0, cap = 16, i;
	const struct btf_type *type;
	const char *name;
	uint32_t h;

	for (uint32_t id = 1; id < count; id++) {
		type = btf__type_by_id(t->btf, id);
		named += is_indexed(type) && type->name_off;
	}
	while (cap < named * 2)
		cap *= 2;
	t->slots = calloc(cap, sizeof(*t->slots));
	if (!t->slots)
		return err_nomem(err);
	t->mask = cap - 1;
	for (uint32_t id = 1; id < count; id++) {
		type = btf__type_by_id(t->btf, id);
		if (!is_indexed(type) || !type->name_off)
			continue;
		name = name_of(t->btf, type->name_off);
		h = hash_name(name);
		for (i = h & t->mask; t->slots[i].id; i = (i + 1) & t->mask)
			;
		t->slots[i] = (struct slot){ .hash = h, .id = id };
	}
	return 0;
}

struct ktypes *ktypes_create(const void *data, size_t size, struct err *err)
{
	struct ktypes *t = calloc(1, sizeof(*t));
	libbpf_print_fn_t print;

	if (!t) {
		err_nomem(err);
		return NULL;
	}
	print = libbpf_set_print(NULL);		/* damage is reported by us, not on stderr */
	t->btf = btf__new(data, (uint32_t)size);
	libbpf_set_print(print);
	if (!t->btf)
		err_set(err, ERR_CORRUPT, "type information (BTF, %zu bytes) is damaged", size);
	else if (!build_index(t, err))
		return t;
	ktypes_destroy(t);
	return NULL;
}

void ktypes_destroy(struct ktypes *t)
{
	if (!t)
		return;
	btf__free(t->btf);
	free(t->slots);
	free(t);
}

const struct btf *ktypes_btf(const struct ktypes *t)
{
	return t->btf;
}

/* Through typedefs and qualifiers; NULL when they do not end. */
static const struct btf_type *skip_mods(const struct ktypes *t, uint32_t *id)
{
	const struct btf_type *type = btf__type_by_id(t->btf, *id);

	for (int i = 0; type && i < DEPTH_MAX; i++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type;
		*id = type->type;
		type = btf__type_by_id(t->btf, *id);
	}
	return NULL;
}

/* State of one lookup: what was found, and the bound on the work. */
struct search {
	const struct ktypes *t;
	uint32_t id;		/* type of the member */
	uint64_t bit;		/* its place in bits */
	uint8_t bits;		/* its width if a bit-field */
	int visits;
};

/* Find the member name[0..len) of struct type, also in anonymous members. */
static bool find_in(struct search *s, const struct btf_type *type, const char *name, size_t len, int depth)
{
	const struct btf_member *m = btf_members(type);
	const struct btf_type *inner;
	uint64_t base = s->bit;
	const char *have;
	uint32_t id;

	for (uint32_t i = 0; i < btf_vlen(type); i++, m++) {
		if (s->visits-- <= 0)
			return false;
		have = name_of(s->t->btf, m->name_off);
		s->bit = base + btf_member_bit_offset(type, i);
		if (!strncmp(have, name, len) && !have[len]) {
			s->id = m->type;
			s->bits = (uint8_t)btf_member_bitfield_size(type, i);
			return true;
		}
		if (*have || depth <= 0)
			continue;
		id = m->type;
		inner = skip_mods(s->t, &id);
		if (inner && btf_is_composite(inner) && find_in(s, inner, name, len, depth - 1))
			return true;
	}
	s->bit = base;
	return false;
}

/* The variable name[0..len) of a data section. */
static bool find_var(struct search *s, const struct btf_type *sec, const char *name, size_t len)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(sec);
	const struct btf_type *var;
	const char *have;

	for (uint32_t i = 0; i < btf_vlen(sec); i++, v++) {
		var = btf__type_by_id(s->t->btf, v->type);
		if (!var || !btf_is_var(var))
			continue;
		have = name_of(s->t->btf, var->name_off);
		if (!strncmp(have, name, len) && !have[len]) {
			s->id = var->type;
			s->bit += 8 * (uint64_t)v->offset;
			return true;
		}
	}
	return false;
}

/* Follow the path from type id; fills *ret. False: no such member. */
static bool follow(const struct ktypes *t, uint32_t id, const char *path, struct kmember *ret)
{
	struct search s = { .t = t, .id = id, .visits = VISITS_MAX };
	const struct btf_type *type;
	long long size;
	size_t len;
	bool found;

	while (*path) {
		len = strcspn(path, ".");
		type = skip_mods(t, &s.id);
		if (!type)
			return false;
		if (btf_is_datasec(type))
			found = find_var(&s, type, path, len);
		else
			found = btf_is_composite(type) && find_in(&s, type, path, len, DEPTH_MAX);
		if (!found)
			return false;
		path += len + (path[len] == '.');
	}
	size = btf__resolve_size(t->btf, s.id);
	if (size < 0 || size > MEMBER_SIZE_MAX || s.bit / 8 > MEMBER_SIZE_MAX)
		return false;
	*ret = (struct kmember){ .offset = (uint32_t)(s.bit / 8), .size = (uint32_t)size };
	if (s.bits || s.bit % 8) {
		/* Count from the unit of the declared type that holds the field. */
		ret->offset = size ? (uint32_t)(s.bit / 8 / (uint32_t)size * (uint32_t)size) : ret->offset;
		ret->bit = (uint8_t)(s.bit - 8 * (uint64_t)ret->offset);
		ret->bits = s.bits;
	}
	return true;
}

int ktypes_member_of(const struct ktypes *t, uint32_t id, const char *path, struct kmember *ret, struct err *err)
{
	const struct btf_type *type = btf__type_by_id(t->btf, id);

	if (follow(t, id, path, ret))
		return 0;
	return err_set(err, ERR_ABSENT, "type %s has no member %s", type ? name_of(t->btf, type->name_off) : "?", path);
}

int ktypes_member(const struct ktypes *t, const char *type, const char *path, struct kmember *ret, struct err *err)
{
	uint32_t h = hash_name(type), id;
	const struct btf_type *bt;
	bool known = false;

	for (uint32_t i = h & t->mask; t->slots[i].id; i = (i + 1) & t->mask) {
		id = t->slots[i].id;
		bt = btf__type_by_id(t->btf, id);
		if (t->slots[i].hash != h || strcmp(name_of(t->btf, bt->name_off), type))
			continue;
		known = true;
		if (follow(t, id, path, ret))
			return 0;
	}
	if (known)
		return err_set(err, ERR_ABSENT, "struct %s has no member %s", type, path);
	return err_set(err, ERR_ABSENT, "the type information has no struct %s", type);
}
