/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * raw.h - dumps on a partition without a filesystem: nothing that a crash can corrupt stands between them and the disk.
 *
 * The device begins with a header that only raw_format() writes, whose random identity the crash kernel looks for: a
 * device without it is never written to. Then come two copies of a table of files, written in turn, each with a
 * checksum, so that a power cut in the middle leaves the other; then the files' bytes, each file in one piece.
 *
 *	0		struct raw_header
 *	4 K		table, copy 0
 *	36 K		table, copy 1
 *	68 K		4 MB for small files (capsule, status), so that a vmcore that fills the device leaves room for them
 *	...		all files
 *
 * Numbers are little-endian. A file of a dump that is written anew gets new space first.
 */
#ifndef KDUMP_RAW_H
#define KDUMP_RAW_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_MAGIC "DFRAWDMP"
#define RAW_BYTES_MIN (16LL << 20)	/* no device smaller than this */

struct raw_header {
	char magic[8];
	uint32_t version;		/* 1 */
	uint32_t crc;			/* CRC-32 of the rest */
	uint8_t id[16];
	uint64_t bytes;			/* of the device */
};

/* One file; a dump is the files with its name. */
struct raw_file {
	char dump[128];			/* "20261122T135607Z-widget-freed-twice" */
	char name[24];			/* "capsule" */
	uint64_t offset, bytes;
	uint32_t crc;			/* CRC-32 of its bytes */
	uint32_t cut;			/* 1: it was not written to its end */
};

#define RAW_FILES_MAX 180

struct raw_table {
	char magic[8];
	uint32_t crc;			/* of the rest */
	uint32_t count;
	uint64_t sequence;		/* the higher one counts */
	struct raw_file files[RAW_FILES_MAX];
};

struct raw {
	int fd;
	char path[128];
	uint64_t bytes;
	struct raw_table table;
};

/* Whether `path` is a block device, or a file, that begins with our header. */
bool raw_is(const char *path);

/* Make it one, with no dumps: what was there is lost. The caller has asked whoever must be asked. */
int raw_format(const char *path, struct err *err);

/* ERR_CORRUPT if it is none of ours or both tables are damaged. *r is to be closed with raw_close. */
int raw_open(const char *path, bool write, struct raw *r, struct err *err);
void raw_close(struct raw *r);

/*
 * Store all that can be read from `from` as dump/name; an older one of that name is replaced when this is complete.
 * small: it must not take the space of large ones. On a full device what fits is kept, marked as cut, and the error
 * is ERR_SYSTEM with ENOSPC. Durable when it returns. *bytes (may be NULL): what was stored. small: false also means
 * that the end of input does not prove the whole: the file stays marked as cut until raw_mark_whole().
 */
int raw_put(struct raw *r, const char *dump, const char *name, int from, bool small, uint64_t *bytes, struct err *err);

/* The file dump/name, NULL if there is none. */
const struct raw_file *raw_find(const struct raw *r, const char *dump, const char *name);

/* The program that wrote a file's bytes into the pipe says that these were all. Durable. */
int raw_mark_whole(struct raw *r, const char *dump, const char *name, struct err *err);

/* Delete the files of a dump. Durable. */
int raw_delete(struct raw *r, const char *dump, struct err *err);

/* Copy a file to a descriptor; -1 for `to` only reads it. ERR_CORRUPT if its bytes are not those that were written. */
int raw_copy(const struct raw *r, const struct raw_file *f, int to, struct err *err);

/* Bytes that a large file could have now, in one piece. */
uint64_t raw_free_bytes(const struct raw *r);

#endif
