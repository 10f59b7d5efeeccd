/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kallsyms.h - the kernel's own symbol table, as it lies in memory.
 *
 * scripts/kallsyms.c writes it: names are sequences of token numbers (an index of 256 tokens, the first letter of
 * an expanded name is the symbol's type), preceded by their length (one byte; since v6.1, 73bbb94466fd "kallsyms:
 * support big kernel symbols", two bytes ULEB128 when over 127); addresses are 32-bit offsets from a base. Symbols
 * are sorted by address.
 *
 * The names stay compressed: a hash of each is kept (600 KB for 150,000 symbols), so that a table needs about 4 MB
 * in the crash kernel and a lookup microseconds.
 */
#ifndef KDUMP_KALLSYMS_H
#define KDUMP_KALLSYMS_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define KALLSYMS_NAME_MAX 512	/* KSYM_NAME_LEN, v6.1 on */
#define KALLSYMS_TOKENS 256

/* The parts of the table, copied out of the dump. Untrusted. */
struct kallsyms_raw {
	uint32_t num;
	uint64_t relative_base;
	uint8_t *names;			/* malloc'd, owned by struct kallsyms once given to it */
	size_t names_len;		/* may be longer than the table */
	char *token_table;		/* malloc'd */
	size_t token_table_len;
	uint16_t token_index[KALLSYMS_TOKENS];
	int32_t *offsets;		/* malloc'd, num of them */
};

struct kallsyms;

/* Frees the parts. */
void kallsyms_raw_deinit(struct kallsyms_raw *raw);

/*
 * Check and index a table. Takes over the parts of *raw, also on failure. NULL with ERR_CORRUPT when names and
 * tokens do not fit, ERR_NOMEM.
 */
struct kallsyms *kallsyms_create(struct kallsyms_raw *raw, struct err *err);
void kallsyms_destroy(struct kallsyms *s);

/* Address of the first symbol with that name. ERR_ABSENT. */
int kallsyms_find(const struct kallsyms *s, const char *name, uint64_t *ret, struct err *err);

/*
 * The last symbol at or below addr, of several at one address the first, as the kernel prints it. name is cut to
 * size. ERR_ABSENT when addr is below all of them.
 */
int kallsyms_at(const struct kallsyms *s, uint64_t addr, char *name, size_t size, uint64_t *start, struct err *err);

size_t kallsyms_count(const struct kallsyms *s);

/* Symbol number i: its address, type letter and name (cut to size). */
uint64_t kallsyms_get(const struct kallsyms *s, size_t i, char *type, char *name, size_t size);

#endif
