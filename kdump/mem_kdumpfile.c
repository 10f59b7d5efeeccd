// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mem_kdumpfile.c - memory of a dump file through libkdumpfile, which knows formats, compressions and page tables.
 */
#include "kdump/flattened.h"
#include "kdump/mem.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <libkdumpfile/kdumpfile.h>

struct mem_kdumpfile {
	struct mem mem;
	kdump_ctx_t *ctx;
	int fd;
};

/* What a libkdumpfile status means to our callers. */
static enum err_code code_of(kdump_status status)
{
	switch (status) {
	case KDUMP_ERR_NODATA:
	case KDUMP_ERR_EOF:		/* a dump that ends early */
	case KDUMP_ERR_NOKEY:
	case KDUMP_ERR_ADDRXLAT:	/* not mapped, or a page table is not in the dump */
		return ERR_ABSENT;
	case KDUMP_ERR_NOTIMPL:
		return ERR_UNSUPPORTED;
	case KDUMP_ERR_SYSTEM:
		return ERR_SYSTEM;
	default:
		return ERR_CORRUPT;
	}
}

static int fail(kdump_ctx_t *ctx, kdump_status status, struct err *err)
{
	const char *text = kdump_get_err(ctx);

	return err_set(err, code_of(status), "%s", text ? text : kdump_strerror(status));
}

static int read_dump(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct mem_kdumpfile *d = (struct mem_kdumpfile *)m;
	kdump_status status;
	size_t n = len;

	kdump_clear_err(d->ctx);
	status = kdump_read(d->ctx, KDUMP_KVADDR, addr, buf, &n);
	if (status != KDUMP_OK) {
		fail(d->ctx, status, err);
		return err_wrap(err, "0x%llx", (unsigned long long)addr + n);
	}
	return 0;
}

static void destroy(struct mem *m)
{
	struct mem_kdumpfile *d = (struct mem_kdumpfile *)m;

	if (d->ctx)
		kdump_free(d->ctx);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

static const struct mem_ops ops = { .read = read_dump, .destroy = destroy };

/* Put a flattened dump's restored file in the place of the file. */
static int unflatten(struct mem_kdumpfile *d, struct dump_info *info, struct err *err)
{
	bool cut;
	int fd;

	if (!flattened_is(d->fd))
		return 0;
	fd = flattened_restore(d->fd, &cut, err);
	if (fd < 0)
		return -1;
	close(d->fd);
	d->fd = fd;
	snprintf(info->format, sizeof(info->format), "flattened%s ", cut ? " (cut short)" : "");
	return 0;
}

/* The file is open: let libkdumpfile find out what it is. */
static int probe(struct mem_kdumpfile *d, struct dump_info *info, struct err *err)
{
	kdump_status status;
	const char *text;

	if (unflatten(d, info, err))
		return -1;
	status = kdump_open_fd(d->ctx, d->fd);
	if (status == KDUMP_ERR_NOTIMPL)
		return err_set(err, ERR_INVALID, "neither a kernel dump nor a capsule (%s)", kdump_get_err(d->ctx));
	if (status != KDUMP_OK)
		return fail(d->ctx, status, err);
	if (kdump_get_string_attr(d->ctx, KDUMP_ATTR_FILE_FORMAT, &text) == KDUMP_OK)
		snprintf(info->format + strlen(info->format), sizeof(info->format) - strlen(info->format), "%s", text);
	status = kdump_set_string_attr(d->ctx, KDUMP_ATTR_OSTYPE, "linux");
	if (status != KDUMP_OK) {
		fail(d->ctx, status, err);
		return err_wrap(err, "address translation");
	}
	if (kdump_vmcoreinfo_raw(d->ctx, &info->vmcoreinfo) != KDUMP_OK)
		return err_set(err, ERR_ABSENT, "the dump has no VMCOREINFO note: it tells nothing of its kernel");
	return 0;
}

struct mem *mem_kdumpfile_open(const char *path, struct dump_info *info, struct err *err)
{
	struct mem_kdumpfile *d = calloc(1, sizeof(*d));

	memset(info, 0, sizeof(*info));
	if (!d) {
		err_nomem(err);
		return NULL;
	}
	d->mem.ops = &ops;
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	d->ctx = d->fd >= 0 ? kdump_new() : NULL;
	if (d->fd < 0)
		err_sys(err, errno, "%s", path);
	else if (!d->ctx)
		err_nomem(err);
	else if (!probe(d, info, err))
		return &d->mem;
	else
		err_wrap(err, "%s", path);
	destroy(&d->mem);
	dump_info_deinit(info);
	return NULL;
}
