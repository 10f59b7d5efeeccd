// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * faults.c - what a lifecycle detects: the names that `detect` takes, in words, and how a verdict shows which it was. That
 * follows from the event, a free or a use, and from the free that the verdict remembers: an earlier one, this one (nothing
 * was allocated before), or none (the object is live).
 */
#include "rules/rule.h"

#include <string.h>

const struct fault lifecycle_faults[LIFECYCLE_FAULTS] = {
	{ DOUBLE_FREE, "double_free", "freed again", true, "before" },
	{ UNKNOWN_FREE, "unknown_free", "freed, and never allocated", true, "now" },
	{ USE_AFTER_FREE, "use_after_free", "used after it was freed", false, "before" },
	{ STALE_USE, "stale_use", "used as what it was before", false, "never" },
};

const struct fault *fault_of_name(const char *name)
{
	for (uint32_t i = 0; i < LIFECYCLE_FAULTS; i++) {
		if (!strcmp(lifecycle_faults[i].name, name))
			return &lifecycle_faults[i];
	}
	return NULL;
}

const char *fault_words(enum lifecycle_fault bit)
{
	for (uint32_t i = 0; i < LIFECYCLE_FAULTS; i++) {
		if (lifecycle_faults[i].bit == bit)
			return lifecycle_faults[i].words;
	}
	return NULL;
}
