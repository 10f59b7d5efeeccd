// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kbtf.c - the BTF of a kernel and its modules, and an index by name.
 *
 * A part is one BTF: vmlinux, or a module on top of it. The index of a part is a hash table of type ids, built when a
 * name is first looked up in it: one pass over the names, 4 bytes a slot. Enumerators have an index of their own, since
 * few rules need it.
 */
#include "rules/kbtf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/btfsplit.h"
#include "lib/cleanup.h"
#include "lib/nearest.h"
#include "rules/kbtf_image.h"

#define SYS_BTF "/sys/kernel/btf"

struct part {
	struct btf *btf;
	char *module;			/* NULL: vmlinux */
	uint32_t first_id, end_id;	/* ids that this part defines */
	uint32_t *slots;		/* type ids by hash of the name, 0 = empty */
	uint32_t mask;
};

struct enumerator {
	const char *name;
	int64_t value;
	uint32_t part, id;
};

struct kbtf {
	struct part *parts;
	uint32_t nparts;
	bool running;			/* modules are in SYS_BTF, opened when asked for */
	bool opened_all;
	bool nomem;
	struct enumerator *enums;	/* by hash, name NULL = empty */
	uint32_t enum_mask;
};

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h ^ h >> 15;
}

static uint32_t table_size(uint32_t n)
{
	uint32_t size = 16;

	while (size < n * 2)
		size *= 2;
	return size;
}

/* libbpf checks sizes only; ids and names of a file that anybody made are checked here, once. */
static bool valid_ref(uint32_t id, uint32_t end)
{
	return id < end;
}

static bool valid_name(const struct btf *btf, uint32_t off)
{
	return btf__str_by_offset(btf, off) != NULL;
}

static bool valid_members(const struct btf *btf, const struct btf_type *t, uint32_t end)
{
	uint32_t n = btf_vlen(t);

	if (btf_is_composite(t)) {
		for (uint32_t i = 0; i < n; i++) {
			if (!valid_name(btf, btf_members(t)[i].name_off) || !valid_ref(btf_members(t)[i].type, end))
				return false;
		}
	} else if (btf_is_enum(t)) {
		for (uint32_t i = 0; i < n; i++) {
			if (!valid_name(btf, btf_enum(t)[i].name_off))
				return false;
		}
	} else if (btf_is_enum64(t)) {
		for (uint32_t i = 0; i < n; i++) {
			if (!valid_name(btf, btf_enum64(t)[i].name_off))
				return false;
		}
	} else if (btf_is_func_proto(t)) {
		for (uint32_t i = 0; i < n; i++) {
			if (!valid_name(btf, btf_params(t)[i].name_off) || !valid_ref(btf_params(t)[i].type, end))
				return false;
		}
	}
	return true;
}

static bool valid_type(const struct btf *btf, const struct btf_type *t, uint32_t end)
{
	const struct btf_type *target;

	if (!valid_name(btf, t->name_off) || !valid_members(btf, t, end))
		return false;
	switch (btf_kind(t)) {
	case BTF_KIND_FUNC:
		if (!valid_ref(t->type, end))
			return false;
		target = btf__type_by_id(btf, t->type);
		return target && btf_is_func_proto(target);
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_VAR:
		return valid_ref(t->type, end);
	case BTF_KIND_ARRAY:
		return valid_ref(btf_array(t)->type, end);
	default:
		return true;
	}
}

static int validate(const struct btf *btf, uint32_t first, struct err *err)
{
	uint32_t end = btf__type_cnt(btf);

	for (uint32_t id = first; id < end; id++) {
		if (!valid_type(btf, btf__type_by_id(btf, id), end))
			return err_set(err, ERR_CORRUPT, "BTF type %u names a type or string that does not exist%s", id,
				       first > 1 ? ": is it a module of another kernel than the one whose types come first?" : "");
	}
	return 0;
}

/* Takes btf over, also on failure. */
static int add_part(struct kbtf *k, struct btf *btf, const char *module, struct err *err)
{
	struct part *parts = realloc(k->parts, (k->nparts + 1) * sizeof(*parts)), *p;
	char *name = module ? strdup(module) : NULL;

	if (parts)
		k->parts = parts;
	if (!parts || (module && !name)) {
		free(name);
		btf__free(btf);
		k->nomem = true;
		return err_nomem(err);
	}
	p = &k->parts[k->nparts++];
	*p = (struct part){ .btf = btf, .module = name };
	p->first_id = btf__base_btf(btf) ? btf__type_cnt(btf__base_btf(btf)) : 1;
	p->end_id = btf__type_cnt(btf);
	return 0;
}

