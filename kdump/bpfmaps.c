// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/bpfmaps.h"
#include "lib/cursor.h"

#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#define MAPS_MAX 65536
#define XA_DEPTH_MAX 12		/* levels of a 64-bit index, 6 bits each, and one to spare */
#define XA_SLOTS 64		/* XA_CHUNK_SIZE */
#define BUCKETS_MAX (1u << 24)
#define BTF_MAX (16u << 20)
#define ELEM_MAX 65536		/* bytes of a key, of a value */
#define BUCKET_CHUNK 256	/* buckets read at a time */
#define CHAIN_MAX 1024		/* elements of one bucket: a table has as many buckets as elements */
#define TRIES 16		/* at a chain of a running kernel, which changes while it is read */

/* A walk over map_idr. */
struct idr_walk {
	struct kernel *k;
	struct arena *arena;
	struct kmember slots, shift;
	struct bpfmap *maps;
	size_t count, skipped;
};

static int read_map(struct kernel *k, uint64_t addr, struct bpfmap *m, struct err *err)
{
	static const struct {
		const char *member;
		size_t at;
	} numbers[] = {
		{ "id", offsetof(struct bpfmap, id) },
		{ "map_type", offsetof(struct bpfmap, type) },
		{ "key_size", offsetof(struct bpfmap, key_size) },
		{ "value_size", offsetof(struct bpfmap, value_size) },
		{ "max_entries", offsetof(struct bpfmap, max_entries) },
		{ "btf_value_type_id", offsetof(struct bpfmap, value_type) },
	};
	struct kmember name;
	uint64_t v;

	*m = (struct bpfmap){ .addr = addr };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (kernel_field(k, addr, "bpf_map", numbers[i].member, &v, err))
			return -1;
		*(uint32_t *)((char *)m + numbers[i].at) = (uint32_t)v;
	}
	if (kernel_field(k, addr, "bpf_map", "btf", &m->btf, err) ||
	    kernel_member(k, "bpf_map", "name", &name, err))
		return -1;
	return kernel_read(k, addr + name.offset, m->name, name.size < BPFMAP_NAME_MAX ? name.size : BPFMAP_NAME_MAX,
			   err);
}

/* One entry of the xarray: a node (low bits 10), or a map. include/linux/xarray.h */
static void walk_entry(struct idr_walk *w, uint64_t entry, int depth)
{
	uint8_t slots[XA_SLOTS * 8];
	struct cursor c = cursor_init(slots, sizeof(slots));
	struct bpfmap m;
	uint64_t next;

	if (w->count + w->skipped >= MAPS_MAX || depth > XA_DEPTH_MAX)
		return;
	if ((entry & 3) != 2) {
		if (entry & 3 || read_map(w->k, entry, &m, NULL)) {
			w->skipped++;
			return;
		}
		w->maps = arena_grow(w->arena, w->maps, w->count, sizeof(*w->maps));
		w->maps[w->count++] = m;
		return;
	}
	if (kernel_read(w->k, entry - 2 + w->slots.offset, slots, sizeof(slots), NULL)) {
		w->skipped++;
		return;
	}
	for (int i = 0; i < XA_SLOTS; i++) {
		next = cursor_u64(&c);
		if (next)
			walk_entry(w, next, depth + 1);
	}
}

int bpfmaps_list(struct kernel *k, struct arena *a, struct bpfmap **ret, size_t *count, size_t *skipped,
		 struct err *err)
{
	struct idr_walk w = { .k = k, .arena = a };
	uint64_t idr, head;

	if (kernel_symbol(k, "map_idr", &idr, err) || kernel_field(k, idr, "idr", "idr_rt.xa_head", &head, err) ||
	    kernel_member(k, "xa_node", "slots", &w.slots, err))
		return err_wrap(err, "list of BPF maps");
	if (w.slots.size != XA_SLOTS * 8)
		return err_set(err, ERR_UNSUPPORTED, "list of BPF maps: nodes of %u bytes", w.slots.size);
	if (head)
		walk_entry(&w, head, 0);
	*ret = w.maps;
	*count = w.count;
	*skipped = w.skipped;
	return 0;
}

struct ktypes *bpfmap_types(struct kernel *k, const struct bpfmap *m, struct err *err)
{
	struct ktypes *t;
	uint64_t data, size;
	void *bytes;

