/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files.h - small files whole: read, replace atomically, make durable.
 *
 * Functions that look at the running system (sysfs, procfs, /lib/modules) take a root directory in front of
 * the path, "" for the real one, so that tests can show them a made-up system.
 */
#ifndef KDUMP_FILES_H
#define KDUMP_FILES_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Append the contents of root/path to *out. Sizes in sysfs and procfs lie, so the file is read to its end.
 * ERR_ABSENT if the file does not exist, ERR_SYSTEM otherwise.
 */
int read_under(const char *root, const char *path, struct buf *out, struct err *err);

/* The first line of root/path without its newline in out; false (and "") if it cannot be read. */
bool file_line(const char *root, const char *path, char *out, size_t size);

/* The number in root/path, or fallback. */
long long file_number(const char *root, const char *path, long long fallback);

/*
 * Replace path by data: written to a temporary name in the same directory, fsync'd, renamed, directory
 * fsync'd. After a crash the file is the old one or the new one, whole.
 */
int file_replace(const char *path, const void *data, size_t len, unsigned int mode, struct err *err);

/*
 * The value of KEY=VALUE in the text of a configuration (of a shell, of systemd), without quotes; the last one counts.
 * *out is left alone if there is none: then the default stands.
 */
void config_value(const char *text, const char *key, char *out, size_t size);

/* fsync a file or directory by name. */
int file_sync(const char *path, struct err *err);

/* mkdir -p. New directories get mode. */
int make_dirs(const char *path, unsigned int mode, struct err *err);

/*
 * The full path of an executable: looked up in PATH and, since root's PATH may lack them, in /usr/sbin,
 * /sbin, /usr/bin and /bin. False if there is none.
 */
bool find_program(const char *name, char *out, size_t size);

#endif
