/* SPDX-License-Identifier: GPL-2.0-or-later */
/* objbtf.h - the type information of an object: its functions and variables in .BTF, places in .BTF.ext. */
#ifndef RULES_OBJBTF_H
#define RULES_OBJBTF_H

#include "rules/objfile.h"

/* A function the runtime defines and generated code calls. */
struct extern_func {
	const char *name;
	uint8_t nargs;
	uint8_t arg_size[4];	/* 4: unsigned int, 8: unsigned long long, 0: pointer */
	uint8_t ret_size;	/* 4: int, 8: unsigned long long */
};

extern const struct extern_func extern_funcs[];
extern const uint32_t nextern_funcs;

/*
 * A map the runtime defines and generated code looks into by itself: an array of one element for each CPU as far as the
 * linker is told (the agent sizes it), of u32 keys and a struct of bpf/layout.h.
 */
struct extern_map {
	const char *name;
	const char *value;	/* name of the struct */
};

extern const struct extern_map extern_maps[];
extern const uint32_t nextern_maps;

/* Where a function's code stands. */
struct func_place {
	uint32_t section;	/* number of its code section in the object's own list */
	uint32_t offset;	/* bytes */
	int btf_id;
};

/* Add functions, externs and variables to obj->btf; fills places[].btf_id. 0 or a negative errno. */
int objbtf_emit(const struct obj *obj, struct func_place *places);

/* The contents of .BTF.ext; after the last string was added to obj->btf by it, .BTF may be written. */
int objbtf_ext(const struct obj *obj, const struct func_place *places, char *const sections[], uint32_t nsections,
	       struct buf *out);

#endif
