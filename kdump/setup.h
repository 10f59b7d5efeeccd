/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.h - `deadfall kdump setup`: make this machine's next crash a dump. */
#ifndef KDUMP_SETUP_H
#define KDUMP_SETUP_H

#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>

struct setup_options {
	/* Directories, devices or ssh targets (ssh.h) in the order in which they are tried; none: TARGET_DEFAULT. */
	const char *targets[PLAN_TARGETS_MAX];
	unsigned int target_count;
	bool beside;		/* use the crash kernel of kdump-tools (beside.h) */
	bool replace;		/* load ours over one that somebody else loaded */
	bool overwrite;		/* a device that holds something becomes a target all the same */
	const char *kernel;	/* image, NULL: look for it */
	const char *output;	/* write the initramfs here and load nothing; NULL: load */
	const char *ssh_key;	/* private key, NULL: root's usual ones */
	int level;		/* makedumpfile -d, -1: choose */
	const char *limits[STEP_COUNT];	/* "STEP=SECONDS", up to the first NULL */
	enum plan_final final;
	bool capsule_only;
	bool redact;		/* no bytes of user space: blanked in the capsule, left out of the vmcore or no vmcore */
	long long max_dumps, max_bytes;	/* older dumps beyond this are deleted, 0: none are */
	bool print;		/* show what would be done and do nothing */
	bool quiet;
};

/* Build, load, check, record. Progress on stdout. */
int kdump_setup(const struct setup_options *o, struct err *err);

#endif
