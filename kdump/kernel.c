// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/kernel.h"
#include "kdump/mem.h"

#include <stdlib.h>
#include <string.h>

void kernel_destroy(struct kernel *k)
{
	if (k)
		k->ops->destroy(k);
}

int kernel_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err)
{
	if (len > MEM_READ_MAX || addr + len < addr)
		return err_set(err, ERR_CORRUPT, "a length of %zu bytes at 0x%llx makes no sense", len,
			       (unsigned long long)addr);
	return len ? k->ops->read(k, addr, buf, len, err) : 0;
}

int kernel_read_private(struct kernel *k, uint64_t addr, void *buf, size_t len, const struct kernel_scrub *s,
			struct err *err)
{
	if (!k->ops->read_private || !len || len > MEM_READ_MAX || addr + len < addr)
		return kernel_read(k, addr, buf, len, err);
	return k->ops->read_private(k, addr, buf, len, s, err);
}

bool kernel_refresh(struct kernel *k)
{
	return k->ops->refresh && k->ops->refresh(k);
}

void *kernel_read_new(struct kernel *k, uint64_t addr, size_t len, struct err *err)
{
	char *buf = len <= MEM_READ_MAX ? malloc(len + 1) : NULL;

	if (!buf && len <= MEM_READ_MAX) {
		err_nomem(err);
		return NULL;
	}
	if (kernel_read(k, addr, buf, len, err)) {
		free(buf);
		return NULL;
	}
	buf[len] = '\0';
	return buf;
}

static uint64_t le(const uint8_t *p, size_t size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | p[size];
	return v;
}

int kernel_u64(struct kernel *k, uint64_t addr, uint64_t *ret, struct err *err)
{
	uint8_t b[8];

	if (kernel_read(k, addr, b, sizeof(b), err))
		return -1;
	*ret = le(b, sizeof(b));
	return 0;
}

int kernel_u32(struct kernel *k, uint64_t addr, uint32_t *ret, struct err *err)
{
	uint8_t b[4];

	if (kernel_read(k, addr, b, sizeof(b), err))
		return -1;
	*ret = (uint32_t)le(b, sizeof(b));
	return 0;
}

int kernel_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err)
{
	return k->ops->vmcoreinfo(k, key, value, size, err);
}

int kernel_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	return k->ops->symbol(k, name, ret, err);
}

int kernel_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	return k->ops->symbolize(k, addr, ret, err);
}

int kernel_member(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err)
{
	return k->ops->member(k, type, path, ret, err);
}

int kernel_field(struct kernel *k, uint64_t addr, const char *type, const char *path, uint64_t *ret, struct err *err)
{
	struct kmember m;
	uint8_t b[8];
	uint64_t v;

	if (kernel_member(k, type, path, &m, err))
		return -1;
	if (!m.size || m.size > sizeof(b))
		return err_set(err, ERR_CORRUPT, "%s.%s has %u bytes: not a number", type, path, m.size);
	if (kernel_read(k, addr + m.offset, b, m.size, err))
		return err_wrap(err, "%s.%s", type, path);
	v = le(b, m.size);
	if (m.bits)
		v = v >> m.bit & ((m.bits < 64 ? 1ull << m.bits : 0) - 1);
	*ret = v;
	return 0;
}

int kernel_cpus(struct kernel *k, struct kcpus *ret, struct err *err)
{
	uint64_t addr;
	uint32_t n;

	memset(ret, 0, sizeof(*ret));
	if (kernel_symbol(k, "nr_cpu_ids", &addr, err) || kernel_u32(k, addr, &n, err))
		return -1;
	if (!n || n > KERNEL_CPUS_MAX)
		return err_set(err, ERR_CORRUPT, "nr_cpu_ids is %u", n);
	if (kernel_symbol(k, "__cpu_possible_mask", &addr, err))
		return -1;
	for (unsigned int i = 0; i < (n + 63) / 64; i++)
		if (kernel_u64(k, addr + 8 * i, &ret->possible[i], err))
			return -1;
	ret->n = n;
	return 0;
}

int kernel_percpu(struct kernel *k, unsigned int cpu, uint64_t *ret, struct err *err)
{
	uint64_t addr;

	if (kernel_symbol(k, "__per_cpu_offset", &addr, err))
		return -1;
	return kernel_u64(k, addr + 8 * (uint64_t)cpu, ret, err);
}
