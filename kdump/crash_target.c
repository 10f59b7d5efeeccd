// SPDX-License-Identifier: GPL-2.0-or-later
/* crash_target.c - see crash_target.h. */
#include "kdump/crash_target.h"

#include "kdump/files.h"
#include "kdump/fsid.h"
#include "kdump/net.h"
#include "kdump/process.h"
#include "kdump/raw.h"
#include "lib/buf.h"
#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int load_module(const char *path, struct err *err)
{
	struct buf image = BUF_INIT;
	int ret = 0;

	if (read_under("/", path, &image, err)) {
		ret = -1;
	} else if (syscall(SYS_init_module, image.data, image.len, "") < 0 && errno != EEXIST) {
		ret = err_sys(err, errno, "%s", path);
	}
	buf_deinit(&image);
	return ret;
}

int crash_load_modules(const struct plan *p, struct err *err)
{
	struct buf failed = BUF_INIT;
	struct err one;
	int ret = 0;

	for (unsigned int i = 0; i < p->module_count; i++) {
		if (load_module(p->modules[i], &one))
			buf_printf(&failed, "%s%s", failed.len ? "; " : "", one.msg);
	}
	if (failed.len)
		ret = err_set(err, ERR_SYSTEM, "%s", buf_str(&failed));
	buf_deinit(&failed);
	return ret;
}

static bool carries_target(const struct plan_target *t, const char *device)
{
	struct fsid id;

	return !fsid_read(device, &id, NULL) && !strcmp(id.id, t->fsid);
}

/* Look at every block device there is; the names seen are appended to *seen. */
static bool find_device(const struct plan_target *t, char *device, size_t size, struct buf *seen)
{
	DIR *dir = opendir("/sys/class/block");
	bool found = false;
	struct dirent *d;

	while (dir && !found && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strncmp(d->d_name, "loop", 4) || !strncmp(d->d_name, "ram", 3))
			continue;
		buf_printf(seen, " %s", d->d_name);
		snprintf(device, size, "/dev/%s", d->d_name);
		/* sysfs writes the '/' of names like cciss/c0d0 as '!'. */
		for (char *c = device; *c; c++)
			*c = *c == '!' ? '/' : *c;
		found = carries_target(t, device);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int wait_device(const struct plan_target *t, unsigned int patience, char *device, size_t size, struct err *err)
{
	double end = process_now() + patience;
	struct buf seen = BUF_INIT;
	bool found;

	for (;;) {
		found = find_device(t, device, size, &seen);
		if (found || process_now() > end)
			break;
		buf_deinit(&seen);
		poll(NULL, 0, 100);
	}
	if (!found)
		err_set(err, ERR_ABSENT, "no device carries the %s filesystem %s (it was %s); block devices here:%s",
			t->fstype, t->fsid, t->device, seen.len ? buf_str(&seen) : " none");
	buf_deinit(&seen);
	return found ? 0 : -1;
}

static int mount_disk(const struct plan_target *t, unsigned int patience, char *device, size_t size, struct err *err)
{
	static struct raw raw;

	if (wait_device(t, patience, device, size, err))
		return -1;
	if (make_dirs(TARGET_MOUNT, 0700, err))
		return -1;
	if (!strcmp(t->target, "raw")) {
		if (raw_open(device, true, &raw, err))
			return -1;
		raw_close(&raw);
		return 0;
	}
	if (mount(device, TARGET_MOUNT, t->fstype, MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC, t->options) < 0)
		return err_sys(err, errno, "cannot mount %s (%s)", device, t->fstype);
	return 0;
}

static int mount_nfs(const struct plan_target *t, unsigned int patience, char *device, size_t size, struct err *err)
{
	if (net_up(t->net, patience, err))
		return -1;
	snprintf(device, size, "%.60s", t->source);
	if (make_dirs(TARGET_MOUNT, 0700, err))
		return -1;
	if (mount(t->source, TARGET_MOUNT, t->fstype, MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC, t->options) < 0)
		return err_sys(err, errno, "cannot mount %s (%s, %s)", t->source, t->fstype, t->options);
	return 0;
}

/* In another service's crash kernel the filesystem is mounted already. */
static int mount_directory(const struct plan_target *t, char *device, size_t size, struct err *err)
{
	snprintf(device, size, "%.60s", t->device);
	if (make_dirs(t->source, 0700, err) || make_dirs(TARGET_MOUNT, 0700, err))
		return -1;
	if (mount(t->source, TARGET_MOUNT, NULL, MS_BIND, NULL) < 0)
		return err_sys(err, errno, "cannot bind %s", t->source);
	return 0;
}

int crash_mount_target(const struct plan_target *t, unsigned int patience, char *device, size_t size, struct err *err)
{
	if (!strcmp(t->target, "nfs"))
		return mount_nfs(t, patience, device, size, err);
	if (!strcmp(t->target, "ssh")) {
		snprintf(device, size, "%.60s", t->source);
		return make_dirs(TARGET_MOUNT, 0700, err) || net_up(t->net, patience, err) ? -1 : 0;
	}
	if (!strcmp(t->target, "dir"))
		return mount_directory(t, device, size, err);
	return mount_disk(t, patience, device, size, err);
}

int crash_make_dir(const struct plan_target *t, long long when, const char *rule, char *name, size_t size, struct err *err)
{
	char path[PATH_MAX], stamp[32];
	time_t seconds = (time_t)when;
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &tm));
	snprintf(path, sizeof(path), TARGET_MOUNT "%s", t->dir);
	if (make_dirs(path, 0700, err))
		return -1;
	*name = 0;
	for (int i = 1; i < 100; i++) {
		if (i == 1)
			snprintf(name, size, "%s-%s", stamp, rule);
		else
			snprintf(name, size, "%s-%s.%d", stamp, rule, i);
		snprintf(path, sizeof(path), TARGET_MOUNT "%s/%s", t->dir, name);
		if (!mkdir(path, 0700))
			return 0;
		if (errno != EEXIST) {
			*name = 0;
			return err_sys(err, errno, "%s: mkdir", path);
		}
	}
	return err_set(err, ERR_SYSTEM, "%s: a hundred dumps of one second", path);
}

int crash_reserve(const char *path, long long bytes, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	ret = posix_fallocate(fd, 0, bytes);
	if (ret) {
		unlink(path);
		return err_sys(err, ret, "%s: %lld bytes", path, bytes);
	}
	return fsync(fd) < 0 ? err_sys(err, errno, "%s: fsync", path) : 0;
}

void crash_release_reserve(const struct plan_target *t)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), TARGET_MOUNT "%s/" RESERVE_NAME, t->dir);
	unlink(path);
}
