/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.h - a compiled set's object file in memory: its manifest, and patching of argument loads.
 *
 * libbpf is not made for hostile objects. Before it sees one, the object has been checked here (ELF header, section
 * and symbol bounds by libelf) - and an object runs with root's privileges: load only those you made.
 */
#ifndef AGENT_OBJECT_H
#define AGENT_OBJECT_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/* The manifest's text: a pointer into the object. */
int object_manifest(const struct buf *object, const char **text, size_t *len, struct err *err);

/*
 * Make instruction number `insn` of a function load the argument at position `pos` (0-based, in registers).
 * Errors: ERR_CORRUPT (no such function or the instruction loads no argument), ERR_UNSUPPORTED (pos >= 6).
 */
int object_patch_arg(struct buf *object, const char *func, uint32_t insn, uint32_t pos, struct err *err);

/* Let two functions of one section change names: what called the first calls the second. */
int object_swap_functions(struct buf *object, const char *first, const char *second, struct err *err);

#endif
