/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.h - `deadfall kdump setup`: make this machine's next crash a dump. */
#ifndef KDUMP_SETUP_H
#define KDUMP_SETUP_H

#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>

struct setup_options {
	const char *target;	/* directory or ssh target (ssh.h), NULL: TARGET_DEFAULT */
	const char *kernel;	/* image, NULL: look for it */
	const char *output;	/* write the initramfs here and load nothing; NULL: load */
	const char *ssh_key;	/* private key, NULL: root's usual ones */
	int level;		/* makedumpfile -d, -1: choose */
	const char *limits[STEP_COUNT];	/* "STEP=SECONDS", up to the first NULL */
	enum plan_final final;
	bool capsule_only;
	bool print;		/* show what would be done and do nothing */
	bool quiet;
};

/* Build, load, check, record. Progress on stdout. */
int kdump_setup(const struct setup_options *o, struct err *err);

#endif
