/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.h - what a compiled set says about itself: docs/manifest.md describes the text. */
#ifndef RULES_MANIFEST_H
#define RULES_MANIFEST_H

#include "lib/err.h"
#include "rules/encode.h"
#include "rules/layout.h"
#include "rules/lower.h"

/* The manifest of a set as JSON text, in the arena. */
int manifest_build(struct arena *a, const struct rule_set *set, const struct set_layout *layout,
		   const struct automata *am, const struct code_set *cs, const struct code *codes, uint32_t ncodes,
		   char **ret, struct err *err);

#endif
