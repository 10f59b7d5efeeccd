/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.h - BTF as DWARF 4: a compilation unit with every type, and variables.
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

/* A struct shown otherwise than it is: see compat.h. */
struct dwarf_patch {
	enum { DWARF_RENAME, DWARF_RESIZE, DWARF_ADD } kind;
	const char *type;	/* name of the struct */
	const char *member;	/* DWARF_RENAME: as in BTF; DWARF_ADD: its name */
	const char *as;		/* DWARF_RENAME: name to show; DWARF_ADD: a type that BTF names */
	uint32_t value;		/* DWARF_RESIZE: bytes; DWARF_ADD: offset */
};

/* A constant that a debugger looks up in the scope of the code at an address. */
struct dwarf_scoped {
	const char *name;	/* NULL: there is none */
	int32_t value;
	uint64_t addr;
};

struct dwarf_input {
	const struct btf *btf;
	const struct dwarf_var *vars;
	size_t nvars;
	const struct dwarf_patch *patches;	/* ends with a NULL type */
	uint32_t thread_size;			/* bytes of a kernel stack, for union thread_union, which BTF lacks */
	struct dwarf_scoped scoped;
};

struct dwarf {
	struct buf info, abbrev, str;
};

/*
 * Make the three sections. Variables whose type is not known are left out, never guessed; *left_out counts them.
 * dwarf_deinit() frees what *ret holds, also after a failure.
 */
int dwarf_make(const struct dwarf_input *in, struct dwarf *ret, size_t *left_out, struct err *err);
void dwarf_deinit(struct dwarf *d);

#endif
