/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.h - from rule files to a BPF object, stage by stage.
 */
#ifndef RULES_COMPILE_H
#define RULES_COMPILE_H

#include <stdio.h>

#include "lib/err.h"
#include "rules/diag.h"
#include "rules/kbtf.h"
#include "rules/rule.h"

/*
 * The front half: files -> tree -> rules -> checked rules. All errors of all documents are in diags; *ret is NULL
 * if there is any. Returns 0. Everything lives in the arena; kbtf must outlive it.
 */
int compile_check(struct arena *a, char *const files[], int nfiles, struct kbtf *kbtf, struct diags *diags,
		  struct rule_set **ret);

/* The files' texts; *n of them. What cannot be read is in diags. */
struct source **compile_read(struct arena *a, char *const files[], int nfiles, struct diags *diags, uint32_t *n);

/* The front half of what has been read: of all rules (names NULL), or of those with these names only. */
int compile_sources(struct arena *a, struct source *const sources[], uint32_t n, const char *const names[],
		    uint32_t nnames, struct kbtf *kbtf, struct diags *diags, struct rule_set **ret);

/* The same of a text in memory. */
int compile_check_text(struct arena *a, const char *name, const char *text, size_t len, struct kbtf *kbtf,
		       struct diags *diags, struct rule_set **ret);

/* Only the first stage: the trees of all documents as text. */
struct buf;
int compile_trees(struct arena *a, char *const files[], int nfiles, struct diags *diags, struct buf *out);

#endif
