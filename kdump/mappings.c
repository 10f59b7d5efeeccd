// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/mappings.h"

#include <stdio.h>
#include <string.h>

#define VM_EXEC 4
#define MAPPINGS_MAX 2048
#define DEPTH_MAX 8
#define PATH_PARTS 32
#define NAME_MAX_ 256

/* lib/maple_tree.c: an entry that is a node has 2 in its low bits, its type in bits 3 to 6. */
enum { MAPLE_LEAF_64 = 1, MAPLE_RANGE_64 = 2, MAPLE_ARANGE_64 = 3 };
#define NODE_MASK 0xffull

struct tree {
	struct kernel *k;
	struct arena *arena;
	struct mappings *ret;
	int nodes;		/* left to look at */
};

static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

/* A name of a path, in front of what is there. False: it cannot be read. */
static bool prepend(struct kernel *k, uint64_t dentry, char *path, size_t size, size_t *at)
{
	char name[NAME_MAX_] = "";
	uint64_t text, hash_len;
	size_t len;

	if (kernel_field(k, dentry, "dentry", "d_name.name", &text, NULL) ||
	    kernel_field(k, dentry, "dentry", "d_name.len", &hash_len, NULL))
		return false;
	len = (size_t)hash_len;
	if (!len || len >= sizeof(name) || len + 1 > *at || len > size || kernel_read(k, text, name, len, NULL))
		return false;
	*at -= len;
	memcpy(path + *at, name, len);
	path[--*at] = '/';
	return true;
}

static const char *path_of(struct tree *t, uint64_t file)
{
	uint64_t dentry, parent;
	char path[1024];
	size_t at = sizeof(path) - 1;

	path[at] = '\0';
	if (kernel_field(t->k, file, "file", "f_path.dentry", &dentry, NULL))
		return NULL;
	for (int i = 0; i < PATH_PARTS; i++) {
		if (kernel_field(t->k, dentry, "dentry", "d_parent", &parent, NULL))
			return NULL;
		if (parent == dentry)
			break;
		if (!prepend(t->k, dentry, path, sizeof(path), &at))
			return NULL;
		dentry = parent;
	}
	for (char *p = path + at; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return path[at] ? arena_strdup(t->arena, path + at) : NULL;
}

static void add_area(struct tree *t, uint64_t vma)
{
	struct mapping m;
	uint64_t flags, file, pgoff;

	if (t->ret->count == MAPPINGS_MAX || kernel_field(t->k, vma, "vm_area_struct", "vm_flags", &flags, NULL) ||
	    kernel_field(t->k, vma, "vm_area_struct", "vm_file", &file, NULL) ||
	    kernel_field(t->k, vma, "vm_area_struct", "vm_start", &m.start, NULL) ||
	    kernel_field(t->k, vma, "vm_area_struct", "vm_end", &m.end, NULL) ||
	    kernel_field(t->k, vma, "vm_area_struct", "vm_pgoff", &pgoff, NULL)) {
		t->ret->incomplete = true;
		return;
	}
	if (!(flags & VM_EXEC) || !file)
		return;
	m.offset = pgoff * 4096;
	m.path = path_of(t, file);
	if (!m.path || m.end <= m.start) {
		t->ret->incomplete = true;
		return;
	}
	t->ret->items = arena_grow(t->arena, t->ret->items, t->ret->count, sizeof(m));
	t->ret->items[t->ret->count++] = m;
}

/* The areas below one entry of the tree, whose last address is max. */
static void walk(struct tree *t, uint64_t entry, uint64_t max, int depth)
{
	uint64_t node = entry & ~NODE_MASK, type = entry >> 3 & 15, last, slot;
	const char *name = type == MAPLE_ARANGE_64 ? "maple_arange_64" : "maple_range_64";
	struct kmember pivots, slots;

	if (!is_node(entry)) {
		if (entry && !(entry & 3))
			add_area(t, entry);
		return;
	}
	if (depth == DEPTH_MAX || t->nodes-- <= 0 || type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64 ||
	    kernel_member(t->k, name, "pivot", &pivots, NULL) || kernel_member(t->k, name, "slot", &slots, NULL)) {
		t->ret->incomplete = true;
		return;
	}
	for (uint32_t i = 0; i < slots.size / 8; i++) {
		last = max;
		if ((i < pivots.size / 8 && kernel_u64(t->k, node + pivots.offset + 8 * i, &last, NULL)) ||
		    kernel_u64(t->k, node + slots.offset + 8 * i, &slot, NULL)) {
			t->ret->incomplete = true;
			return;
		}
		if ((!last && i) || last > max)
			return;
		walk(t, slot, last, depth + 1);
		if (last == max)
			return;
	}
}

int mappings_read(struct kernel *k, struct arena *a, uint64_t task, struct mappings *ret, struct err *err)
{
	struct tree t = { .k = k, .arena = a, .ret = ret, .nodes = MAPPINGS_MAX };
	uint64_t mm, root;

	*ret = (struct mappings){ 0 };
	if (kernel_field(k, task, "task_struct", "mm", &mm, err))
		return -1;
	if (!mm)
		return err_set(err, ERR_ABSENT, "the task has no user memory");
	if (kernel_field(k, mm, "mm_struct", "mm_mt.ma_root", &root, err))
		return -1;
	walk(&t, root, UINT64_MAX, 0);
	return 0;
}

const struct mapping *mapping_at(const struct mappings *m, uint64_t addr)
{
	for (size_t i = 0; i < m->count; i++)
		if (addr >= m->items[i].start && addr < m->items[i].end)
			return &m->items[i];
	return NULL;
}

const struct mapping *mapping_of_offset(const struct mappings *m, uint64_t offset)
{
	const struct mapping *found = NULL, *one;

	for (size_t i = 0; i < m->count; i++) {
		one = &m->items[i];
		if (offset < one->offset || offset - one->offset >= one->end - one->start)
			continue;
		if (found && strcmp(found->path, one->path))
			return NULL;
		found = one;
	}
	return found;
}
