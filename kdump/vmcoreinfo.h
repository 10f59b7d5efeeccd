/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcoreinfo.h - the KEY=VALUE lines that a kernel leaves in its dump (Documentation/admin-guide/kdump/vmcoreinfo).
 */
#ifndef KDUMP_VMCOREINFO_H
#define KDUMP_VMCOREINFO_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The value of the first line "key=value" in text, copied to value (cut at size - 1 bytes, terminated).
 * ERR_ABSENT when no such line is there.
 */
int vmcoreinfo_get(const char *text, const char *key, char *value, size_t size, struct err *err);

/* SYMBOL(name) as an address. ERR_ABSENT, or ERR_CORRUPT when it is not a number. */
int vmcoreinfo_symbol(const char *text, const char *name, uint64_t *ret, struct err *err);

#endif
