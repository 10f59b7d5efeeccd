// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/generate.h"

#include <bpf/btf.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/automaton.h"
#include "rules/effort.h"
#include "rules/manifest.h"
#include "rules/objfile.h"
#include "rules/runtime.h"

#define MACHINE_WORDS ((uint32_t)sizeof(struct df_machine) / 8)
#define DECISION_WORDS ((uint32_t)sizeof(struct df_decision) / 8)

/* Instructions that the functions have. */
static uint64_t encode_all(struct arena *a, struct generated *gen, struct rule_set *set, struct diags *diags)
{
	uint64_t total = 0;

	gen->codes = arena_array(a, gen->code.nfuncs + 1, sizeof(*gen->codes));
	for (uint32_t i = 0; i < gen->code.nfuncs; i++) {
		struct span where;
		const char *too_big = encode(gen->code.funcs[i], &gen->codes[i], &where);

		if (too_big)
			diag_hint(diags,
				  diag_error(diags, TAG_TOO_BIG, where.src ? where : set->rules[0].span, "this %s", too_big),
				  "make two rules or two events of it, or simpler expressions");
		total += gen->codes[i].n;
	}
	return total;
}

/* A pattern has 256 readable bytes (bpf/text.h). */
#define TEXT_TAIL 32

static uint64_t *build_literals(struct arena *a, const struct literals *lit, uint32_t *n)
{
	uint64_t *words;

	*n = lit->n + TEXT_TAIL;
	words = arena_array(a, *n, sizeof(*words));
	if (lit->n)
		memcpy(words, lit->words, lit->n * sizeof(*words));
	return words;
}

/* The texts of string parameters, by number. */
static uint64_t *build_param_texts(struct arena *a, const struct rule_set *set, uint32_t *n)
{
	uint64_t *words;

	*n = set->nparams * (PARAM_TEXT / 8) + TEXT_TAIL;
	words = arena_array(a, *n, sizeof(*words));
	for (uint32_t i = 0; i < set->nparams; i++) {
		if (set->params[i]->kind == PARAM_STR)
			strncpy((char *)&words[i * (PARAM_TEXT / 8)], set->params[i]->text, PARAM_TEXT - 1);
	}
	return words;
}

/* Pairs of a flag and its value, rule by rule. */
static uint64_t *build_flag_sets(struct arena *a, struct rule_set *set, uint32_t *n)
{
	uint64_t *pairs = NULL;

	*n = 0;
	for (uint32_t r = 0; r < set->nrules; r++) {
		struct rule *rule = &set->rules[r];

		rule->first_flag = *n;
		rule->nflags = 0;
		for (uint32_t i = 0; i < rule->nactions; i++) {
			if (rule->actions[i].kind != ACTION_SET_FLAG)
				continue;
			pairs = arena_grow(a, pairs, *n, 2 * sizeof(*pairs));
			pairs[2 * *n] = rule->actions[i].flag;
			pairs[2 * (*n)++ + 1] = rule->actions[i].value;
			rule->nflags++;
		}
	}
	if (*n)
		return pairs;
	*n = 1;
	return arena_array(a, 2, sizeof(*pairs));
}

static int write_and_link(struct obj *obj, const struct runtime_size *size, struct buf *out, struct err *err)
{
	struct buf object = BUF_INIT, runtime = BUF_INIT;
	const struct buf *const objects[] = { &object, &runtime };
	int ret = -1;

	if (!obj_write(obj, &object, err) && !runtime_sized(size, &runtime, err))
		ret = link_objects(objects, 2, out, err);
	buf_deinit(&object);
	buf_deinit(&runtime);
	return ret;
}

static struct runtime_size size_of(const struct generated *gen, const struct rule_set *set)
{
	const struct automata *am = &gen->automata;

	struct runtime_size size = { .key_parts = gen->layout.key_parts,
				     .words = gen->layout.words,
				     .nmachines = am->nmachines,
				     .ncells = am->ncells,
				     .ndecisions = am->ndecisions,
				     .nparams = am->nparams,
				     .nrules = set->nrules,
				     .nflags = set->nflags ? set->nflags : 1,
				     .plain = gen->plain };

	for (int h = 0; h < HOOKS; h++) {
		if (gen->code.per_hook[h] && !gen->code.single[h] && !hook_kinds[h].direct)
			size.hooks[size.nhooks++] = hook_kinds[h].section;
	}
	return size;
}

