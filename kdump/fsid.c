// SPDX-License-Identifier: GPL-2.0-or-later
/* fsid.c - see fsid.h. */
#include "kdump/fsid.h"

#include "kdump/raw.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Where each format keeps its magic and its identity. */
static const struct superblock {
	const char *fstype;
	off_t magic_at;
	const char *magic;
	size_t magic_len;
	off_t id_at;
	size_t id_len;
} superblocks[] = {
	{ "raw", 0, RAW_MAGIC, 8, 16, 16 },				/* raw_header: magic, id */
	{ "ext4", 1024 + 0x38, "\x53\xef", 2, 1024 + 0x68, 16 },	/* ext4_super_block: s_magic, s_uuid */
	{ "xfs", 0, "XFSB", 4, 32, 16 },				/* xfs_dsb: sb_magicnum, sb_uuid */
	{ "btrfs", 0x10000 + 0x40, "_BHRfS_M", 8, 0x10000 + 0x20, 16 },	/* btrfs_super_block: magic, fsid */
	{ "vfat", 0x52, "FAT32   ", 8, 0x43, 4 },
	{ "vfat", 0x36, "FAT16   ", 8, 0x27, 4 },
	{ "vfat", 0x36, "FAT12   ", 8, 0x27, 4 },
};

static void format_id(const uint8_t *id, size_t len, char *out, size_t size)
{
	size_t n = 0;

	if (len == 4) {
		snprintf(out, size, "%02X%02X-%02X%02X", id[3], id[2], id[1], id[0]);
		return;
	}
	for (size_t i = 0; i < len && n + 4 < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

int fsid_read(const char *device, struct fsid *ret, struct err *err)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "%s", device);
	for (size_t i = 0; i < sizeof(superblocks) / sizeof(*superblocks); i++) {
		const struct superblock *s = &superblocks[i];
		char magic[8];
		uint8_t id[16];

		if (pread(fd, magic, s->magic_len, s->magic_at) != (ssize_t)s->magic_len ||
		    memcmp(magic, s->magic, s->magic_len))
			continue;
		if (pread(fd, id, s->id_len, s->id_at) != (ssize_t)s->id_len)
			continue;
		snprintf(ret->fstype, sizeof(ret->fstype), "%s", s->fstype);
		format_id(id, s->id_len, ret->id, sizeof(ret->id));
		return 0;
	}
	return err_set(err, ERR_ABSENT, "%s carries no ext4, xfs, btrfs or vfat filesystem", device);
}
