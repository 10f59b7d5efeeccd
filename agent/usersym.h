/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usersym.h - functions of a program in user space: where in its file a uprobe goes. */
#ifndef AGENT_USERSYM_H
#define AGENT_USERSYM_H

#include <libelf.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

/*
 * Open a program. *fd (-1: none) and the result are the caller's, the result is to be ended first (usersym_end() is a scope
 * guard). NULL: ERR_ABSENT, ERR_CORRUPT, or ERR_UNSUPPORTED for another architecture.
 */
Elf *usersym_open(const char *path, int *fd, struct err *err);

static inline void usersym_end(Elf **elf)
{
	elf_end(*elf);
}

/*
 * The file offset of "SYMBOL", "SYMBOL+OFF" or "0xADDRESS" (as the program's symbol table counts) in an ELF file.
 * Errors: ERR_ABSENT (no such file or symbol; a near name is offered), ERR_INVALID, ERR_CORRUPT, ERR_UNSUPPORTED.
 */
int usersym_find(struct arena *a, const char *path, const char *where, uint64_t *offset, struct err *err);

/* The address of a symbol; 0: not found. */
uint64_t usersym_address(Elf *elf, const char *name);

/* Where an address of the program lies in the file; 0 if nowhere. */
uint64_t usersym_offset(Elf *elf, uint64_t addr);

#endif
