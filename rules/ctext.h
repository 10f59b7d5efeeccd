/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctext.h - types from C text in a rule, for what the kernel's BTF lacks (modules of 6.1, opaque buffers).
 *
 *	types: |
 *	  struct widget { u32 id; u32 len; struct task_struct *owner; char name[16]; };
 *
 * The text becomes BTF on top of the kernel's, with offsets by the rules of C on x86-64; so the rest of the compiler
 * sees no difference, except that such offsets are as written, and not looked up again on another kernel.
 */
#ifndef RULES_CTEXT_H
#define RULES_CTEXT_H

#include "rules/check.h"

/* The BTF of a text, freed with the arena; NULL after an error that is in diags. */
const struct btf *ctext_read(struct check *c, const struct node *text);

#endif
