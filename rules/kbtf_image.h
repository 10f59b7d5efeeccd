/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kbtf_image.h - find the BTF in whatever file a kernel or module comes as.
 *
 * Raw BTF; ELF with a .BTF section (vmlinux, .ko); either of them compressed (gzip, xz, zstd, lz4 as the kernel's build
 * makes it); a bzImage, whose payload is such a file. A kernel image is unpacked in memory as a whole, some 60 MB,
 * since section headers stand at the end of an ELF file.
 */
#ifndef RULES_KBTF_IMAGE_H
#define RULES_KBTF_IMAGE_H

#include <stddef.h>

#include "lib/err.h"

/* The BTF bytes in a malloc'd buffer that the caller frees. */
int kbtf_image_read(const char *path, void **ret, size_t *len, struct err *err);

#endif
