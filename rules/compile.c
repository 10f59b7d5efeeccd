// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/compile.h"

#include "lib/arena.h"
#include "rules/check.h"
#include "rules/print.h"
#include "rules/read.h"
#include "rules/yaml.h"

/* source -> tree -> rules, of one file */
static void read_file(struct arena *a, const char *path, struct diags *diags, struct rule_set *set)
{
	struct reader r = { .arena = a, .diags = diags };
	uint32_t before = diags->errors;
	struct yaml_file *f;
	struct source *src;
	struct err err;

	if (source_read(a, path, &src, &err)) {
		diag_error(diags, TAG_FILE, (struct span){ 0 }, "%s", err.msg);
		return;
	}
	f = yaml_parse(a, src, diags);
	if (!f->ndocs && before == diags->errors)
		diag_error(diags, TAG_FILE, (struct span){ .src = src }, "no rule in this file");
	for (uint32_t i = 0; i < f->ndocs; i++) {
		set->rules = arena_grow(a, set->rules, set->nrules, sizeof(*set->rules));
		read_rule(&r, f->docs[i], &set->rules[set->nrules++]);
	}
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
		f = yaml_parse(a, src, diags);
		for (uint32_t j = 0; j < f->ndocs; j++)
			tree_print(out, f->docs[j]);
	}
	return diags->errors ? -1 : 0;
}

int compile_check(struct arena *a, char *const files[], int nfiles, struct kbtf *kbtf, struct diags *diags,
		  struct rule_set **ret)
{
	struct rule_set *set = arena_new(a, struct rule_set);
	struct check check = { .arena = a, .diags = diags, .kbtf = kbtf, .types = types_create(a, kbtf), .set = set };

	for (int i = 0; i < nfiles; i++)
		read_file(a, files[i], diags, set);
	check_rules(&check);
	if (kbtf_nomem(kbtf))
		arena_alloc(a, SIZE_MAX);
	*ret = diags->errors ? NULL : set;
	return 0;
}
