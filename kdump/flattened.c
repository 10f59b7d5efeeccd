// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/flattened.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE 4096
#define PIECE_MAX (1ll << 32)
#define OFFSET_MAX (1ll << 46)

static const char signature[16] = "makedumpfile";

static int64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

bool flattened_is(int fd)
{
	uint8_t head[sizeof(signature) + 8];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) && !memcmp(head, signature, sizeof(signature)) &&
	       be64(head + sizeof(signature)) == 1;
}

int flattened_temporary(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	dir = dir && *dir ? dir : "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err_sys(err, errno, "a temporary file in %s for the restored dump", dir);
	return fd;
}

bool flattened_copy(int from, int64_t at, int to, int64_t offset, int64_t size, struct err *err)
{
	static char part[1 << 20];
	ssize_t n;

	while (size) {
		n = pread(from, part, size < (int64_t)sizeof(part) ? (size_t)size : sizeof(part), at);
		if (n <= 0)
			return false;
		if (pwrite(to, part, (size_t)n, offset) != n) {
			err_sys(err, errno ? errno : ENOSPC, "temporary file for the restored dump");
			return false;
		}
		at += n;
		offset += n;
		size -= n;
	}
	return true;
}

int flattened_unpack(int fd, int out, bool *cut, struct err *err)
{
	struct err failed = { 0 };
	int64_t at = HEADER_SIZE, offset, size;
	uint8_t head[16];

	*cut = false;
	for (;;) {
		if (pread(fd, head, sizeof(head), at) != sizeof(head)) {
			*cut = true;
			break;
		}
		at += (int64_t)sizeof(head);
		offset = be64(head);
		size = be64(head + 8);
		if (offset == -1 && size == -1)
			break;
		if (offset < 0 || size < 0 || offset > OFFSET_MAX || size > PIECE_MAX) {
			err_set(&failed, ERR_CORRUPT, "flattened dump: a piece of %lld bytes for offset %lld",
				(long long)size, (long long)offset);
			break;
		}
		if (!flattened_copy(fd, at, out, offset, size, &failed)) {
			*cut = true;
			break;
		}
		at += size;
	}
	if (failed.code == ERR_NONE)
		return 0;
	if (err)
		*err = failed;
	return -1;
}

int flattened_restore(int fd, bool *cut, struct err *err)
{
	int out = flattened_temporary(err);

	*cut = false;
	if (out < 0)
		return -1;
	if (!flattened_unpack(fd, out, cut, err))
		return out;
	close(out);
	return -1;
}