	if (!m->btf) {
		err_set(err, ERR_ABSENT, "map %s has no type information", m->name);
		return NULL;
	}
	if (kernel_field(k, m->btf, "btf", "data", &data, err) ||
	    kernel_field(k, m->btf, "btf", "data_size", &size, err))
		return NULL;
	if (size > BTF_MAX) {
		err_set(err, ERR_CORRUPT, "map %s: %llu bytes of type information", m->name,
			(unsigned long long)size);
		return NULL;
	}
	bytes = kernel_read_new(k, data, size, err);
	if (!bytes)
		return NULL;
	t = ktypes_create(bytes, size, err);
	free(bytes);
	return t;
}

static int check_index(const struct bpfmap *m, uint32_t index, struct err *err)
{
	if (index < m->max_entries)
		return 0;
	return err_set(err, ERR_ABSENT, "map %s has %u elements, asked for number %u", m->name, m->max_entries, index);
}

int bpfmap_array_at(struct kernel *k, const struct bpfmap *m, uint32_t index, uint64_t *ret, struct err *err)
{
	struct kmember value;
	uint64_t elem;

	if (m->type != BPF_MAP_TYPE_ARRAY)
		return err_set(err, ERR_CORRUPT, "map %s is no array", m->name);
	if (check_index(m, index, err) || kernel_member(k, "bpf_array", "value", &value, err) ||
	    kernel_field(k, m->addr, "bpf_array", "elem_size", &elem, err))
		return -1;
	*ret = m->addr + value.offset + elem * index;
	return 0;
}

int bpfmap_percpu_at(struct kernel *k, const struct bpfmap *m, uint32_t index, unsigned int cpu, uint64_t *ret,
		     struct err *err)
{
	struct kmember pptrs;
	uint64_t ptr, base;

	if (m->type != BPF_MAP_TYPE_PERCPU_ARRAY)
		return err_set(err, ERR_CORRUPT, "map %s is no per-CPU array", m->name);
	if (check_index(m, index, err) || kernel_member(k, "bpf_array", "pptrs", &pptrs, err) ||
	    kernel_u64(k, m->addr + pptrs.offset + 8 * (uint64_t)index, &ptr, err) ||
	    kernel_percpu(k, cpu, &base, err))
		return -1;
	*ret = ptr + base;
	return 0;
}

/* Layout of a hash map, and the state of a walk. */
struct hash_walk {
	struct kernel *k;
	const struct bpfmap *m;
	bpfmap_elem_fn *fn;
	void *arg;
	uint64_t buckets, n_buckets;
	uint32_t bucket_size, key_at, next_at, value_at;
	uint32_t want;		/* bytes of an element that are read, from its beginning */
	uint64_t addrs[CHAIN_MAX];	/* the elements of one chain, */
	uint8_t *elems;		/* and want bytes of each */
	size_t len, room;
	uint64_t left;		/* elements that the map may still have */
	struct err *err;
	bool failed;
};

static int hash_layout(struct hash_walk *w, uint32_t want, struct err *err)
{
	struct kmember bucket, key, next;

	if (w->m->type != BPF_MAP_TYPE_HASH)
		return err_set(err, ERR_CORRUPT, "map %s is no hash", w->m->name);
	if (kernel_field(w->k, w->m->addr, "bpf_htab", "buckets", &w->buckets, err) ||
	    kernel_field(w->k, w->m->addr, "bpf_htab", "n_buckets", &w->n_buckets, err) ||
	    kernel_member(w->k, "bucket", "raw_lock", &bucket, err) ||	/* that bucket, not another's */
	    kernel_member(w->k, "bucket", "", &bucket, err) ||
	    kernel_member(w->k, "htab_elem", "key", &key, err) ||
	    kernel_member(w->k, "htab_elem", "hash_node.next", &next, err))
		return -1;
	if (!w->n_buckets || w->n_buckets > BUCKETS_MAX || bucket.size < 8 || bucket.size > 4096)
		return err_set(err, ERR_CORRUPT, "map %s: %llu buckets", w->m->name,
			       (unsigned long long)w->n_buckets);
	w->bucket_size = bucket.size;
	w->key_at = key.offset;
	w->next_at = next.offset;
	if (w->m->key_size > ELEM_MAX || want > w->m->value_size || want > ELEM_MAX || next.offset > ELEM_MAX ||
	    key.offset > ELEM_MAX)
		return err_set(err, ERR_CORRUPT, "map %s: values of %u bytes", w->m->name, w->m->value_size);
	w->value_at = key.offset + ((w->m->key_size + 7) & ~7u);
	w->want = w->value_at + want > next.offset + 8 ? w->value_at + want : next.offset + 8;
	/* Each CPU may have one spare element in the middle of being exchanged. */
	w->left = (uint64_t)w->m->max_entries + KERNEL_CPUS_MAX;
	return 0;
}

