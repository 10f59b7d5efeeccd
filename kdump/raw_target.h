/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_target.h - a partition without a filesystem becomes a place for dumps, unless it holds something else. */
#ifndef KDUMP_RAW_TARGET_H
#define KDUMP_RAW_TARGET_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a device holds, in words ("an ext4 filesystem", "data"); "" if its beginning and its end are blank.
 * ERR_SYSTEM if it cannot be read.
 */
int raw_target_content(const char *path, char *out, size_t size, struct err *err);

/*
 * Make a device ready for dumps (raw.h). One that is ready stays as it is, with its dumps. One that holds anything is
 * refused, unless overwrite is set; one that is in use (mounted, swap, part of another device) always.
 */
int raw_target_prepare(const char *path, bool overwrite, struct err *err);

#endif
