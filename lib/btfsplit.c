// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/btfsplit.h"

#include <bpf/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* libbpf 1.1 declares btf__new_split and does not export it: by way of a file in memory. */
struct btf *btf_split_new(const void *data, size_t len, struct btf *base)
{
	_cleanup_close_ int fd = memfd_create("btf", MFD_CLOEXEC);
	char path[40];

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return btf__parse_raw_split(path, base);
}
