// SPDX-License-Identifier: GPL-2.0-or-later
/* ready.c - see ready.h. */
#include "kdump/ready.h"

#include "kdump/files.h"
#include "kdump/kexec.h"
#include "kdump/loaded.h"
#include "kdump/state.h"

#include <string.h>

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
	if (loaded_verify(&state.initramfs, &seen) && seen.code == ERR_CORRUPT)
		return err_set(err, ERR_ENVIRONMENT, "another crash kernel was loaded over ours (by kdump-tools?): run "
			       "'deadfall kdump setup' again");
	return 0;
}

int kdump_ready(struct err *err)
{
	return kdump_ready_at("", err);
}
