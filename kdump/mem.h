/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mem.h - the memory of a dead kernel, as one callback.
 *
 * Every decoder reads through this: from a dump file (mem_kdumpfile.c), from crash's readmem(), from an array in a
 * test. Addresses are kernel virtual addresses of the kernel that died.
 *
 * A read gives all bytes or fails; a failure says which of three it is, because a reader must act differently:
 *
 *	ERR_ABSENT	the page is not in the dump (filtered, truncated file, never mapped): normal, say so, go on
 *	ERR_CORRUPT	the dump contradicts itself
 *	ERR_UNSUPPORTED	the dump is well-formed, and this build cannot read it (a compression, a paging mode)
 */
#ifndef KDUMP_MEM_H
#define KDUMP_MEM_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

struct mem_ops {
	int (*read)(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err);
	bool (*refresh)(struct mem *m);		/* NULL: memory that never changes */
	void (*destroy)(struct mem *m);
};

/* Embedded as the first member of an adapter's own struct. */
struct mem {
	const struct mem_ops *ops;
};

/* No single object that a reader asks for is larger (kallsyms_names of a kernel with everything is 4 MB). */
#define MEM_READ_MAX (64u << 20)

/* Read len bytes at addr. Fails with ERR_CORRUPT on lengths over MEM_READ_MAX and on ranges that wrap. */
int mem_read(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err);

/* The same into new memory, one zero byte longer than len, which the caller frees; NULL on failure. */
void *mem_read_new(struct mem *m, uint64_t addr, size_t len, struct err *err);

/* Forget what was kept of memory that changes, the running kernel's. False: it is dead memory. */
bool mem_refresh(struct mem *m);

void mem_destroy(struct mem *m);

/* What a dump file says of itself, beside its memory. */
struct dump_info {
	char *vmcoreinfo;	/* raw text */
	char format[64];	/* of the file: "kdump-compressed", "elf", ... */
};

void dump_info_deinit(struct dump_info *info);

/*
 * Open a dump through libkdumpfile: kdump-compressed, ELF, flattened, /proc/vmcore, /proc/kcore. NULL on failure;
 * on success the caller owns the result and *info.
 */
struct mem *mem_kdumpfile_open(const char *path, struct dump_info *info, struct err *err);

#endif
