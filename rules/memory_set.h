/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_set.h - the memory of a set of checked rules, for `check`: as the budget sees it, and as JSON. */
#ifndef RULES_MEMORY_SET_H
#define RULES_MEMORY_SET_H

#include <jansson.h>

#include "rules/diag.h"
#include "rules/memory.h"
#include "rules/rule.h"

struct kbtf;

/*
 * Give rules that do not say how many keys they want what there is for them: 4096 each, and less if they are many, or if
 * the set would not fit into the usual budget. Lays out the events of a set that has no errors.
 */
void memory_share(struct arena *a, struct rule_set *set, struct kbtf *kbtf, struct diags *diags);

/*
 * What the set would take on the kernel whose types kbtf has, with spec->cpus CPUs. Over the budget is an error at the
 * table that takes most. Returns -1 if the set's tables cannot be made; that is in diags.
 */
int memory_of_set(struct arena *a, struct rule_set *set, struct kbtf *kbtf, uint64_t budget, struct diags *diags,
		  struct memory_spec *spec, struct memory *ret);

/* An entry for the array that check --json prints: a note with the figures. */
json_t *memory_json(struct arena *a, const struct memory_spec *spec, const struct memory *m, uint64_t budget);

#endif
