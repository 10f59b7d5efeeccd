// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mem_kdumpfile.c - memory of a dump file through libkdumpfile, which knows formats, compressions and page tables.
 */
#include "kdump/descriptors.h"
#include "kdump/flattened.h"
#include "kdump/mem.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <libkdumpfile/kdumpfile.h>

struct mem_kdumpfile {
	struct mem mem;
	kdump_ctx_t *ctx;	/* NULL: given up */
	int fd;
	int faults;
	bool running;		/* the memory of the kernel that runs this */
};

/*
 * libkdumpfile 0.5 hands what it failed to read of a truncated file to the decompressor, as a null pointer, and trusts
 * sizes in headers. A fault inside of it is therefore caught here: the context, in whatever state, is left alone for
 * good, and a fresh one opened, a few times. What else it may do is isolate.h's business.
 */
#define FAULTS_MAX 16

static __thread sigjmp_buf escape;
static __thread volatile sig_atomic_t armed;

static void on_fault(int sig)
{
	if (armed)
		siglongjmp(escape, sig);
	signal(sig, SIG_DFL);	/* not ours: happens again, and is nobody's any more */
}

/* What is done under guard. */
struct guarded {
	kdump_ctx_t *ctx;
	int fd;
	uint64_t addr;
	void *buf;
	size_t len;
};

static kdump_status guarded_read(struct guarded *g)
{
	return kdump_read(g->ctx, KDUMP_KVADDR, g->addr, g->buf, &g->len);
}

static kdump_status guarded_open(struct guarded *g)
{
	kdump_status status = kdump_open_fd(g->ctx, g->fd);

	return status == KDUMP_OK ? kdump_set_string_attr(g->ctx, KDUMP_ATTR_OSTYPE, "linux") : status;
}

/* What fn returns, or -1 for a fault. */
static int guard(kdump_status (*fn)(struct guarded *g), struct guarded *g)
{
	struct sigaction act = { .sa_handler = on_fault }, segv, bus;
	int rc;

	sigaction(SIGSEGV, &act, &segv);
	sigaction(SIGBUS, &act, &bus);
	if (!sigsetjmp(escape, 1)) {
		armed = 1;
		rc = (int)fn(g);
	} else {
		rc = -1;
	}
	armed = 0;
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return rc;
}

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

static kdump_ctx_t *open_context(int fd, int *status);

/* A read made libkdumpfile fault: go on with a new context. */
static int faulted(struct mem_kdumpfile *d, uint64_t addr, struct err *err)
{
	int status = KDUMP_OK;

	d->ctx = ++d->faults < FAULTS_MAX ? open_context(d->fd, &status) : NULL;
	if (status != KDUMP_OK)
		d->ctx = NULL;		/* in no state to be read or freed */
	return err_set(err, ERR_CORRUPT, "0x%llx: the dump is damaged or cut short there", (unsigned long long)addr);
}

static int read_dump(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct mem_kdumpfile *d = (struct mem_kdumpfile *)m;
	struct guarded g = { .ctx = d->ctx, .addr = addr, .buf = buf, .len = len };
	int status;

	if (!d->ctx)
		return err_set(err, ERR_CORRUPT, "0x%llx: the dump is damaged in too many places",
			       (unsigned long long)addr);
	kdump_clear_err(d->ctx);
	status = guard(guarded_read, &g);
	if (status < 0)
		return faulted(d, addr, err);
	if (status != KDUMP_OK) {
		fail(d->ctx, (kdump_status)status, err);
		return err_wrap(err, "0x%llx", (unsigned long long)addr + g.len);
	}
	return 0;
}

/* libkdumpfile keeps pages of the file; only a new context has none. */
static bool refresh(struct mem *m)
{
	struct mem_kdumpfile *d = (struct mem_kdumpfile *)m;
	kdump_ctx_t *ctx;
	int status;

	if (!d->running || !d->ctx)
		return false;
	ctx = open_context(d->fd, &status);
	if (!ctx || status != KDUMP_OK)
		return false;
	kdump_free(d->ctx);
	d->ctx = ctx;
	return true;
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

static const struct mem_ops ops = { .read = read_dump, .refresh = refresh, .destroy = destroy };

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

/* Put a copy with sound page descriptors in the place of the file, if some are damaged. */
static void mend(struct mem_kdumpfile *d)
{
	struct err err;
	int fd = descriptors_mend(d->fd, &err);

	/* Without room for a copy the damaged file must do: what faults in it is caught. */
	if (fd >= 0)
		d->fd = fd;
}

/* A context on the file that translates kernel addresses. NULL only without memory; else *status tells (-1: fault). */
static kdump_ctx_t *open_context(int fd, int *status)
{
	struct guarded g = { .ctx = kdump_new(), .fd = fd };

	if (g.ctx)
		*status = guard(guarded_open, &g);
	return g.ctx;
}

/* Why libkdumpfile did not open the file. */
static void refused(struct mem_kdumpfile *d, int status, struct err *err)
{
	char byte;

	if (status < 0) {
		err_set(err, ERR_CORRUPT, "the dump's headers are damaged");
	} else if (status == KDUMP_ERR_NOTIMPL) {
		err_set(err, ERR_INVALID, "neither a kernel dump nor a capsule (%s)", kdump_get_err(d->ctx));
	} else {
		fail(d->ctx, (kdump_status)status, err);
		/* Memory for what a damaged header asks for is refused like any other; the file itself can be read. */
		if (err->code == ERR_SYSTEM && pread(d->fd, &byte, 1, 0) == 1)
			err->code = ERR_CORRUPT;
	}
}

/* The file is open: let libkdumpfile find out what it is. */
static int probe(struct mem_kdumpfile *d, struct dump_info *info, struct err *err)
{
	const char *text;
	int status;

	if (unflatten(d, info, err))
		return -1;
	mend(d);
	d->ctx = open_context(d->fd, &status);
	if (!d->ctx)
		return err_nomem(err);
	if (status != KDUMP_OK) {
		refused(d, status, err);
		d->ctx = NULL;		/* in no state to be freed */
		return -1;
	}
	if (kdump_get_string_attr(d->ctx, KDUMP_ATTR_FILE_FORMAT, &text) == KDUMP_OK)
		snprintf(info->format + strlen(info->format), sizeof(info->format) - strlen(info->format), "%s", text);
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
	d->running = !strcmp(path, "/proc/kcore");
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		err_sys(err, errno, "%s", path);
	else if (!probe(d, info, err))
		return &d->mem;
	else
		err_wrap(err, "%s", path);
	destroy(&d->mem);
	dump_info_deinit(info);
	return NULL;
}
