/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modtypes.h - the types of the modules that were loaded, beside the kernel's.
 *
 * A module's BTF goes on where the kernel's ends: its first own type has the number that comes after the kernel's last, and
 * so has that of every other module. Here they are appended to a copy of the kernel's, each with its own numbers.
 */
#ifndef KDUMP_MODTYPES_H
#define KDUMP_MODTYPES_H

#include "kdump/kernel.h"

#include <stddef.h>

struct btf;

/*
 * A copy of base with the types of all modules in the dump; the caller frees it (btf__free). What of them cannot be read, or
 * contradicts itself, is left out: *left_out modules. Fails without memory only.
 */
struct btf *modtypes_merge(struct kernel *k, const struct btf *base, size_t *left_out, struct err *err);

#endif
