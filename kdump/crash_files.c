// SPDX-License-Identifier: GPL-2.0-or-later
/* crash_files.c - see crash_files.h. */
#include "kdump/crash_files.h"

#include "kdump/crash_store.h"
#include "kdump/crash_target.h"
#include "kdump/dumps.h"
#include "kdump/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Space for the next status.json, held by a file until the vmcore has taken all the rest. */
#define PAD_NAME ".reserve"
#define PAD_BYTES (64 << 10)
#define PROBE_BYTES (1 << 20)

static bool stored(const struct crash *c)
{
	return store_is(crash_target(c));
}

void crash_path(const struct crash *c, char *out, size_t size, const char *file)
{
	snprintf(out, size, TARGET_MOUNT "%s/%s%s%s", crash_target(c)->dir, c->status->name, *file ? "/" : "", file);
}

long long crash_file_size(const struct crash *c, const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	crash_path(c, path, sizeof(path), file);
	return stat(path, &st) < 0 ? 0 : (long long)st.st_size;
}

static int report(int ret, const struct err *err)
{
	if (ret)
		fprintf(stderr, "%s\n", err->msg);
	return ret ? 1 : 0;
}

static int put(const struct crash *c, const char *path, const char *file)
{
	return store_put(crash_target(c), c->status->device, path, c->status->name, file);
}

int child_modules(void *arg)
{
	const struct crash_call *call = arg;
	struct err err;

	return report(crash_load_modules(&call->c->plan, &err), &err);
}

static int make_dump_dir(struct crash *c, struct err *err)
{
	struct crash_status *s = c->status;
	char pad[PATH_MAX];

	if (!*s->name && crash_make_dir(crash_target(c), s->time, s->rule, s->name, sizeof(s->name), err))
		return -1;
	crash_path(c, pad, sizeof(pad), PAD_NAME);
	return crash_reserve(pad, PAD_BYTES, err);
}

int child_target(void *arg)
{
	struct crash *c = ((struct crash_call *)arg)->c;
	unsigned int limit = c->plan.limits[STEP_TARGET];
	struct err err;
	int ret;

	ret = crash_mount_target(crash_target(c), limit > 20 ? limit - 10 : limit / 2, c->status->device,
				 sizeof(c->status->device), &err);
	if (ret)
		return report(ret, &err);
	ret = make_dump_dir(c, &err);
	if (ret && err.errnum == ENOSPC) {
		crash_release_reserve(crash_target(c));
		ret = make_dump_dir(c, &err);
	}
	return report(ret, &err);
}

int child_write_status(void *arg)
{
	struct crash *c = ((struct crash_call *)arg)->c;
	char path[PATH_MAX], pad[PATH_MAX];
	struct err err;
	int ret;

	crash_path(c, path, sizeof(path), "status.json");
	crash_path(c, pad, sizeof(pad), PAD_NAME);
	ret = status_write(c->status, &c->plan, path, &err);
	if (ret && err.errnum == ENOSPC) {
		unlink(pad);
		ret = status_write(c->status, &c->plan, path, &err);
	}
	if (c->status->finished)
		unlink(pad);
	else
		crash_reserve(pad, PAD_BYTES, NULL);
	if (!ret && stored(c) && c->status->named)
		return put(c, path, "status.json");
	return report(ret, &err);
}

int child_settle(void *arg)
{
	const struct crash_call *call = arg;
	char from[PATH_MAX], to[PATH_MAX];
	struct err err;

	crash_path(call->c, from, sizeof(from), call->from);
	crash_path(call->c, to, sizeof(to), call->to);
	if (file_sync(from, &err))
		return report(-1, &err);
	if (strcmp(from, to) && rename(from, to) < 0) {
		fprintf(stderr, "%s: rename: %s\n", to, strerror(errno));
		return 1;
	}
	if (stored(call->c))
		return put(call->c, to, call->to);
	crash_path(call->c, to, sizeof(to), "");
	return report(file_sync(to, &err), &err);
}

int child_stream(void *arg)
{
	const struct crash_call *call = arg;
	const struct crash *c = call->c;

	return store_stream(crash_target(c), c->status->device, call->argv, c->status->name, call->to);
}

