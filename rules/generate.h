/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generate.h - the back half of the compiler: checked rules to one BPF object, linked with the runtime.
 */
#ifndef RULES_GENERATE_H
#define RULES_GENERATE_H

#include "lib/buf.h"
#include "lib/err.h"
#include "rules/diag.h"
#include "rules/encode.h"
#include "rules/layout.h"
#include "rules/lower.h"

/* What the stages leave behind, for --emit and tests; all in the arena. */
struct generated {
	struct set_layout layout;
	struct automata automata;
	struct core_types *core;
	struct code_set code;
	struct code *codes;	/* encoded functions, code.nfuncs of them */
	const char *manifest;
	bool plain;			/* in: any loader loads all programs */
	const struct obj_var *extra;	/* further variables, of tests */
	uint32_t nextra;
};

/*
 * Payload layout, lowering, encoding, manifest, object, link: out gets the finished object. Rules that are too big
 * for BPF are diagnostics: then 0 is returned, diags->errors is not zero and out stays empty.
 * Errors: ERR_NOMEM, ERR_SYSTEM, ERR_CORRUPT (the linker refused what we wrote: our bug).
 */
int generate_object(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen, struct buf *out,
		    struct err *err);

/* Only what is wrong: the code of each rule is made and forgotten. For `check`, which tells so of what is too big. */
void generate_check(struct arena *a, struct rule_set *set, struct diags *diags);

/*
 * The same in two steps, for tests that add functions of their own to gen->code between them. generate_code returns
 * non-zero if there are errors in diags.
 */
int generate_code(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen);
int generate_finish(struct arena *a, struct rule_set *set, struct diags *diags, struct generated *gen, struct buf *out,
		    struct err *err);

#endif
