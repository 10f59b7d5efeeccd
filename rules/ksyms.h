/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ksyms.h - functions of the running kernel by its symbols (/proc/kallsyms), for those that BTF lacks: functions of modules
 * without BTF, and what the compiler made of others ("free_one.constprop.0"). With the BTF of a file there are none.
 * Each call reads all symbols: for names that BTF lacks.
 */
#ifndef RULES_KSYMS_H
#define RULES_KSYMS_H

#include <stdbool.h>
#include <stddef.h>

struct kbtf;

/*
 * Call fn for each function, of a module ("vmlinux": of the kernel itself; NULL: of any), until it returns non-zero, which
 * is returned. module is "" for the kernel itself. Left out is what cannot be a function that a rule means: BPF programs,
 * trampolines, padding in front of functions, parts that are seldom run.
 */
int ksyms_each(const struct kbtf *k, const char *wanted, int (*fn)(const char *name, const char *module, void *arg), void *arg);

/* Is there a function of this name? Then its module is in module ("": the kernel itself). */
bool ksyms_find(const struct kbtf *k, const char *wanted, const char *name, char *module, size_t size);

/* The first function that the compiler made of `name`, or, where that is a glob, that matches it; false: none. */
bool ksyms_made_of(const struct kbtf *k, const char *wanted, const char *name, char *made, size_t size);

/* Is it the name of a function that the compiler made of another, which has its own arguments? */
bool ksyms_is_made(const char *name);

#endif
