/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.h - BTF as DWARF 4: one compilation unit with every type, and variables.
 *
 * BTF tells the same about types as DWARF does (it is made from it); what it leaves out (source lines, locals, most
 * globals) is left out here.
 */
#ifndef KDUMP_DWARF_H
#define KDUMP_DWARF_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

struct btf;

/* A global variable: `type` is a C type, "struct rq", "unsigned long [8192]", "struct printk_ringbuffer *". */
struct dwarf_var {
	const char *name;
	const char *type;	/* NULL: type_id */
	uint32_t type_id;
	uint64_t addr;
};

/* A member that is shown under another name: struct, member as in BTF, name to show. */
struct dwarf_rename {
	const char *type, *member, *as;
};

struct dwarf {
	struct buf info, abbrev, str;
};

/*
 * Make the three sections. Variables whose type is not known are left out, never guessed; *left_out counts them.
 * renames ends with a NULL type. thread_size: bytes of a kernel stack, for union thread_union, which BTF lacks.
 */
int dwarf_make(const struct btf *btf, const struct dwarf_var *vars, size_t nvars, const struct dwarf_rename *renames,
	       uint32_t thread_size, struct dwarf *ret, size_t *left_out, struct err *err);
void dwarf_deinit(struct dwarf *d);

#endif
