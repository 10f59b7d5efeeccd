/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btfsplit.h - types that go on where those of another BTF end: a module's behind the kernel's.
 */
#ifndef LIB_BTFSPLIT_H
#define LIB_BTFSPLIT_H

#include <stddef.h>

struct btf;

/* NULL with errno. base must live as long; btf__free frees it. The bytes are copied. */
struct btf *btf_split_new(const void *data, size_t len, struct btf *base);

#endif
