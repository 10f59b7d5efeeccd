// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/guards.h"

#include <string.h>

#include "kdump/panics.h"
#include "kdump/ready.h"
#include "kdump/selftest.h"
#include "lib/arena.h"

#define NS_PER_SEC 1000000000ULL

int guards_check_kdump(const struct set_info *info, struct err *err)
{
	for (uint32_t i = 0; i < info->nrules; i++) {
		const struct info_rule *rule = &info->rules[i];

		if (!rule->panics || !strcmp(rule->kdump, "optional"))
			continue;
		if (kdump_ready(err))
			return err_wrap(err, "rule '%s' is not armed, its crash would not be captured (--dry-run only reports, "
					     "--force arms all the same)", rule->name);
		if (!strcmp(rule->kdump, "tested") && kdump_tested(err))
			return err_wrap(err, "rule '%s' is not armed, its guard wants a tested kdump", rule->name);
	}
	return 0;
}

int guards_check_panics(struct arena *a, const struct info_rule *rule, bool automatic, const char **why, struct err *err)
{
	struct panics_verdict v;

	*why = NULL;
	if (panics_check(rule->name, (unsigned int)rule->max_panics, (long long)(rule->per_ns / NS_PER_SEC), automatic, &v,
			 err))
		return err_wrap(err, "the ledger of panics");
	if (!v.allowed)
		*why = arena_printf(a, "rule '%s' only logs: %s", rule->name, v.why);
	return 0;
}

int guards_armed(const struct info_rule *rule, struct err *err)
{
	return panics_armed(rule->name, err) ? err_wrap(err, "the ledger of panics") : 0;
}

void guards_disarmed(const struct info_rule *rule)
{
	struct err err;

	/* a note left behind counts as a panic that may have been: the safe side */
	panics_disarmed(rule->name, &err);
}