static int btf_failed(const char *path, struct err *err)
{
	int e = errno;

	if (e == ENOMEM)
		return err_nomem(err);
	if (e == ENOENT)
		return err_set(err, ERR_ABSENT, "%s: no BTF there (a kernel with CONFIG_DEBUG_INFO_BTF has it)", path);
	if (e == EINVAL || e == ENOTSUP || e == EPROTO)
		return err_set(err, ERR_CORRUPT, "%s: not valid BTF", path);
	return err_sys(err, e, "%s", path);
}

/* What libbpf says on the way is in our own errors. */
static int quiet_print(__attribute__((unused)) enum libbpf_print_level level,
		       __attribute__((unused)) const char *fmt, __attribute__((unused)) va_list ap)
{
	return 0;
}

/* Parse BTF bytes of a file; a module's BTF has no empty string of its own at its beginning. */
static struct btf *parse_file(const char *path, struct btf *base, struct err *err)
{
	const struct btf_header *hdr;
	bool of_module = false;
	struct btf *btf;
	size_t len;
	void *data;

	if (kbtf_image_read(path, &data, &len, err))
		return NULL;
	hdr = data;
	if (len > sizeof(*hdr) && hdr->magic == BTF_MAGIC && (uint64_t)hdr->hdr_len + hdr->str_off < len)
		of_module = ((const char *)data)[hdr->hdr_len + hdr->str_off] != '\0';
	if (of_module && !base) {
		free(data);
		err_set(err, ERR_ABSENT, "%s: a module's BTF builds on its kernel's: give that first (--btf VMLINUZ --btf %s)",
			path, path);
		return NULL;
	}
	btf = of_module ? btf_split_new(data, len, base) : btf__new(data, (uint32_t)len);
	free(data);
	if (!btf) {
		btf_failed(path, err);
		return NULL;
	}
	if (validate(btf, btf__base_btf(btf) ? btf__type_cnt(btf__base_btf(btf)) : 1, err)) {
		err_wrap(err, "%s", path);
		btf__free(btf);
		return NULL;
	}
	return btf;
}

int kbtf_open(const char *path, struct kbtf **ret, struct err *err)
{
	struct kbtf *k = calloc(1, sizeof(*k));
	libbpf_print_fn_t before;
	struct btf *btf;

	if (!k)
		return err_nomem(err);
	before = libbpf_set_print(quiet_print);
	if (path) {
		btf = parse_file(path, NULL, err);
	} else {
		k->running = true;
		btf = btf__parse_raw(SYS_BTF "/vmlinux");
		if (!btf)
			btf_failed(SYS_BTF "/vmlinux", err);
	}
	libbpf_set_print(before);
	if (!btf || add_part(k, btf, NULL, err)) {
		kbtf_close(k);
		return -1;
	}
	*ret = k;
	return 0;
}

void kbtf_close(struct kbtf *k)
{
	if (!k)
		return;
	while (k->nparts) {
		struct part *p = &k->parts[--k->nparts];

		free(p->slots);
		free(p->module);
		btf__free(p->btf);
	}
	free(k->parts);
	free(k->enums);
	free(k);
}

/* "foo-bar.ko.xz" -> "foo_bar" */
static void module_name(const char *path, char *name, size_t size)
{
	const char *base = strrchr(path, '/');

	snprintf(name, size, "%s", base ? base + 1 : path);
	name[strcspn(name, ".")] = '\0';
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : *p;
}

int kbtf_add_module(struct kbtf *k, const char *path, struct err *err)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet_print);
	struct btf *btf = parse_file(path, k->parts[0].btf, err);
	char name[128];

	libbpf_set_print(before);
	module_name(path, name, sizeof(name));
	return btf ? add_part(k, btf, name, err) : -1;
}

static struct part *find_part(struct kbtf *k, const char *module)
{
	char name[128];

	if (!strcmp(module, "vmlinux"))
		return &k->parts[0];
	module_name(module, name, sizeof(name));
	for (uint32_t i = 1; i < k->nparts; i++) {
		if (!strcmp(k->parts[i].module, name))
			return &k->parts[i];
	}
	return NULL;
}

static void open_module(struct kbtf *k, const char *module)
{
	libbpf_print_fn_t before;
	char path[300], name[128];
	struct btf *btf;

	module_name(module, name, sizeof(name));
	if (!k->running || find_part(k, name))
		return;
	snprintf(path, sizeof(path), SYS_BTF "/%s", name);
	before = libbpf_set_print(quiet_print);
	btf = btf__parse_raw_split(path, k->parts[0].btf);
	libbpf_set_print(before);
	if (btf)
		add_part(k, btf, name, NULL);
	else if (errno == ENOMEM)
		k->nomem = true;
}

