// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/guards.h"

#include <bpf/bpf.h>
#include <string.h>

#include "agent/running.h"
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

int guards_enter(struct arena *a, const struct set_info *info, bool automatic, const char *const **ret,
		 struct err *err)
{
	const char **why = arena_array(a, info->nrules + 1, sizeof(*why));

	*ret = why;
	for (uint32_t i = 0; i < info->nrules; i++) {
		const struct info_rule *rule = &info->rules[i];
		struct panics_verdict v;

		if (!rule->panics)
			continue;
		if (panics_check(rule->name, (unsigned int)rule->max_panics, (long long)(rule->per_ns / NS_PER_SEC), automatic,
				 &v, err))
			return err_wrap(err, "the ledger of panics");
		if (!v.allowed)
			why[i] = arena_printf(a, "rule '%s' only logs: %s", rule->name, v.why);
		else if (panics_armed(rule->name, err))
			return err_wrap(err, "the ledger of panics");
	}
	return 0;
}

void guards_late(const struct set_info *info)
{
	struct err err;

	for (uint32_t i = 0; i < info->nrules; i++) {
		/* without it a crash whose capture fails counts as an early one: the safe side */
		if (info->rules[i].panics)
			panics_late(info->rules[i].name, &err);
	}
}

/* Is a rule of that name armed with panic by a set that runs here? */
static bool is_armed(const struct running *sets, uint32_t n, const char *rule)
{
	struct df_ctl ctl;
	uint32_t zero = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (bpf_map_lookup_elem(sets[i].ctl_fd, &zero, &ctl) || ctl.armed != DF_ACT_PANIC)
			continue;
		for (uint32_t r = 0; r < sets[i].info.nrules; r++) {
			if (sets[i].info.rules[r].panics && !strcmp(sets[i].info.rules[r].name, rule))
				return true;
		}
	}
	return false;
}

void guards_leave(const struct set_info *info)
{
	struct arena *a = arena_create(NULL, NULL);
	struct running *sets = NULL;
	struct err err;
	uint32_t n = 0;

	/* a note left behind counts as a panic that may have been: the safe side */
	if (!a || running_read(a, &sets, &n, &err))
		return;
	for (uint32_t i = 0; i < info->nrules; i++) {
		if (info->rules[i].panics && !is_armed(sets, n, info->rules[i].name))
			panics_disarmed(info->rules[i].name, &err);
	}
	running_close(sets, n);
	arena_destroy(a);
}
