/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_dump.h - the tables behind a kernel from a dump, for who needs all of them (not for reports: see kernel.h). */
#ifndef KDUMP_KERNEL_DUMP_H
#define KDUMP_KERNEL_DUMP_H

#include "kdump/kallsyms.h"
#include "kdump/kernel.h"
#include "kdump/ktypes.h"

/*
 * Symbols and types of a kernel made by kernel_from_dump(); they live as long as it. NULL: *err. ERR_UNSUPPORTED when
 * the kernel does not come from a dump.
 */
const struct kallsyms *kernel_dump_symbols(struct kernel *k, struct err *err);
const struct ktypes *kernel_dump_types(struct kernel *k, struct err *err);

#endif
