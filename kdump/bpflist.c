// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/bpflist.h"

#include <stdlib.h>

#define TRIES 16	/* at a list of a running kernel, which changes while it is read */

/* One walk: the nodes seen so far, in the order seen. */
struct list_walk {
	struct kernel *k;
	uint64_t head;
	uint64_t *seen;
	size_t count, max;
};

static bool was_seen(const struct list_walk *w, uint64_t node)
{
	/* Histories are tens of events; this stays cheaper than a hash table up to some thousands. */
	for (size_t i = 0; i < w->count; i++)
		if (w->seen[i] == node)
			return true;
	return false;
}

/* Kernel half, aligned: what a node's address must look like before it is followed. */
static bool plausible(uint64_t node)
{
	return node >> 63 && !(node & 7);
}

/* Follow one direction (link_at: 0 next, 8 prev). True at the head; false where the way breaks, and *err set. */
static bool follow(struct list_walk *w, unsigned int link_at, struct err *err)
{
	uint64_t node;

	if (kernel_u64(w->k, w->head + link_at, &node, err))
		return false;
	if (!node)
		return true;
	while (node != w->head) {
		if (was_seen(w, node)) {
			err_set(err, ERR_CORRUPT, "the list runs in a circle at 0x%llx", (unsigned long long)node);
			return false;
		}
		if (!plausible(node)) {
			err_set(err, ERR_CORRUPT, "the list leads to 0x%llx", (unsigned long long)node);
			return false;
		}
		if (w->count == w->max) {
			err_set(err, ERR_CORRUPT, "the list has more than %zu nodes", w->max);
			return false;
		}
		w->seen[w->count++] = node;
		if (kernel_u64(w->k, node + link_at, &node, err))
			return false;
	}
	return true;
}

int bpflist_each(struct kernel *k, uint64_t head, uint32_t node_offset, size_t max, bpflist_fn *fn, void *arg,
		 struct err *err)
{
	struct list_walk w = { .k = k, .head = head, .max = max };
	bool whole;

	w.seen = calloc(max + 1, sizeof(*w.seen));
	if (!w.seen)
		return err_nomem(err);
	whole = follow(&w, 0, err);
	for (int try = 1; !whole && try < TRIES && kernel_refresh(k); try++) {
		w.count = 0;
		whole = follow(&w, 0, err);
	}
	if (!whole)
		follow(&w, 8, NULL);	/* stops, at the latest, at the last node seen from the front */
	for (size_t i = 0; i < w.count; i++)
		fn(arg, w.seen[i] - node_offset);
	free(w.seen);
	return whole ? 0 : -1;
}
