/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * type.h - types of expressions: C's, as BTF describes them.
 *
 * Types live in the compilation's arena, are immutable, and are compared with type_same(). Typedefs and
 * qualifiers are gone (their BTF ids are kept where CO-RE needs a name).
 */
#ifndef RULES_TYPE_H
#define RULES_TYPE_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

enum type_kind {
	TYPE_VOID,
	TYPE_INT,	/* integers and char; size 1, 2, 4, 8; is_signed */
	TYPE_BOOL,	/* result of a comparison, bool of C: size 1 */
	TYPE_ENUM,	/* an integer with names: size, is_signed */
	TYPE_PTR,	/* target: what it points to (TYPE_VOID for void *) */
	TYPE_ARRAY,	/* target: the element; nelems 0 = unknown (flexible) */
	TYPE_STRUCT,	/* struct or union: is_union */
	TYPE_FUNC,
	TYPE_STR,	/* a string value of at most `size` bytes (literal, comm, path): not C's char array */
};

struct type {
	enum type_kind kind;
	uint32_t size;			/* bytes; 0 if unknown (void, function, incomplete struct) */
	bool is_signed, is_union;
	bool is_char;			/* one-byte integer named char: arrays of it read as strings */
	bool is_user;			/* pointer to user memory (__user in BTF type tags, where known) */
	uint32_t nelems;
	const struct type *target;
	const struct btf *btf;		/* the BTF that defines it (vmlinux or a module's), NULL for our own */
	uint32_t btf_id;		/* its id there; for an anonymous struct reached by a typedef: the typedef */
	const char *name;		/* "inode", "u32", "nf_verdict"; NULL if anonymous */
};

#endif
