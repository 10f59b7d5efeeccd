/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program.h - an executable and the shared libraries it needs, for the crash initramfs.
 *
 * What a program needs is what its own loader says: the interpreter that its ELF header names is run with
 * --list. So RUNPATH, ld.so.conf and LD_LIBRARY_PATH count as they do when the program is started.
 */
#ifndef KDUMP_PROGRAM_H
#define KDUMP_PROGRAM_H

#include "kdump/cpio.h"
#include "lib/buf.h"
#include "lib/err.h"

/*
 * The path of the loader that an ELF executable names (PT_INTERP), "" for a static one. ERR_CORRUPT if the
 * bytes are no ELF file of this machine.
 */
int program_interpreter(const struct buf *elf, char *out, size_t size, struct err *err);

/*
 * Cut off what stands behind the last loaded segment: debug information and the section table, which only
 * tools read. Bytes that are no ELF file are left as they are.
 */
void program_cut(struct buf *elf);

/*
 * Put the executable `path` into the archive as bin/NAME, its libraries into lib/ under the names by which
 * they are asked for, and the loader at the path that the executable names. What is there already is shared.
 */
int program_add(struct cpio *c, const char *path, const char *name, struct err *err);

#endif