/* Keep the first error; the walk goes on with the next bucket. */
static void hash_failed(struct hash_walk *w, const struct err *err)
{
	if (!w->failed && w->err)
		*w->err = *err;
	w->failed = true;
}

static int add_elem(struct hash_walk *w, uint64_t addr, struct err *err)
{
	size_t room = w->room ? 2 * w->room : 4;
	uint8_t *grown;

	if (w->len == w->room) {
		grown = realloc(w->elems, room * w->want);
		if (!grown)
			return err_nomem(err);
		w->elems = grown;
		w->room = room;
	}
	if (kernel_read(w->k, addr, w->elems + w->len * w->want, w->want, err))
		return err_wrap(err, "map %s: an element", w->m->name);
	w->addrs[w->len++] = addr;
	return 0;
}

static bool in_chain(const struct hash_walk *w, uint64_t addr)
{
	for (size_t i = 0; i < w->len; i++)
		if (w->addrs[i] == addr)
			return true;
	return false;
}

/*
 * Read one chain, to the end marker: a "pointer" whose lowest bit is set, with the number of the bucket behind it
 * (include/linux/list_nulls.h, kernel/bpf/hashtab.c).
 */
static int read_chain(struct hash_walk *w, uint64_t bucket, uint64_t elem, struct err *err)
{
	struct cursor c;

	for (w->len = 0; !(elem & 1); elem = cursor_u64(&c)) {
		if (!elem || w->len == CHAIN_MAX || w->len == w->left || in_chain(w, elem))
			return err_set(err, ERR_CORRUPT, "map %s: a chain without end", w->m->name);
		if (add_elem(w, elem, err))
			return -1;
		c = cursor_init(w->elems + (w->len - 1) * w->want + w->next_at, 8);
	}
	if (elem != (bucket << 1 | 1))
		return err_set(err, ERR_CORRUPT, "map %s: the chain of another bucket", w->m->name);
	return 0;
}

/* The elements of one chain, as far as it can be read. */
static int walk_chain(struct hash_walk *w, uint64_t bucket, uint64_t elem)
{
	const uint8_t *e;
	struct err err;
	int rc = 0;

	for (int try = 1; read_chain(w, bucket, elem, &err); try++) {
		if (try == TRIES || !kernel_refresh(w->k) ||
		    kernel_u64(w->k, w->buckets + bucket * w->bucket_size, &elem, NULL)) {
			hash_failed(w, &err);
			break;
		}
	}
	w->left -= w->len;
	for (size_t i = 0; i < w->len && !rc; i++) {
		e = w->elems + i * w->want;
		rc = w->fn(w->arg, e + w->key_at, e + w->value_at, w->addrs[i] + w->value_at);
	}
	return rc;
}

static int walk_buckets(struct hash_walk *w, uint8_t *chunk)
{
	struct cursor c;
	struct err err;
	uint64_t n;
	int rc = 0;

	for (uint64_t i = 0; i < w->n_buckets; i += n) {
		n = w->n_buckets - i < BUCKET_CHUNK ? w->n_buckets - i : BUCKET_CHUNK;
		if (kernel_read(w->k, w->buckets + i * w->bucket_size, chunk, n * w->bucket_size, &err)) {
			err_wrap(&err, "map %s: its buckets", w->m->name);
			hash_failed(w, &err);
			continue;
		}
		for (uint64_t j = 0; j < n; j++) {
			c = cursor_init(chunk + j * w->bucket_size, 8);
			rc = walk_chain(w, i + j, cursor_u64(&c));
			if (rc)
				return rc;
		}
	}
	return 0;
}

int bpfmap_hash_each(struct kernel *k, const struct bpfmap *m, uint32_t want, bpfmap_elem_fn *fn, void *arg,
		     struct err *err)
{
	struct hash_walk w = { .k = k, .m = m, .fn = fn, .arg = arg, .err = err };
	uint8_t *chunk;
	int rc;

	if (hash_layout(&w, want, err))
		return err_wrap(err, "map %s", m->name);
	chunk = malloc((size_t)BUCKET_CHUNK * w.bucket_size);
	if (chunk) {
		rc = walk_buckets(&w, chunk);
		rc = rc ? rc : w.failed ? -1 : 0;
	} else {
		rc = err_nomem(err);
	}
	free(w.elems);
	free(chunk);
	return rc;
}