int child_rename_dir(void *arg)
{
	const struct crash_call *call = arg;
	struct crash_status *s = call->c->status;
	char old[PATH_MAX], new[PATH_MAX], was[sizeof(s->name)], name[sizeof(s->name)], parent[PATH_MAX];
	struct err err;

	crash_path(call->c, old, sizeof(old), "");
	/* Making the new one first finds a free name; rename() replaces an empty directory. */
	if (crash_make_dir(crash_target(call->c), s->time, call->to, name, sizeof(name), &err))
		return report(-1, &err);
	memcpy(was, s->name, sizeof(was));
	memcpy(s->name, name, sizeof(name));
	crash_path(call->c, new, sizeof(new), "");
	if (rename(old, new) < 0) {
		fprintf(stderr, "%s: rename: %s\n", new, strerror(errno));
		rmdir(new);
		memcpy(s->name, was, sizeof(was));
		return 1;
	}
	snprintf(parent, sizeof(parent), "%s", new);
	*strrchr(parent, '/') = 0;
	return report(file_sync(parent, &err), &err);
}

int child_check(void *arg)
{
	/* What makedumpfile writes starts with one of these, and a whole dump is larger than its headers. */
	static const char *const magics[] = { "KDUMP   ", "DISKDUMP", "\177ELF", "makedumpfile" };
	const struct crash *c = ((struct crash_call *)arg)->c;
	char path[PATH_MAX], head[16] = "";
	struct stat st;
	int fd;

	if (stored(c))
		return store_check(crash_target(c), c->status->device, c->status->name, STORE_VMCORE);
	crash_path(c, path, sizeof(path), "vmcore");
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, head, sizeof(head)) != sizeof(head)) {
		fprintf(stderr, "%s cannot be read: %s\n", path, strerror(errno));
		return 1;
	}
	close(fd);
	if (st.st_size < 1 << 20) {
		fprintf(stderr, "the vmcore has only %lld bytes\n", (long long)st.st_size);
		return 1;
	}
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if (!memcmp(head, magics[i], strlen(magics[i])))
			return 0;
	}
	fprintf(stderr, "the vmcore does not begin like a dump\n");
	return 1;
}

int child_probe(void *arg)
{
	const struct crash *c = ((struct crash_call *)arg)->c;
	char path[PATH_MAX];
	struct err err;
	int ret;

	if (stored(c))
		return store_probe(crash_target(c), c->status->device);
	crash_path(c, path, sizeof(path), ".probe");
	ret = crash_reserve(path, PROBE_BYTES, &err);
	unlink(path);
	return report(ret, &err);
}

static long long largest_vmcore(const struct dump_list *l)
{
	long long most = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (l->dumps[i].vmcore_bytes > most)
			most = l->dumps[i].vmcore_bytes;
	}
	return most;
}

int child_retain(void *arg)
{
	const struct crash_call *call = arg;
	const struct crash *c = call->c;
	unsigned int deleted = 0;
	struct dump_list l;
	char where[PATH_MAX];
	long long max = c->plan.max_bytes, coming;
	struct err err;
	bool *doomed;
	int ret = 0;

	if (!strcmp(crash_target(c)->target, "raw"))
		snprintf(where, sizeof(where), "%s", c->status->device);
	else
		snprintf(where, sizeof(where), TARGET_MOUNT "%s", crash_target(c)->dir);
	if (dumps_scan(where, &l, &err))
		return report(-1, &err);
	doomed = calloc(l.count + 1, sizeof(*doomed));
	/* The vmcore that is to come will be about as large as the others. */
	coming = call->finished || c->plan.capsule_only ? 0 : largest_vmcore(&l);
	if (max)
		max = max > coming ? max - coming : 1;
	if (doomed)
		dumps_choose(&l, c->plan.max_dumps, max, doomed);
	for (size_t i = 0; doomed && i < l.count; i++) {
		if (!doomed[i] || !strcmp(l.dumps[i].name, c->status->name))
			continue;
		if (dumps_delete(where, &l.dumps[i], &err))
			ret = report(-1, &err);
		else
			deleted++;
	}
	printf("deleted %u\n", deleted);
	free(doomed);
	dumps_free(&l);
	return ret;
}

int child_save_own_log(void *arg)
{
	const struct crash *c = ((struct crash_call *)arg)->c;
	static char text[256 << 10];
	char path[PATH_MAX];
	struct err err;
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text));

	crash_path(c, path, sizeof(path), "crash-kernel.txt");
	if (n < 0 || file_replace(path, text, (size_t)n, 0600, &err))
		return 1;
	return stored(c) ? put(c, path, "crash-kernel.txt") : 0;
}

int child_unmount(void *arg)
{
	(void)arg;
	sync();
	if (umount(TARGET_MOUNT) < 0 && errno != EINVAL && errno != ENOENT) {
		/* Somebody still has a file open: at least nothing more is written behind a clean journal. */
		umount2(TARGET_MOUNT, MNT_DETACH);
	}
	return 0;
}
