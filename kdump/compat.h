/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compat.h - how a kernel is presented to debuggers that know only older ones.
 *
 * crash 8.0.2 (2022) and drgn 0.0.22 look for symbols and types that later kernels moved. Each entry of the tables in
 * compat.c names the kernel commit, what it moved, and how we present it.
 */
#ifndef KDUMP_COMPAT_H
#define KDUMP_COMPAT_H

#include "kdump/dwarf.h"
#include "kdump/kernel.h"

/* A symbol that the kernel no longer has, at its place inside another. */
struct compat_alias {
	const char *name;	/* as older kernels called it */
	const char *symbol;	/* where it is now: this symbol ... */
	const char *type, *member;	/* ... and this member of it, or NULL */
	const char *c_type;	/* its type */
};

extern const struct compat_alias compat_aliases[];	/* ends with a NULL name */

/* Globals that debuggers want typed and whose types BTF does not tell. Ends with a NULL name. */
struct compat_global {
	const char *name, *c_type;
};

extern const struct compat_global compat_globals[];

#define COMPAT_PATCHES_MAX 16

/* How this kernel's structs are to be shown; ends with a NULL type. */
void compat_patches(struct kernel *k, struct dwarf_patch ret[COMPAT_PATCHES_MAX]);

/*
 * The constant from which crash takes HZ: write_expire, 5 * HZ, in the scope of dd_init_queue, which is one of the aliases.
 * name is NULL if the kernel's HZ is not known.
 */
struct dwarf_scoped compat_hz(struct kernel *k);

/*
 * The unwind table of v6.4 and later as older debuggers know it: true if it has to be changed; then convert each entry, and
 * let the file have the section .orc_header with these bytes, by which newer debuggers know the encoding.
 */
#define COMPAT_ORC_ENTRY 6
extern const uint8_t compat_orc_header[20];

bool compat_orc_changed(struct kernel *k);
void compat_orc_entry(uint8_t entry[COMPAT_ORC_ENTRY]);

/* Bytes of a kernel stack: from the kernel's own memory, or the architecture's usual. */
uint32_t compat_thread_size(struct kernel *k);

#endif
