// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/modtypes.h"

#include <bpf/btf.h>
#include <stdlib.h>

#include "lib/btfsplit.h"

#define MODULES_MAX 4096
#define TYPES_MAX (1u << 20)	/* of all: a damaged list may lead in a circle */
#define DATA_MAX (64u << 20)

/* Asked of each number of a type, or offset of a name, that a type has; false ends the walk. */
typedef bool ref_fn(void *arg, uint32_t *ref, bool is_name);

static bool visit_members(struct btf_type *t, ref_fn *fn, void *arg)
{
	struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		if (!fn(arg, &m[i].name_off, true) || !fn(arg, &m[i].type, false))
			return false;
	}
	return true;
}

static bool visit_params(struct btf_type *t, ref_fn *fn, void *arg)
{
	struct btf_param *p = btf_params(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		if (!fn(arg, &p[i].name_off, true) || !fn(arg, &p[i].type, false))
			return false;
	}
	return fn(arg, &t->type, false);
}

static bool visit_values(struct btf_type *t, ref_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		if (!fn(arg, btf_is_enum(t) ? &btf_enum(t)[i].name_off : &btf_enum64(t)[i].name_off, true))
			return false;
	}
	return true;
}

static bool visit_variables(struct btf_type *t, ref_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		if (!fn(arg, &btf_var_secinfos(t)[i].type, false))
			return false;
	}
	return true;
}

static bool visit_refs(struct btf_type *t, ref_fn *fn, void *arg)
{
	if (!fn(arg, &t->name_off, true))
		return false;
	switch (btf_kind(t)) {
	case BTF_KIND_ARRAY:
		return fn(arg, &btf_array(t)->type, false) && fn(arg, &btf_array(t)->index_type, false);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return visit_members(t, fn, arg);
	case BTF_KIND_FUNC_PROTO:
		return visit_params(t, fn, arg);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return visit_values(t, fn, arg);
	case BTF_KIND_DATASEC:
		return visit_variables(t, fn, arg);
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		return true;
	default:	/* a pointer, typedef, qualifier, function, variable, tag */
		return fn(arg, &t->type, false);
	}
}

static bool is_in_range(void *arg, uint32_t *ref, bool is_name)
{
	const struct btf *btf = arg;

	return is_name ? btf__str_by_offset(btf, *ref) != NULL : *ref < btf__type_cnt(btf);
}

/* The bytes are those of a dump: libbpf has looked at their sizes only. */
static bool is_sound(struct btf *split, uint32_t first)
{
	for (uint32_t id = first; id < btf__type_cnt(split); id++) {
		if (!visit_refs((struct btf_type *)btf__type_by_id(split, id), is_in_range, split))
			return false;
	}
	return true;
}

struct shift {
	uint32_t first, by;	/* numbers from `first` on become so much larger */
};

static bool shift_type(void *arg, uint32_t *ref, bool is_name)
{
	const struct shift *s = arg;

	if (!is_name && *ref >= s->first)
		*ref += s->by;
	return true;
}

/* The own types of a module, from number `first` on, behind those that dst has. */
static int append(struct btf *dst, const struct btf *split, uint32_t first)
{
	struct shift s = { first, btf__type_cnt(dst) - first };

	for (uint32_t id = first; id < btf__type_cnt(split); id++) {
		int new = btf__add_type(dst, split, btf__type_by_id(split, id));

		if (new < 0)
			return -1;
		visit_refs((struct btf_type *)btf__type_by_id(dst, (uint32_t)new), shift_type, &s);
	}
	return 0;
}

/* The types of one module; NULL: they cannot be read. */
static struct btf *read_split(struct kernel *k, uint64_t module, const struct btf *base)
{
	struct btf *split = NULL;
	uint64_t at, data, size;
	void *bytes;

	if (kernel_field(k, module, "btf_module", "btf", &at, NULL) || kernel_field(k, at, "btf", "data", &data, NULL) ||
	    kernel_field(k, at, "btf", "data_size", &size, NULL) || !size || size > DATA_MAX)
		return NULL;
	bytes = kernel_read_new(k, data, size, NULL);
	if (bytes)
		split = btf_split_new(bytes, size, (struct btf *)base);
	free(bytes);
	if (split && !is_sound(split, btf__type_cnt(base))) {
		btf__free(split);
		return NULL;
	}
	return split;
}

static int append_modules(struct kernel *k, const struct btf *base, struct btf *dst, size_t *left_out)
{
	uint64_t head, at;
	struct kmember list;

	*left_out = 0;
	if (kernel_symbol(k, "btf_modules", &head, NULL) || kernel_member(k, "btf_module", "list", &list, NULL) ||
	    kernel_u64(k, head, &at, NULL))
		return 0;
	for (int n = 0; at != head && n < MODULES_MAX && btf__type_cnt(dst) < TYPES_MAX; n++) {
		struct btf *split = read_split(k, at - list.offset, base);
		int rc = split ? append(dst, split, btf__type_cnt(base)) : 0;

		*left_out += !split;
		btf__free(split);
		if (rc)
			return rc;
		if (kernel_u64(k, at, &at, NULL)) {
			++*left_out;
			break;
		}
	}
	return 0;
}

struct btf *modtypes_merge(struct kernel *k, const struct btf *base, size_t *left_out, struct err *err)
{
	uint32_t size;
	const void *raw = btf__raw_data(base, &size);
	struct btf *dst = raw ? btf__new(raw, size) : NULL;

	if (dst && !append_modules(k, base, dst, left_out))
		return dst;
	btf__free(dst);
	err_nomem(err);
	return NULL;
}
