/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orc.h - x86-64's unwind tables, in the dump: where the caller's frame is, for an address in kernel code.
 *
 * The kernel's own table is found by its symbols, those of modules by struct module; code that ftrace copied into a
 * trampoline has the entries of the code it was copied from. Tables are read entry by entry (a kernel's is 3 MB): a
 * capsule holds only what was asked for.
 */
#ifndef KDUMP_ORC_H
#define KDUMP_ORC_H

#include "kdump/kernel.h"
#include "lib/arena.h"

/* arch/x86/include/asm/orc_types.h */
enum orc_reg {
	ORC_UNDEFINED = 0,
	ORC_PREV_SP = 1,
	ORC_DX = 2,
	ORC_DI = 3,
	ORC_BP = 4,
	ORC_SP = 5,
	ORC_R10 = 6,
	ORC_R13 = 7,
	ORC_BP_INDIRECT = 8,
	ORC_SP_INDIRECT = 9,
};

enum orc_type {
	ORC_NONE,		/* no unwinding from here */
	ORC_END,		/* the outermost frame */
	ORC_CALL,		/* a return address lies below the caller's stack */
	ORC_REGS,		/* a struct pt_regs lies there */
	ORC_REGS_PARTIAL,	/* the part of it that the CPU pushes */
};

struct orc_entry {
	int sp_offset, bp_offset;
	enum orc_reg sp_reg, bp_reg;
	enum orc_type type;
};

struct orc;

/* Look for the tables; they live in the arena. NULL: *err says what the dump lacks. */
struct orc *orc_open(struct kernel *k, struct arena *a, struct err *err);

/* The entry for an address. ERR_ABSENT: no table covers it (generated code: BPF programs, trampolines). */
int orc_find(struct orc *o, uint64_t ip, struct orc_entry *ret, struct err *err);

#endif
