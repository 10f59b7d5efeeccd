/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpfmaps.h - BPF maps of a dead kernel: which there were, and where their values lie.
 *
 * From map_idr through struct bpf_map to values. Element layouts come from the kernel's BTF; a map's own BTF
 * (struct names of the program that defined it) comes with the map, and is read from the dump as well.
 */
#ifndef KDUMP_BPFMAPS_H
#define KDUMP_BPFMAPS_H

#include "kdump/kernel.h"
#include "kdump/ktypes.h"
#include "lib/arena.h"

#define BPFMAP_NAME_MAX 16	/* BPF_OBJ_NAME_LEN */

struct bpfmap {
	uint64_t addr;		/* of struct bpf_map */
	uint32_t id;
	uint32_t type;		/* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries;
	uint32_t value_type;	/* type id in its BTF, or 0 */
	uint64_t btf;		/* struct btf, or 0 */
	char name[BPFMAP_NAME_MAX + 1];
};

/*
 * All maps, by id, from the arena. Maps that cannot be read are left out and counted in *skipped. Fails when
 * map_idr itself cannot be read.
 */
int bpfmaps_list(struct kernel *k, struct arena *a, struct bpfmap **ret, size_t *count, size_t *skipped,
		 struct err *err);

/* The layout of the map's value (and key); caller destroys. NULL: ERR_ABSENT when the map has no BTF. */
struct ktypes *bpfmap_types(struct kernel *k, const struct bpfmap *m, struct err *err);

/* Address of element `index` of an array map. */
int bpfmap_array_at(struct kernel *k, const struct bpfmap *m, uint32_t index, uint64_t *ret, struct err *err);

/* Address of element `index` of a per-CPU array map on one CPU. */
int bpfmap_percpu_at(struct kernel *k, const struct bpfmap *m, uint32_t index, unsigned int cpu, uint64_t *ret,
		     struct err *err);

/*
 * Called with one element: its key, the first bytes of its value (as many as were asked for), and where the value
 * lies. Non-zero ends the walk.
 */
typedef int bpfmap_elem_fn(void *arg, const uint8_t *key, const uint8_t *value, uint64_t value_addr);

/*
 * Every element of a hash map, bucket by bucket, with the first `want` bytes of its value. Chains are bounded: more
 * elements than the map can hold is ERR_CORRUPT. An unreadable element ends its chain only; the first such error is
 * given when all else was walked (returns -1 then, though fn saw the rest). Returns fn's non-zero value if it ended
 * the walk. In a running kernel a chain that changed while it was read is read again, some times.
 */
int bpfmap_hash_each(struct kernel *k, const struct bpfmap *m, uint32_t want, bpfmap_elem_fn *fn, void *arg,
		     struct err *err);

#endif
