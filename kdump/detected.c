// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/detected.h"

#include <string.h>

static bool is_at(const struct mf_fault *f, uint64_t event)
{
	for (size_t i = 0; i < f->nevents; i++) {
		if (f->events[i] == event)
			return true;
	}
	return false;
}

const struct mf_fault *detected(const struct mf_rule *rule, uint64_t event, uint64_t seq, const uint64_t step[2])
{
	const char *freed = !step[1] ? "never" : step[1] == seq ? "now" : "before";

	for (size_t i = 0; i < rule->nfaults; i++) {
		if (is_at(&rule->faults[i], event) && !strcmp(rule->faults[i].freed, freed))
			return &rule->faults[i];
	}
	return NULL;
}
