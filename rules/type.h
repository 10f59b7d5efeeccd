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
	bool is_be;			/* integer in the network's byte order: __be16 ... */
	bool is_user;			/* pointer to user memory (__user in a cast, or in BTF type tags) */
	uint32_t nelems;
	const struct type *target;
	const struct btf *btf;		/* the BTF that defines it (vmlinux or a module's), NULL for our own */
	uint32_t btf_id;		/* its id there; for an anonymous struct reached by a typedef: the typedef */
	bool from_text;			/* from C text in the rule: offsets are fixed, no CO-RE */
	const char *name;		/* "inode", "u32", "nf_verdict"; NULL if anonymous */
};

struct arena;
struct kbtf;

/* Makes types, each once, of one compilation. Fields are private to types.c. */
struct types;
struct types *types_create(struct arena *a, struct kbtf *kbtf);

const struct type *type_void(struct types *t);
const struct type *type_bool(struct types *t);
const struct type *type_int(struct types *t, uint32_t size, bool is_signed);
const struct type *type_ptr(struct types *t, const struct type *target);
const struct type *type_user_ptr(struct types *t, const struct type *target);	/* to user memory */
const struct type *type_str(struct types *t, uint32_t size);

/* The type with this id: typedefs and qualifiers resolved, forward declarations by their definition elsewhere. */
const struct type *type_from_btf(struct types *t, const struct btf *btf, uint32_t id);

/* The BTF of the rule's own C text, or NULL: its types are found first, and marked from_text. */
void types_set_text(struct types *t, const struct btf *btf);

/* "struct inode", "unsigned long", "u32", "enum foo"; NULL if there is none. */
const struct type *type_by_name(struct types *t, const char *name);

/* The name that is nearest to a misspelt one of type_by_name, with its "struct ", or NULL. */
const char *type_nearest(struct types *t, const char *name);

/* A member, also of anonymous structs within; bit_off counts from the beginning of st. */
struct type_member {
	const struct type *type;
	const char *name;
	uint32_t bit_off;
	uint32_t bit_size;		/* 0: not a bit-field */
};

/* The n-th member of a struct as it is declared, anonymous ones by no name (NULL); false past the end. */
bool type_member(struct types *t, const struct type *st, uint32_t n, struct type_member *ret);
bool type_find_member(struct types *t, const struct type *st, const char *name, struct type_member *ret);
const char *type_nearest_member(struct types *t, const struct type *st, const char *name);

/* The n-th name of this enum; false past the end. */
bool type_enumerator(const struct type *e, uint32_t n, const char **name, int64_t *value);

/* The value of a name of this enum. */
bool type_enum_value(const struct type *e, const char *name, int64_t *ret);

/* The n-th parameter of a prototype: its name (NULL: none) and type; false past the end or at "...". */
bool type_proto_param(struct types *t, const struct btf *btf, uint32_t proto_id, uint32_t n, const char **name,
		      const struct type **type);
const struct type *type_proto_ret(struct types *t, const struct btf *btf, uint32_t proto_id);

/* Do both describe the same values? Structs of two BTFs are the same if they have the same name. */
bool type_same(const struct type *a, const struct type *b);

static inline bool type_is_integer(const struct type *t)
{
	return t->kind == TYPE_INT || t->kind == TYPE_BOOL || t->kind == TYPE_ENUM;
}

static inline bool type_is_scalar(const struct type *t)
{
	return type_is_integer(t) || t->kind == TYPE_PTR;
}

/* As C writes it: "struct inode *", "unsigned int", "char[16]". */
const char *type_text(struct arena *a, const struct type *t);

#endif
