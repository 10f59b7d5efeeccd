// SPDX-License-Identifier: GPL-2.0-or-later
/* ready.c - see ready.h. */
#include "kdump/ready.h"

#include "kdump/beside.h"
#include "kdump/files.h"
#include "kdump/kexec.h"
#include "kdump/loaded.h"
#include "kdump/owner.h"
#include "kdump/selftest.h"
#include "kdump/state.h"

#include <stdio.h>
#include <string.h>

static int ready_ours(const struct kdump_state *state, struct err *err)
{
	struct err seen;

	if (loaded_verify(&state->initramfs, &seen) && seen.code == ERR_CORRUPT)
		return err_set(err, ERR_ENVIRONMENT, "another crash kernel was loaded over ours (by kdump-tools?): run "
			       "'deadfall kdump doctor'");
	return 0;
}

/* The service may have loaded its crash kernel anew since: it is looked for where it is now. */
static int ready_beside(const char *root, const struct kdump_state *state, struct err *err)
{
	struct kdump_service service;
	enum owner owner;
	struct err seen;

	if (beside_check(root, &seen))
		return err_set(err, ERR_ENVIRONMENT, "our first step in the crash kernel of %s is missing (%s): run 'deadfall kdump setup "
			       "--beside' again", state->service, seen.msg);
	service_find(root, &service);
	owner = owner_of_loaded(state, &service, NULL);
	if (owner == OWNER_SERVICE || owner == OWNER_UNSEEN)
		return 0;
	return err_set(err, ERR_ENVIRONMENT, "the loaded crash kernel is not that of %s any more: run 'deadfall kdump doctor'",
		       state->service);
}

int kdump_ready_at(const char *root, struct err *err)
{
	struct kdump_state state;
	struct err seen;
	char release[128];

	if (file_number(root, "/sys/kernel/kexec_crash_loaded", 0) != 1) {
		if (kexec_check_possible(root, err))
			return -1;
		return err_set(err, ERR_ENVIRONMENT,
			       "no crash kernel is loaded, so a crash would leave no dump: run 'deadfall kdump setup'");
	}
	if (state_read(root, &state, &seen)) {
		/* Someone else's: it saves a vmcore if it works, of which nothing is known here. */
		if (seen.code == ERR_ABSENT)
			return 0;
		return err_set(err, ERR_ENVIRONMENT, "%s", seen.msg);
	}
	file_line(root, "/proc/sys/kernel/osrelease", release, sizeof(release));
	if (strcmp(release, state.kernel))
		return err_set(err, ERR_ENVIRONMENT, "the crash kernel was set up for kernel %s, but %s runs: run "
			       "'deadfall kdump setup' again", state.kernel, release);
	return *state.service ? ready_beside(root, &state, err) : ready_ours(&state, err);
}

int kdump_ready(struct err *err)
{
	return kdump_ready_at("", err);
}

static void tell_foreign(const char *who)
{
	struct kdump_service service;

	if (file_number("", "/sys/kernel/kexec_crash_loaded", 0) != 1)
		return;
	service_find("", &service);
	if (owner_of_loaded(NULL, &service, NULL) == OWNER_SERVICE)
		fprintf(stderr, "%s: warning: the crash kernel is that of %s: no capsule will be saved, and whether its vmcore keeps "
			"what the report needs is not known; 'deadfall kdump setup --beside' changes that\n", who, service.name);
	else
		fprintf(stderr, "%s: warning: the crash kernel was not loaded by deadfall: no capsule will be saved, and what it saves "
			"is not known; see 'deadfall kdump doctor'\n", who);
}

void kdump_tell(const char *who)
{
	static struct kdump_state state;
	char text[700];
	bool have = !state_read("", &state, NULL);

	if (!have)
		tell_foreign(who);
	selftest_verdict(have ? &state : NULL, text, sizeof(text));
	fprintf(stderr, "%s: kdump test: %s\n", who, text);
}
