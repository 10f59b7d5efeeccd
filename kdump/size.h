/* SPDX-License-Identifier: GPL-2.0-or-later */
/* size.h - sizes as people write them: "500", "20K", "3M", "1G", "2T" (powers of 1024). */
#ifndef KDUMP_SIZE_H
#define KDUMP_SIZE_H

#include <stdbool.h>

/* False if it is none, is not above 0, or is too large. */
bool size_parse(const char *text, long long *ret);

#endif
