/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - all that a reader may ask about the kernel in a dump.
 *
 * Memory, a line of VMCOREINFO, the address of a symbol, the symbol at an address, the place of a member in a
 * struct. Answers come from the dump itself (kernel_dump.c: kallsyms and BTF; no debuginfo), or from a capsule,
 * which is a recording of such questions and their answers (capsule.h). A decoder cannot tell which, and so both
 * give the same report.
 *
 * Therefore a decoder must ask the same questions in both cases: everything it wants to know of the dead kernel
 * goes through here, and nothing it asks may depend on where the answers come from.
 */
#ifndef KDUMP_KERNEL_H
#define KDUMP_KERNEL_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The symbol that covers an address. */
struct ksym {
	char name[128];
	char module[64];	/* "" for the kernel itself; "bpf" for BPF programs and trampolines */
	uint64_t start;
};

/* Where a member lies in its struct. */
struct kmember {
	uint32_t offset;	/* bytes */
	uint32_t size;		/* bytes of its type */
	uint8_t bit;		/* bit-fields: first bit, counted from offset, and their number; else 0, 0 */
	uint8_t bits;
};

struct kernel;

/* Blanks the bytes that may not be kept, in a copy of memory that was just read. */
struct kernel_scrub {
	void (*run)(void *arg, uint8_t *bytes, size_t len);
	void *arg;
};

struct kernel_ops {
	int (*read)(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err);
	/* For a recorder that keeps no bytes of user space; else NULL, and nothing is blanked. */
	int (*read_private)(struct kernel *k, uint64_t addr, void *buf, size_t len, const struct kernel_scrub *s,
			    struct err *err);
	int (*vmcoreinfo)(struct kernel *k, const char *key, char *value, size_t size, struct err *err);
	int (*symbol)(struct kernel *k, const char *name, uint64_t *ret, struct err *err);
	int (*symbolize)(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err);
	int (*member)(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err);
	bool (*refresh)(struct kernel *k);	/* NULL: its memory never changes */
	void (*destroy)(struct kernel *k);
};

/* Embedded as the first member of an implementation's own struct. */
struct kernel {
	const struct kernel_ops *ops;
};

struct dump_info;
struct mem;

/*
 * A kernel from the memory of a dump. Takes over mem and the contents of *info, also on failure (then NULL).
 * Symbols and types are looked for when first asked for: without them, memory can still be read.
 */
struct kernel *kernel_from_dump(struct mem *mem, struct dump_info *info, struct err *err);

void kernel_destroy(struct kernel *k);

/* len bytes of memory, all or nothing (see mem.h for the errors). */
int kernel_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err);

/* The same for memory that may hold bytes of user space: *s knows which (cmd_capture.c, --redact). */
int kernel_read_private(struct kernel *k, uint64_t addr, void *buf, size_t len, const struct kernel_scrub *s,
			struct err *err);

/*
 * From now on reads give memory as it is now, not as it was when its page was first read. False: it cannot have
 * changed, this kernel is dead.
 */
bool kernel_refresh(struct kernel *k);

/* kernel_read() into new memory with a zero byte behind it; the caller frees it. NULL on failure. */
void *kernel_read_new(struct kernel *k, uint64_t addr, size_t len, struct err *err);

/* Little-endian numbers. */
int kernel_u64(struct kernel *k, uint64_t addr, uint64_t *ret, struct err *err);
int kernel_u32(struct kernel *k, uint64_t addr, uint32_t *ret, struct err *err);

/* Value of a VMCOREINFO line ("OSRELEASE"), cut to size. ERR_ABSENT. */
int kernel_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err);

/* Address of a symbol of the kernel image; of several with that name the first. ERR_ABSENT. */
int kernel_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err);

/* The symbol that covers addr: kernel, module, BPF program or trampoline. ERR_ABSENT: none. */
int kernel_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err);

/*
 * Where struct or union `type` has the member `path` ("idr_rt.xa_head"); members of anonymous structs are found
 * as in C. The empty path gives the struct itself: offset 0, its size. ERR_ABSENT when there is no such type or
 * member; of several types with that name the first that has the member.
 */
int kernel_member(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err);

/* Read a scalar member (1, 2, 4, 8 bytes, bit-fields too), zero-extended. */
int kernel_field(struct kernel *k, uint64_t addr, const char *type, const char *path, uint64_t *ret, struct err *err);

/* The CPUs that the kernel may ever have had: numbers below n whose bit is set. */
#define KERNEL_CPUS_MAX 8192

struct kcpus {
	unsigned int n;
	uint64_t possible[KERNEL_CPUS_MAX / 64];
};

static inline bool kcpu_possible(const struct kcpus *cpus, unsigned int cpu)
{
	return cpu < cpus->n && cpus->possible[cpu / 64] >> (cpu % 64) & 1;
}

int kernel_cpus(struct kernel *k, struct kcpus *ret, struct err *err);

/* What to add to the address of a per-CPU variable for one CPU. */
int kernel_percpu(struct kernel *k, unsigned int cpu, uint64_t *ret, struct err *err);

#endif
