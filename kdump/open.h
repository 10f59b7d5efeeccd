/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open.h - open whatever holds a dead kernel: dump, capsule, /proc/vmcore.
 */
#ifndef KDUMP_OPEN_H
#define KDUMP_OPEN_H

#include "kdump/gaps.h"
#include "kdump/kernel.h"

/* What was opened. */
struct opened {
	struct kernel *k;
	char format[64];	/* "capsule", or the format of the dump file */
	struct err damage;	/* code is ERR_NONE unless a capsule is damaged or cut short */
};

/* Tells by the contents. 0, and the caller destroys ret->k; -1 with *err. */
int dump_open(const char *path, struct opened *ret, struct err *err);

/* Do both name one file? What is written there would destroy the dump. */
bool dump_is_file(const char *dump, const char *file);

#endif