static void open_all_modules(struct kbtf *k)
{
	struct dirent *e;
	DIR *dir;

	if (!k->running || k->opened_all)
		return;
	k->opened_all = true;
	dir = opendir(SYS_BTF);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] != '.')
			open_module(k, e->d_name);
	}
	if (dir)
		closedir(dir);
}

bool kbtf_has_module(struct kbtf *k, const char *module)
{
	open_module(k, module);
	return find_part(k, module) != NULL;
}

uint32_t kbtf_nmodules(struct kbtf *k)
{
	open_all_modules(k);
	return k->nparts - 1;
}

bool kbtf_nomem(const struct kbtf *k)
{
	return k->nomem;
}

bool kbtf_is_running(const struct kbtf *k)
{
	return k->running;
}

const struct btf *kbtf_vmlinux(const struct kbtf *k)
{
	return k->parts[0].btf;
}

static const char *name_of(const struct part *p, const struct btf_type *t)
{
	return btf__str_by_offset(p->btf, t->name_off);
}

static bool build_index(struct kbtf *k, struct part *p)
{
	uint32_t size = table_size(p->end_id - p->first_id), h;

	if (p->slots)
		return true;
	p->slots = calloc(size, sizeof(*p->slots));
	if (!p->slots) {
		k->nomem = true;
		return false;
	}
	p->mask = size - 1;
	for (uint32_t id = p->first_id; id < p->end_id; id++) {
		const struct btf_type *t = btf__type_by_id(p->btf, id);

		if (!t->name_off)
			continue;
		for (h = hash_name(name_of(p, t)); p->slots[h & p->mask]; h++)
			;
		p->slots[h & p->mask] = id;
	}
	return true;
}

static uint32_t find_in_part(struct kbtf *k, struct part *p, const char *name, uint32_t hash, uint32_t kind)
{
	const struct btf_type *t;
	uint32_t id;

	if (!build_index(k, p))
		return 0;
	for (uint32_t h = hash; (id = p->slots[h & p->mask]); h++) {
		t = btf__type_by_id(p->btf, id);
		if (btf_kind(t) == kind && !strcmp(name_of(p, t), name))
			return id;
	}
	return 0;
}

uint32_t kbtf_find(struct kbtf *k, const char *name, uint32_t kind, const struct btf **btf)
{
	uint32_t hash = hash_name(name), id;

	for (uint32_t i = 0; i < k->nparts; i++) {
		id = find_in_part(k, &k->parts[i], name, hash, kind);
		if (id) {
			*btf = k->parts[i].btf;
			return id;
		}
		if (i + 1 == k->nparts)
			open_all_modules(k);
	}
	return 0;
}

struct btf *kbtf_new_split(struct kbtf *k, const void *data, size_t len)
{
	return btf_split_new(data, len, k->parts[0].btf);
}

uint32_t kbtf_str_len(const struct kbtf *k)
{
	uint32_t size;
	const struct btf_header *hdr = btf__raw_data(k->parts[0].btf, &size);

	return hdr ? hdr->str_len : 0;
}

uint32_t kbtf_find_in(const struct btf *btf, const char *name, uint32_t kind)
{
	const struct btf *base = btf__base_btf(btf);

	for (uint32_t id = base ? btf__type_cnt(base) : 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_kind(t) == kind && !strcmp(btf__str_by_offset(btf, t->name_off), name))
			return id;
	}
	return 0;
}

static void fill_func(const struct part *p, uint32_t id, struct kbtf_func *ret)
{
	const struct btf_type *t = btf__type_by_id(p->btf, id);

	ret->name = name_of(p, t);
	ret->module = p->module;
	ret->btf = p->btf;
	ret->id = id;
	ret->proto_id = t->type;
}

bool kbtf_find_func(struct kbtf *k, const char *module, const char *name, struct kbtf_func *ret)
{
	uint32_t hash = hash_name(name), id;
	struct part *only = NULL;

	if (module) {
		open_module(k, module);
		only = find_part(k, module);
		if (!only)
			return false;
	}
	for (uint32_t i = 0; i < k->nparts; i++) {
		struct part *p = only ? only : &k->parts[i];

		id = find_in_part(k, p, name, hash, BTF_KIND_FUNC);
		if (id) {
			fill_func(p, id, ret);
			return true;
		}
		if (only)
			return false;
		if (i + 1 == k->nparts)
			open_all_modules(k);
	}
	return false;
}

