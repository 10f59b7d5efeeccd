/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpflist.h - a BPF linked list in a dump.
 *
 * struct bpf_list_head is, inside, a struct list_head; struct bpf_list_node begins with one, and names its owner
 * behind it (v6.6, c3c510ce431c "bpf: Add 'owner' field to bpf_{list,rb}_node"). A head that was never used is zero.
 *
 * The machine may have died while a CPU moved a node, and pages may be missing: what cannot be reached from the
 * front is taken from the back.
 */
#ifndef KDUMP_BPFLIST_H
#define KDUMP_BPFLIST_H

#include "kdump/kernel.h"

/* Called for each node, with the address of the struct that holds it. */
typedef void bpflist_fn(void *arg, uint64_t entry);

/*
 * Walk the list whose head is at `head`; nodes lie at `node_offset` in their entries. At most `max` nodes are
 * visited, none twice. Nodes reached from the front come in order; when the way breaks (*err tells: ERR_ABSENT,
 * ERR_CORRUPT), those reached from the back follow, in reverse order, and -1 is returned at the end. 0: whole list.
 */
int bpflist_each(struct kernel *k, uint64_t head, uint32_t node_offset, size_t max, bpflist_fn *fn, void *arg,
		 struct err *err);

#endif
