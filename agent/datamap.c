// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/datamap.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

void *datamap_open(int fd, size_t *len)
{
	struct bpf_map_info info = { 0 };
	unsigned int size = sizeof(info);
	void *p;

	*len = 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return NULL;
	p = mmap(NULL, info.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	*len = info.value_size;
	return p;
}

void datamap_close(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}
