/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmlinux.h - a namelist for crash and drgn made from a dump alone: an ELF file with a symbol table (kallsyms), types
 * (BTF as DWARF) and the globals whose types are known; code and data are those of the dump.
 */
#ifndef KDUMP_VMLINUX_H
#define KDUMP_VMLINUX_H

#include "kdump/kernel.h"

/* What went into the file. */
struct vmlinux_stats {
	size_t symbols, types, globals, left_out;
	size_t modules_left_out;	/* whose types cannot be read */
};

/* Write it to fd. Fails with what is missing in the dump, or ERR_SYSTEM. */
int vmlinux_write(struct kernel *k, int fd, struct vmlinux_stats *stats, struct err *err);

#endif
