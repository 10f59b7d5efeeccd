// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/loadable.h"

static void not_yet(struct diags *diags, struct span span, const char *what)
{
	diag_hint(diags, diag_error(diags, TAG_NOT_YET, span, "%s cannot be loaded by this version", what),
		  "'deadfall check' accepts it; a later version will run it");
}

static void check_event(struct diags *diags, const struct event *ev)
{
	if (ev->wait_module && ev->unresolved)
		not_yet(diags, ev->span, "an event that waits for a module");
}

static void check_rule(struct diags *diags, const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->nevents; i++)
		check_event(diags, &rule->events[i]);
}

void loadable_check(struct diags *diags, const struct rule_set *set)
{
	for (uint32_t i = 0; i < set->nrules; i++)
		check_rule(diags, &set->rules[i]);
}
