/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.h - the BPF runtime object inside the deadfall binary, cut to a set's size, and linking with it.
 */
#ifndef RULES_RUNTIME_H
#define RULES_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Sizes that the runtime's BTF gets: see bpf/runtime.h, "resized". */
struct runtime_size {
	uint32_t key_parts, words;
	uint32_t nmachines, ncells, ndecisions, nparams, nrules;
	uint32_t nflags, nflag_sets;	/* at least 1 */
	const char *hooks[16];		/* sections of the hooks that the set uses: plain loaders load these */
	uint32_t nhooks;
	bool plain;			/* ... all sections */
};

/* The runtime object with these sizes. Errors: ERR_CORRUPT (a runtime that lacks a type: a build fault), ERR_NOMEM. */
int runtime_sized(const struct runtime_size *size, struct buf *out, struct err *err);

struct btf;

/* Copy a struct of the runtime, with all types it is made of, into btf; its id there, or a negative errno. */
int runtime_struct(struct btf *btf, const char *name);

/* Where in its section a variable of the runtime stands; 0 if there is no such. */
uint32_t runtime_symbol(const char *name);

/*
 * Link the objects into one with libbpf's linker, in memory. The linker is made for trusted objects: only what this
 * process wrote may be given to it. Its complaints go to err.
 */
int link_objects(const struct buf *const objects[], int n, struct buf *out, struct err *err);

#endif
