// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/mem.h"

#include <stdlib.h>
#include <string.h>

int mem_read(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err)
{
	if (len > MEM_READ_MAX || addr + len < addr)
		return err_set(err, ERR_CORRUPT, "a length of %zu bytes at 0x%llx makes no sense", len,
			       (unsigned long long)addr);
	if (!len)
		return 0;
	return m->ops->read(m, addr, buf, len, err);
}

void *mem_read_new(struct mem *m, uint64_t addr, size_t len, struct err *err)
{
	char *buf;

	if (len > MEM_READ_MAX) {
		mem_read(m, addr, NULL, len, err);
		return NULL;
	}
	buf = malloc(len + 1);
	if (!buf) {
		err_nomem(err);
		return NULL;
	}
	buf[len] = '\0';
	if (mem_read(m, addr, buf, len, err)) {
		free(buf);
		return NULL;
	}
	return buf;
}

bool mem_refresh(struct mem *m)
{
	return m->ops->refresh && m->ops->refresh(m);
}

void mem_destroy(struct mem *m)
{
	if (m)
		m->ops->destroy(m);
}

void dump_info_deinit(struct dump_info *info)
{
	free(info->vmcoreinfo);
	memset(info, 0, sizeof(*info));
}
