// SPDX-License-Identifier: GPL-2.0-or-later
/* dumps_raw.c - the dumps on a raw device, see dumps.h and raw.h. */
#include "kdump/dumps.h"

#include "kdump/files.h"
#include "kdump/flattened.h"
#include "kdump/raw.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_MAX (1 << 20)

static struct dump *find_or_add(struct dump_list *list, const char *device, const char *name)
{
	struct dump d = { .time = dumps_name_time(name) };

	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->dumps[i].name, name))
			return &list->dumps[i];
	}
	snprintf(d.name, sizeof(d.name), "%s", name);
	snprintf(d.dir, sizeof(d.dir), "%s", device);
	dumps_read_status(NULL, 0, &d);
	return d.time >= 0 && dumps_add(list, &d) ? &list->dumps[list->count - 1] : NULL;
}

static void read_status(const struct raw *r, const struct raw_file *f, struct dump *d)
{
	_cleanup_free_ char *text = f->bytes <= STATUS_MAX ? malloc(f->bytes + 1) : NULL;

	if (text && pread(r->fd, text, f->bytes, (off_t)f->offset) == (ssize_t)f->bytes)
		dumps_read_status(text, f->bytes, d);
}

int dumps_raw_scan(const char *device, struct dump_list *ret, struct err *err)
{
	static struct raw r;

	*ret = (struct dump_list){ 0 };
	if (raw_open(device, false, &r, err))
		return -1;
	for (uint32_t i = 0; i < r.table.count; i++) {
		const struct raw_file *f = &r.table.files[i];
		struct dump *d = find_or_add(ret, device, f->dump);

		if (!d)
			continue;
		d->bytes += (long long)f->bytes;
		if (!strcmp(f->name, "status.json"))
			read_status(&r, f, d);
		if (!strcmp(f->name, "capsule") && !f->cut)
			d->capsule_bytes = (long long)f->bytes;
		if (!strncmp(f->name, "vmcore", 6) && !f->cut)
			d->vmcore_bytes = (long long)f->bytes;
	}
	raw_close(&r);
	return 0;
}

int dumps_raw_delete(const char *device, const struct dump *d, struct err *err)
{
	static struct raw r;
	int ret;

	if (raw_open(device, true, &r, err))
		return -1;
	ret = raw_delete(&r, d->name, err);
	raw_close(&r);
	return ret;
}

int dumps_open_file(const struct dump *d, const char *file, struct err *err)
{
	static struct raw r;
	const struct raw_file *f;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", d->dir, d->name, file);
	if (!raw_is(d->dir)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(err, errno, "%s", path) : fd;
	}
	if (raw_open(d->dir, false, &r, err))
		return -1;
	f = raw_find(&r, d->name, file);
	fd = f ? memfd_create(file, MFD_CLOEXEC) : -1;
	if (!f)
		err_set(err, ERR_ABSENT, "%s: no such file", path);
	else if (fd < 0)
		err_sys(err, errno, "memfd");
	if (fd >= 0 && raw_copy(&r, f, fd, err)) {
		close(fd);
		fd = -1;
	}
	raw_close(&r);
	return fd;
}

/* The plain dump from the flattened one, which goes. */
static int unpack(const char *flat, const char *plain, struct err *err)
{
	_cleanup_close_ int from = open(flat, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = open(plain, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool cut;

	if (from < 0 || to < 0)
		return err_sys(err, errno, "%s", plain);
	if (flattened_unpack(from, to, &cut, err) || file_sync(plain, err))
		return -1;
	if (cut)
		return err_set(err, ERR_CORRUPT, "%s ends too early", flat);
	return unlink(flat) < 0 ? err_sys(err, errno, "%s", flat) : 0;
}

static int extract_file(const struct raw *r, const struct raw_file *f, const char *dir, struct err *err)
{
	char path[PATH_MAX + 32], plain[PATH_MAX + 32];
	bool vmcore = !strcmp(f->name, "vmcore.flat");
	struct err one = { 0 };
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s%s", dir, f->name, f->cut ? ".incomplete" : "");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	/* The checksum of a cut file may be of an earlier length. */
	ret = raw_copy(r, f, fd, &one);
	if (ret && err)
		*err = one;
	if (ret && f->cut && one.code == ERR_CORRUPT)
		ret = 0;
	if (!ret && fsync(fd) < 0)
		ret = err_sys(err, errno, "%s", path);
	close(fd);
	if (ret || !vmcore || f->cut)
		return ret;
	snprintf(plain, sizeof(plain), "%s/vmcore", dir);
	return unpack(path, plain, err);
}

int dumps_raw_extract(const struct dump *d, const char *dir, struct err *err)
{
	char to[PATH_MAX];
	static struct raw r;
	bool damaged = false;
	int ret = 0;

	snprintf(to, sizeof(to), "%s/%s", dir, d->name);
	if (raw_open(d->dir, false, &r, err))
		return -1;
	if (make_dirs(to, 0700, err))
		ret = -1;
	/* One damaged file costs that file: the others come out, and the first error is told. */
	for (uint32_t i = 0; (!ret || damaged) && i < r.table.count; i++) {
		if (strcmp(r.table.files[i].dump, d->name) || !extract_file(&r, &r.table.files[i], to, damaged ? NULL : err))
			continue;
		ret = -1;
		damaged = true;
	}
	raw_close(&r);
	return ret ? ret : file_sync(to, err);
}
