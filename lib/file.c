// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"

static int read_limited(int fd, size_t max, struct buf *out, struct err *err)
{
	char chunk[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "read");
		total += (size_t)n;
		if (total > max)
			return err_set(err, ERR_INVALID, "larger than %zu bytes", max);
		buf_add(out, chunk, (size_t)n);
	}
	return buf_failed(out) ? err_nomem(err) : 0;
}

int file_read_fd(int fd, struct buf *out, struct err *err)
{
	return read_limited(fd, (size_t)-1, out, err);
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	return read_limited(fd, max, out, err) ? err_wrap(err, "%s", path) : 0;
}

int file_memory(const char *name, const void *data, size_t len, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "memfd_create");
	if (len && pwrite(fd, data, len, 0) != (ssize_t)len) {
		err_sys(err, errno, "write %s", name);
		close(fd);
		return -1;
	}
	return fd;
}