/* Variables, manifest, ELF, link. */
static int emit_object(struct arena *a, struct rule_set *set, struct generated *gen, struct btf *btf, struct buf *out,
		       struct err *err)
{
	const struct automata *am = &gen->automata;
	struct runtime_size size = size_of(gen, set);
	uint32_t nliterals, ntexts, nlate = gen->code.lates.words ? gen->code.lates.words : 1;
	uint64_t *literals = build_literals(a, &gen->code.literals, &nliterals);
	uint64_t *texts = build_param_texts(a, set, &ntexts);
	uint64_t *late = arena_array(a, nlate, sizeof(*late));
	uint64_t *flag_sets = build_flag_sets(a, set, &size.nflag_sets);
	const struct obj_var vars[] = {
		{ ".rodata.df_cfg", "df_cfg_key_parts", 4, 0, &size.key_parts },
		{ ".rodata.df_cfg", "df_cfg_words", 4, 0, &size.words },
		{ ".rodata.df_cfg", "df_cfg_nmachines", 4, 0, &size.nmachines },
		{ ".rodata.df_cfg", "df_cfg_ncells", 4, 0, &size.ncells },
		{ ".rodata.df_cfg", "df_cfg_ndecisions", 4, 0, &size.ndecisions },
		{ ".rodata.df_cfg", "df_cfg_nparams", 4, 0, &size.nparams },
		{ ".rodata.df_cfg", "df_cfg_nrules", 4, 0, &size.nrules },
		{ ".rodata.df_cfg", "df_cfg_nflags", 4, 0, &size.nflags },
		{ ".rodata.df_cfg", "df_cfg_nflag_sets", 4, 0, &size.nflag_sets },
		{ ".rodata.df_cfg", "df_cfg_spare", 4, 0, &size.nrules },	/* what follows is 8-byte aligned */
		{ ".rodata.df_cfg", "df_flag_sets", 8, 2 * size.nflag_sets, flag_sets },
		{ ".rodata.df_cfg", "df_machine_words", 8, am->nmachines * MACHINE_WORDS, am->machines },
		{ ".rodata.df_cfg", "df_decision_words", 8, am->ndecisions * DECISION_WORDS, am->decisions },
		{ ".rodata.df_cfg", "df_cells", 4, am->ncells, am->cells },
		{ ".data.df_params", "df_params", 8, am->nparams, am->params },
		{ ".data.df_flags", "df_flags", 8, size.nflags, NULL },
		{ ".data.df_losses", "df_losses", 4, set->nrules, NULL },
		{ ".data.df_evicts", "df_evicted", 4, set->nrules, NULL },
		{ ".rodata.df_lit", "df_literals", 8, nliterals, literals },
		{ ".rodata.df_late", "df_late", 8, nlate, late },
		{ ".data.df_texts", "df_param_text", 8, ntexts, texts },
	};
	struct obj obj = { .arena = a,
			   .core = gen->core,
			   .btf = btf,
			   .codes = gen->codes,
			   .ncodes = gen->code.nfuncs,
			   .plain = gen->plain,
			   .nvars = sizeof(vars) / sizeof(vars[0]) + gen->nextra };
	struct obj_var *all = arena_array(a, obj.nvars, sizeof(*all));
	char *manifest;

	memcpy(all, vars, sizeof(vars));
	if (gen->nextra)
		memcpy(all + sizeof(vars) / sizeof(vars[0]), gen->extra, gen->nextra * sizeof(*all));
	obj.vars = all;
	if (manifest_build(a, set, &gen->layout, am, &gen->code, gen->codes, gen->code.nfuncs, &manifest, err))
		return -1;
	obj.manifest = gen->manifest = manifest;
	return write_and_link(&obj, &size, out, err);
}

int generate_code(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen)
{
	gen->core = core_types_new(a);
	layout_events(set, diags);
	automata_build(a, set, diags, &gen->automata);
	if (diags->errors)
		return -1;
	layout_set(set, &gen->automata, &gen->layout);
	lower_set(a, diags, gen->core, set, &gen->automata, &gen->code);
	return diags->errors ? -1 : 0;
}

int generate_finish(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen, struct buf *out,
		    struct err *err)
{
	struct btf *btf = btf__new_empty();
	struct effort effort = { 0 };
	int ret = 0;

	if (!btf || core_types_emit(gen->core, btf) < 0) {
		btf__free(btf);
		return err_nomem(err);
	}
	effort_add(&effort, &gen->code);
	effort.insns = encode_all(a, gen, set, diags);
	effort_check(&effort, set, diags);
	if (!diags->errors)
		ret = emit_object(a, set, gen, btf, out, err);
	btf__free(btf);
	return ret;
}

void generate_check(struct arena *a, struct rule_set *set, struct diags *diags)
{
	struct arena *scratch = arena_scratch(a);
	struct effort effort = { 0 };

	for (uint32_t i = 0; i < set->nrules; i++) {
		struct rule_set part = *set;
		struct generated gen = { 0 };

		part.rules += i;
		part.nrules = 1;
		if (!generate_code(scratch, &part, diags, &gen)) {
			effort_add(&effort, &gen.code);
			effort.insns += encode_all(scratch, &gen, &part, diags);
		}
		arena_reset(scratch);
	}
	effort_check(&effort, set, diags);
}

int generate_object(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen, struct buf *out,
		    struct err *err)
{
	return generate_code(a, set, diags, gen) ? 0 : generate_finish(a, set, diags, gen, out, err);
}
