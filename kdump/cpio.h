/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpio.h - writes an initramfs archive (cpio "newc", the format of the kernel's buffer-format.rst).
 *
 * Entries are appended to a buffer whose failure is sticky: check buf_failed(&c.out) once, after
 * cpio_finish(). Directories above an entry are added when first needed. The archive of the same entries
 * is the same bytes: times are 0, inode numbers count up.
 *
 *	struct cpio c = CPIO_INIT;
 *	cpio_file(&c, "lib/libz.so.1", 0755, data, len);
 *	cpio_finish(&c);
 *	... c.out.data, c.out.len ...
 *	cpio_deinit(&c);
 */
#ifndef KDUMP_CPIO_H
#define KDUMP_CPIO_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cpio {
	struct buf out;
	struct buf names;	/* every path so far, each between newlines */
	uint32_t ino;
};

#define CPIO_INIT { 0 }

void cpio_deinit(struct cpio *c);

/* Whether a path (relative, no leading slash) is in the archive already. */
bool cpio_has(const struct cpio *c, const char *path);

/* Append one entry; a path that is there already is left as it is. A leading slash is dropped. */
void cpio_dir(struct cpio *c, const char *path, mode_t mode);
void cpio_file(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len);
void cpio_symlink(struct cpio *c, const char *path, const char *target);
void cpio_chardev(struct cpio *c, const char *path, mode_t mode, unsigned int major, unsigned int minor);

/* The trailer. Nothing may be appended after it. */
void cpio_finish(struct cpio *c);

#endif