int kbtf_each_func(struct kbtf *k, const char *module, const char *glob,
		   int (*fn)(const struct kbtf_func *f, void *arg), void *arg)
{
	size_t plain = strcspn(glob, "*?[\\");
	struct kbtf_func f;
	int rc;

	if (module)
		open_module(k, module);
	else
		open_all_modules(k);
	for (uint32_t i = 0; i < k->nparts; i++) {
		const struct part *p = &k->parts[i];

		if (module && p != find_part(k, module))
			continue;
		for (uint32_t id = p->first_id; id < p->end_id; id++) {
			const struct btf_type *t = btf__type_by_id(p->btf, id);
			const char *name;

			if (!btf_is_func(t))
				continue;
			name = name_of(p, t);
			if (strncmp(name, glob, plain) || fnmatch(glob, name, 0))
				continue;
			fill_func(p, id, &f);
			rc = fn(&f, arg);
			if (rc)
				return rc;
		}
	}
	return 0;
}

void kbtf_offer_names(struct kbtf *k, uint32_t kind, struct nearest *n)
{
	for (uint32_t i = 0; i < k->nparts; i++) {
		const struct part *p = &k->parts[i];

		for (uint32_t id = p->first_id; id < p->end_id; id++) {
			const struct btf_type *t = btf__type_by_id(p->btf, id);

			if (kind == BTF_KIND_ENUM64 && (btf_is_enum(t) || btf_is_enum64(t))) {
				for (uint32_t j = 0; j < btf_vlen(t); j++)
					nearest_offer(n, btf__str_by_offset(p->btf, btf_is_enum(t) ?
							btf_enum(t)[j].name_off : btf_enum64(t)[j].name_off));
			} else if (btf_kind(t) == kind && t->name_off) {
				nearest_offer(n, name_of(p, t));
			}
		}
	}
}

const char *kbtf_nearest_func(struct kbtf *k, const char *name)
{
	struct nearest n = nearest_init(name);

	open_all_modules(k);
	kbtf_offer_names(k, BTF_KIND_FUNC, &n);
	return nearest_best(&n);
}

static void add_enumerator(struct kbtf *k, const char *name, int64_t value, uint32_t part, uint32_t id)
{
	uint32_t h;

	for (h = hash_name(name); k->enums[h & k->enum_mask].name; h++)
		;
	k->enums[h & k->enum_mask] = (struct enumerator){ .name = name, .value = value, .part = part, .id = id };
}

/* Count all enumerators (put false), or put them into the table. */
static uint32_t walk_enumerators(struct kbtf *k, bool put)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->nparts; i++) {
		const struct part *p = &k->parts[i];

		for (uint32_t id = p->first_id; id < p->end_id; id++) {
			const struct btf_type *t = btf__type_by_id(p->btf, id);
			uint32_t len = btf_vlen(t);

			if (!btf_is_enum(t) && !btf_is_enum64(t))
				continue;
			n += len;
			for (uint32_t j = 0; put && j < len; j++) {
				if (btf_is_enum64(t))
					add_enumerator(k, btf__str_by_offset(p->btf, btf_enum64(t)[j].name_off),
						       (int64_t)btf_enum64_value(&btf_enum64(t)[j]), i, id);
				else
					add_enumerator(k, btf__str_by_offset(p->btf, btf_enum(t)[j].name_off),
						       btf_enum(t)[j].val, i, id);
			}
		}
	}
	return n;
}

static bool build_enum_index(struct kbtf *k)
{
	uint32_t size;

	if (k->enums)
		return true;
	open_all_modules(k);
	size = table_size(walk_enumerators(k, false));
	k->enums = calloc(size, sizeof(*k->enums));
	if (!k->enums) {
		k->nomem = true;
		return false;
	}
	k->enum_mask = size - 1;
	walk_enumerators(k, true);
	return true;
}

uint32_t kbtf_find_enumerator(struct kbtf *k, const char *name, int64_t *value, const struct btf **btf, uint32_t *id)
{
	const struct enumerator *e;
	uint32_t n = 0;

	if (!build_enum_index(k))
		return 0;
	for (uint32_t h = hash_name(name); (e = &k->enums[h & k->enum_mask])->name; h++) {
		if (strcmp(e->name, name) || (n && e->value == *value))
			continue;
		if (!n++) {
			*value = e->value;
			*btf = k->parts[e->part].btf;
			*id = e->id;
		}
	}
	return n;
}

int kbtf_open_all(const char *const paths[], int n, struct kbtf **ret, struct err *err)
{
	if (kbtf_open(n ? paths[0] : NULL, ret, err))
		return -1;
	for (int i = 1; i < n; i++) {
		if (kbtf_add_module(*ret, paths[i], err))
			return -1;
	}
	return 0;
}
