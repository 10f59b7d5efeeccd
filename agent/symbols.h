/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbols.h - the running kernel's symbols, those of modules included.
 */
#ifndef AGENT_SYMBOLS_H
#define AGENT_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

struct symbol {
	uint64_t addr;
	const char *name;
	const char *module;	/* NULL: vmlinux */
	char type;		/* as nm has it */
};

/* Sorted by address. */
struct symbols {
	struct symbol *items;
	uint32_t n;
};

/* Read /proc/kallsyms. ERR_ENVIRONMENT if the kernel hides the addresses. */
int symbols_read(struct arena *a, struct symbols *ret, struct err *err);

/* For tests: the same of a text, which is changed. */
void symbols_parse(struct arena *a, char *text, struct symbols *ret);

bool symbol_is_code(const struct symbol *s);

/* Where a symbol's code ends: at the next address that has a symbol. */
uint64_t symbol_end(const struct symbols *syms, const struct symbol *s);

#endif
