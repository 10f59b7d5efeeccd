/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * functions.h - the kernel functions that can be probed here, and finding those that a rule names.
 *
 * The list is the tracing file system's available_filter_functions_addrs (v6.5, commit 83f74441bcb1), or
 * available_filter_functions with addresses from kallsyms before that. It is read once, and only when a rule
 * probes functions. libbpf's own globbing takes its names from kallsyms, where untraceable ones make the whole
 * attachment fail.
 */
#ifndef AGENT_FUNCTIONS_H
#define AGENT_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

struct function {
	const char *name;
	const char *module;	/* NULL: vmlinux */
	uint64_t addr;		/* of its symbol */
};

struct functions {
	struct function *items;	/* sorted by name */
	uint32_t n;
};

/* Open the list, with or without addresses; negative and errno: it is not there, or may not be read. */
int functions_open(bool with_addrs);

/* Read the list. Errors: ERR_ENVIRONMENT (no tracefs, no privilege), ERR_SYSTEM. */
int functions_read(struct arena *a, struct functions *ret, struct err *err);

/* Parse the two formats, for tests; text is changed. with_addrs: lines begin with an address. */
void functions_parse(struct arena *a, char *text, bool with_addrs, struct functions *ret);

/*
 * Call fn for every function that a pattern of the rule language names: a glob, {a*,b*,!c*}, or a|b|c (the first
 * alternative that exists). module NULL: any. Returns the number of matches.
 */
uint32_t functions_match(const struct functions *fs, const char *module, const char *pattern,
			 void (*fn)(const struct function *f, void *arg), void *arg);

/* The name nearest to a misspelt one, or NULL. */
const char *functions_nearest(const struct functions *fs, const char *name);

#endif
