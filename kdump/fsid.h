/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsid.h - which filesystem is on a block device.
 *
 * Device names change between two boots, all the more when the second is a crash kernel that loads only a few
 * drivers. So the crash kernel finds its target by the identity that the filesystem carries in its superblock,
 * read by the same function on both sides.
 */
#ifndef KDUMP_FSID_H
#define KDUMP_FSID_H

#include "lib/err.h"

struct fsid {
	char fstype[16];	/* "ext4" (ext2 and ext3 too), "xfs", "btrfs", "vfat", "raw" (raw.h) */
	char id[40];		/* UUID, or the serial number of a FAT volume */
};

/*
 * Read a device's or image file's superblock. ERR_ABSENT if it carries none of the known filesystems,
 * ERR_SYSTEM if it cannot be read.
 */
int fsid_read(const char *device, struct fsid *ret, struct err *err);

#endif
