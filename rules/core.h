/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core.h - CO-RE accesses: which member of which kernel struct an instruction speaks of.
 *
 * An object that runs on other kernels names kernel types by *local* types in its own BTF: a struct with the
 * kernel's name and just the members that the rules use. libbpf looks the names up on the target and puts the
 * target's offsets and sizes into the instructions. Local layout is ours to choose: members stand one after the
 * other, and the immediates in the object are the local ones, as libbpf checks before it patches.
 *
 * Kernel side: tools/lib/bpf/relo_core.c; record format in include/uapi/linux/bpf.h, struct bpf_core_relo.
 */
#ifndef RULES_CORE_H
#define RULES_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/expr.h"

struct arena;
struct btf;
struct core_types;

/* One step into a type: a named member, or an element of an array. */
struct core_step {
	const struct member_ref *member;	/* NULL: element number `index` */
	uint32_t index;
	const struct type *type;		/* of what the step leads to */
};

/* A chain of steps from a struct to a scalar, array or struct inside it, with no pointer followed between. */
struct core_access;

struct core_types *core_types_new(struct arena *a);

/*
 * The access of `steps` into a struct. The members are added to the local types as needed; the same chain twice
 * gives equal accesses.
 */
const struct core_access *core_access(struct core_types *ct, const struct type *root, const struct core_step *steps,
				      uint32_t nsteps);

/* A type as a whole, for relocations of its existence and size. */
const struct core_access *core_type(struct core_types *ct, const struct type *type);

/* An enumerator, for its value; `value` is that of the BTF that was checked against. */
const struct core_access *core_enumerator(struct core_types *ct, const struct type *type, const char *name,
					  uint64_t value);

/*
 * Add the local types to an object's BTF, after all accesses are made: adding a member moves others. Returns 0 or
 * a negative errno. The functions below may be asked from then on.
 */
int core_types_emit(struct core_types *ct, struct btf *btf);

/* Immediate of an instruction before relocation: the local offset, size or shift of relocation `kind`. */
uint32_t core_local_value(const struct core_access *access, uint32_t kind);

/* The access's root in the object's BTF, and its access string ("0:1:2"), in the arena. */
uint32_t core_root_id(const struct core_access *access);
const char *core_spec(struct core_types *ct, const struct core_access *access);

/* Of a bit-field: relocations of offset, size and shifts are needed. */
bool core_is_bitfield(const struct core_access *access);

/* Does the access end in a named member (of which the target knows width and sign)? */
bool core_is_member(const struct core_access *access);

void core_access_print(const struct core_access *access, uint32_t kind, FILE *out);

#endif
