// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/open.h"
#include "kdump/capsule.h"
#include "kdump/mem.h"
#include "lib/buf.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>

#define CAPSULE_SIZE_MAX (256u << 20)

static int read_whole(int fd, struct buf *b, struct err *err)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0) {
		buf_add(b, part, (size_t)n);
		if (b->len > CAPSULE_SIZE_MAX)
			return err_set(err, ERR_CORRUPT, "a capsule of more than %u MB", CAPSULE_SIZE_MAX >> 20);
	}
	if (n < 0)
		return err_sys(err, errno, "read");
	return buf_failed(b) ? err_nomem(err) : 0;
}

static int open_capsule(int fd, struct opened *ret, struct err *err)
{
	struct buf b = BUF_INIT;

	if (!read_whole(fd, &b, err))
		ret->k = capsule_replay(b.data, b.len, &ret->damage, err);
	buf_deinit(&b);
	strcpy(ret->format, "capsule");
	return ret->k ? 0 : -1;
}

int dump_open(const char *path, struct opened *ret, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[sizeof(CAPSULE_MAGIC) - 1];
	struct dump_info info;
	struct stat st;
	struct mem *mem;

	memset(ret, 0, sizeof(*ret));
	if (fd < 0) {
		if (errno == ENOENT)
			return err_set(err, ERR_ABSENT, "%s: no such file", path);
		return err_sys(err, errno, "%s", path);
	}
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		return err_set(err, ERR_ABSENT, "%s is a folder: name the vmcore or the capsule in it", path);
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && !memcmp(magic, CAPSULE_MAGIC, sizeof(magic)))
		return open_capsule(fd, ret, err) ? err_wrap(err, "%s", path) : 0;
	mem = mem_kdumpfile_open(path, &info, err);
	if (!mem)
		return -1;
	snprintf(ret->format, sizeof(ret->format), "%s", info.format);
	ret->k = kernel_from_dump(mem, &info, err);
	return ret->k ? 0 : -1;
}

bool dump_is_file(const char *dump, const char *file)
{
	struct stat a, b;

	return !stat(dump, &a) && !stat(file, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
