/* SPDX-License-Identifier: GPL-2.0-or-later */
/* makedumpfile.h - which makedumpfile is installed, what it can do, and the level that suits this kernel. */
#ifndef KDUMP_MAKEDUMPFILE_H
#define KDUMP_MAKEDUMPFILE_H

#include "kdump/level.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>

struct makedumpfile {
	char path[512];
	unsigned int version[3];
	bool lzo, snappy, zstd;
	const char *compress;		/* the option to use: "-z", "-l" or "-c" (zlib, always there) */
};

/* Find and ask the installed one. ERR_ENVIRONMENT, with the package to install, if there is none. */
int makedumpfile_probe(struct makedumpfile *m, struct err *err);

/* The level for the running kernel. Where its VMCOREINFO is not readable (lockdown), the safe one. */
struct level_choice makedumpfile_level(const struct makedumpfile *m);

/* Take apart what `makedumpfile -v` prints. */
int makedumpfile_parse(const char *output, struct makedumpfile *m, struct err *err);

/*
 * The running kernel's VMCOREINFO, as text, from the notes of root/proc/kcore: the same text that
 * makedumpfile will find in the dump. ERR_SYSTEM where kcore is closed (lockdown).
 */
int vmcoreinfo_read(const char *root, struct buf *out, struct err *err);

#endif
