// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/compile.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/check.h"
#include "rules/memory_set.h"
#include "rules/print.h"
#include "rules/read.h"
#include "rules/yaml.h"

/* source -> tree -> rules; the tree is gone afterwards. */
static void read_source(struct arena *a, struct arena *tree, const struct source *src, struct diags *diags,
			struct rule_set *set)
{
	struct reader r = { .arena = a, .temp = tree, .diags = diags };
	uint32_t before = diags->errors;
	struct yaml_file *f;

	f = yaml_parse(a, tree, src, diags);
	if (!f->ndocs && before == diags->errors)
		diag_error(diags, TAG_FILE, (struct span){ .src = src }, "no rule in this file");
	set->rules = arena_reserve(a, set->rules, set->nrules, f->ndocs, sizeof(*set->rules));
	for (uint32_t i = 0; i < f->ndocs; i++)
		read_rule(&r, f->docs[i], &set->rules[set->nrules++]);
	arena_reset(tree);
}

int compile_trees(struct arena *a, char *const files[], int nfiles, struct diags *diags, struct buf *out)
{
	struct yaml_file *f;
	struct source *src;
	struct err err;

	for (int i = 0; i < nfiles; i++) {
		if (source_read(a, files[i], &src, &err)) {
			diag_error(diags, TAG_FILE, (struct span){ 0 }, "%s", err.msg);
			continue;
		}
		f = yaml_parse(a, a, src, diags);
		for (uint32_t j = 0; j < f->ndocs; j++)
			tree_print(out, f->docs[j]);
	}
	return diags->errors ? -1 : 0;
}

static int check_set(struct arena *a, struct rule_set *set, struct kbtf *kbtf, struct diags *diags,
		     struct rule_set **ret)
{
	struct check check = { .arena = a, .diags = diags, .kbtf = kbtf, .types = types_create(a, kbtf), .set = set };

	set->types = check.types;
	check_rules(&check);
	memory_share(a, set, kbtf, diags);
	if (kbtf_nomem(kbtf))
		arena_alloc(a, SIZE_MAX);
	*ret = diags->errors ? NULL : set;
	return 0;
}

int compile_check_text(struct arena *a, const char *name, const char *text, size_t len, struct kbtf *kbtf,
		       struct diags *diags, struct rule_set **ret)
{
	struct rule_set *set = arena_new(a, struct rule_set);

	read_source(a, arena_inner(a), source_from_text(a, name, text, len), diags, set);
	return check_set(a, set, kbtf, diags, ret);
}

static bool is_among(const char *name, const char *const names[], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

int compile_sources(struct arena *a, struct source *const sources[], uint32_t n, const char *const names[],
		    uint32_t nnames, struct kbtf *kbtf, struct diags *diags, struct rule_set **ret)
{
	struct rule_set *set = arena_new(a, struct rule_set);
	struct arena *tree = arena_inner(a);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		read_source(a, tree, sources[i], diags, set);
	for (uint32_t i = 0; names && i < set->nrules; i++) {
		if (is_among(set->rules[i].name, names, nnames))
			set->rules[kept++] = set->rules[i];
	}
	if (names)
		set->nrules = kept;
	return check_set(a, set, kbtf, diags, ret);
}

struct source **compile_read(struct arena *a, char *const files[], int nfiles, struct diags *diags, uint32_t *n)
{
	struct source **sources = arena_array(a, (size_t)nfiles + 1, sizeof(*sources));
	struct err err;

	*n = 0;
	for (int i = 0; i < nfiles; i++) {
		if (source_read(a, files[i], &sources[*n], &err))
			diag_error(diags, TAG_FILE, (struct span){ 0 }, "%s", err.msg);
		else
			(*n)++;
	}
	return sources;
}

int compile_check(struct arena *a, char *const files[], int nfiles, struct kbtf *kbtf, struct diags *diags,
		  struct rule_set **ret)
{
	uint32_t n;
	struct source **sources = compile_read(a, files, nfiles, diags, &n);

	return compile_sources(a, sources, n, NULL, 0, kbtf, diags, ret);
}
