// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int file_read_fd(int fd, struct buf *out, struct err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "read");
		buf_add(out, chunk, (size_t)n);
	}
	return buf_failed(out) ? err_nomem(err) : 0;
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
