// SPDX-License-Identifier: GPL-2.0-or-later
/* raw_target.c - see raw_target.h. */
#include "kdump/raw_target.h"

#include "kdump/fsid.h"
#include "kdump/raw.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Read at both ends: RAID and others keep their mark at the end. */
#define EDGE (1 << 20)

/* Marks of what is often found on disks, beyond the filesystems of fsid.h. */
static const struct {
	off_t at;
	const char *magic;
	size_t len;
	const char *what;
} marks[] = {
	{ 512, "EFI PART", 8, "a partition table (GPT)" },
	{ 0, "LUKS\xba\xbe", 6, "an encrypted volume (LUKS)" },
	{ 512 + 24, "LVM2 001", 8, "an LVM volume" },
	{ 4096 - 10, "SWAPSPACE2", 10, "swap space" },
	{ 4096, "\xfc\x4e\x2b\xa9", 4, "a RAID member" },
	{ 0, "\xfc\x4e\x2b\xa9", 4, "a RAID member" },
	{ 1024, "\x10\x20\xf5\xf2", 4, "an f2fs filesystem" },
	{ 3, "NTFS    ", 8, "an NTFS filesystem" },
	{ 0, "hsqs", 4, "a squashfs filesystem" },
	{ 32769, "CD001", 5, "an ISO 9660 filesystem" },
	{ 510, "\x55\xaa", 2, "a partition table or boot sector" },
};

static bool blank(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i])
			return false;
	}
	return true;
}

int raw_target_content(const char *path, char *out, size_t size, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *edge = malloc(EDGE);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	struct fsid id;
	ssize_t n;

	*out = 0;
	if (!edge)
		return err_nomem(err);
	n = fd < 0 || end < 0 ? -1 : pread(fd, edge, EDGE, 0);
	if (n <= 0)
		return err_sys(err, n ? errno : EIO, "%s", path);
	if (!fsid_read(path, &id, NULL)) {
		snprintf(out, size, "%s %s filesystem", strchr("aeiou", id.fstype[0]) ? "an" : "a", id.fstype);
		return 0;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (marks[i].at + (off_t)marks[i].len <= n && !memcmp(edge + marks[i].at, marks[i].magic, marks[i].len)) {
			snprintf(out, size, "%s", marks[i].what);
			return 0;
		}
	}
	if (blank(edge, (size_t)n)) {
		n = pread(fd, edge, EDGE, end > EDGE ? end - EDGE : 0);
		if (n < 0)
			return err_sys(err, errno, "%s", path);
	}
	if (!blank(edge, (size_t)n))
		snprintf(out, size, "data");
	return 0;
}

int raw_target_prepare(const char *path, bool overwrite, struct err *err)
{
	char what[64];
	int fd;

	if (raw_is(path))
		return 0;
	/* The kernel refuses this for what is mounted, swapped to, or part of a device that is in use. */
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return err_set(err, ERR_ENVIRONMENT, "target %s is in use (mounted, swap, or part of another device)", path);
	if (fd < 0)
		return err_sys(err, errno, "target %s", path);
	close(fd);
	if (raw_target_content(path, what, sizeof(what), err))
		return err_wrap(err, "target %s", path);
	if (*what && !overwrite)
		return err_set(err, ERR_ENVIRONMENT, "target %s holds %s, which dumps would destroy; if that is what you want, say "
			       "--overwrite", path, what);
	return raw_format(path, err) ? err_wrap(err, "target %s", path) : 0;
}
