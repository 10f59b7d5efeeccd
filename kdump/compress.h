/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compress.h - kernel modules out of xz, gzip or zstd; an initramfs into gzip. */
#ifndef KDUMP_COMPRESS_H
#define KDUMP_COMPRESS_H

#include "lib/buf.h"
#include "lib/err.h"

/*
 * Append the decompressed form of data to *out. The format is told by its magic; bytes of no known format
 * are appended as they are. ERR_CORRUPT if the stream is damaged or ends early.
 */
int decompress(const void *data, size_t len, struct buf *out, struct err *err);

/* Append data as one gzip member to *out, at a level of 1 (fast) to 9. */
int compress_gzip(const void *data, size_t len, int level, struct buf *out, struct err *err);

#endif
