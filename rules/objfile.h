/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * objfile.h - encoded functions and data of a set as a BPF ELF object, as clang would write it: programs and
 * subprograms, data sections, BTF, .BTF.ext with function, line and CO-RE information.
 *
 * Line information points into the rule files: the verifier, llvm-objdump -S and bpftool print YAML.
 */
#ifndef RULES_OBJFILE_H
#define RULES_OBJFILE_H

#include "lib/buf.h"
#include "lib/err.h"
#include "rules/core.h"
#include "rules/encode.h"

struct arena;

/* A variable of the object, defined in a data section of its own or together with others of the same section. */
struct obj_var {
	const char *section;	/* ".rodata.df_cfg", ".data.df_params" */
	const char *name;
	uint32_t elem_size;	/* 4 or 8: unsigned int, unsigned long long */
	uint32_t nelems;	/* 0: not an array */
	const void *data;	/* little-endian */
};

struct obj {
	struct arena *arena;
	struct core_types *core;
	struct btf *btf;	/* local types in it (core_types_emit) */
	struct code *codes;
	uint32_t ncodes;
	const struct obj_var *vars;
	uint32_t nvars;
	bool plain;		/* programs that only the agent would load are not marked as such */
	const char *manifest;	/* text; its NUL goes into the section too */
};

/* Write the object; out is appended to. Errors: ERR_NOMEM, ERR_SYSTEM. */
int obj_write(const struct obj *obj, struct buf *out, struct err *err);

#endif
