/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktypes.h - struct layouts from BTF that was found in a dump: the kernel's own, or that of a BPF map.
 *
 * The bytes are untrusted: libbpf checks the sections when it takes them in; here every type id, name and chain is
 * checked and bounded again.
 */
#ifndef KDUMP_KTYPES_H
#define KDUMP_KTYPES_H

#include "kdump/kernel.h"

struct ktypes;

/* Parse and index BTF. The bytes are copied. NULL with ERR_CORRUPT or ERR_NOMEM. */
struct ktypes *ktypes_create(const void *data, size_t size, struct err *err);
void ktypes_destroy(struct ktypes *t);

/* As kernel_member(). */
int ktypes_member(const struct ktypes *t, const char *type, const char *path, struct kmember *ret, struct err *err);

/*
 * The same for the struct with type id `id`; a data section (the value of a .data map) counts as a struct whose
 * members are its variables.
 */
int ktypes_member_of(const struct ktypes *t, uint32_t id, const char *path, struct kmember *ret, struct err *err);

struct btf;

/* The underlying BTF, for who walks all types. */
const struct btf *ktypes_btf(const struct ktypes *t);

#endif
