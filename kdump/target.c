// SPDX-License-Identifier: GPL-2.0-or-later
/* target.c - see target.h. */
#include "kdump/target.h"

#include "kdump/crash_target.h"
#include "kdump/device.h"
#include "kdump/files.h"
#include "kdump/fsid.h"
#include "kdump/mounts.h"
#include "kdump/net.h"
#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What each filesystem needs beyond its own module and modules.softdep. */
static const struct fs {
	const char *fstype;
	const char *options;		/* to mount it in the crash kernel */
	const char *also[4];		/* modules that it asks for by name while it mounts */
} filesystems[] = {
	{ "ext4", "", { NULL } },
	{ "ext3", "", { NULL } },
	{ "ext2", "", { NULL } },
	{ "xfs", "", { NULL } },
	/* mountinfo shows paths from the top of the tree, whatever subvolume is mounted. */
	{ "btrfs", "subvolid=5", { NULL } },
	/* FAT_DEFAULT_CODEPAGE and FAT_DEFAULT_IOCHARSET of Debian's kernels. */
	{ "vfat", "", { "nls_cp437", "nls_ascii", "nls_utf8" } },
	/* The versions are modules of their own, asked for while mounting. */
	{ "nfs", "", { "nfsv3" } },
	{ "nfs4", "", { "nfsv4" } },
};

static const struct fs *find_fs(const char *fstype)
{
	for (size_t i = 0; i < sizeof(filesystems) / sizeof(*filesystems); i++) {
		if (!strcmp(filesystems[i].fstype, fstype))
			return &filesystems[i];
	}
	return NULL;
}

static int find_mount(const char *dir, char **real, struct mount_entry *m, struct err *err)
{
	struct buf text = BUF_INIT;
	int ret;

	*real = realpath(dir, NULL);
	if (!*real)
		return err_set(err, ERR_ENVIRONMENT, "target %s: %s; create it, or name another with --target", dir,
			       strerror(errno));
	ret = read_under("", "/proc/self/mountinfo", &text, err);
	if (!ret)
		ret = mount_find(buf_str(&text), *real, m, err);
	buf_deinit(&text);
	return ret;
}

/* A filesystem's own device number is anonymous on btrfs: then the device that was mounted counts. */
static int block_device(const struct mount_entry *m, unsigned int *major, unsigned int *minor, struct err *err)
{
	struct stat st;

	*major = m->major;
	*minor = m->minor;
	if (*major)
		return 0;
	if (stat(m->source, &st) < 0 || !S_ISBLK(st.st_mode))
		return err_set(err, ERR_ENVIRONMENT, "%s (%s on %s) is on no block device", m->point, m->fstype, m->source);
	*major = major(st.st_rdev);
	*minor = minor(st.st_rdev);
	return 0;
}

static int read_fsid(const struct device_chain *chain, unsigned int major, unsigned int minor, struct fsid *id,
		     struct err *err)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "/dev/block/%u:%u", major, minor);
	if (access(path, F_OK))
		snprintf(path, sizeof(path), "/dev/%s", chain->name);
	ret = fsid_read(path, id, err);
	if (ret && err->errnum == EACCES)
		return err_set(err, ERR_ENVIRONMENT, "%s: %s; run as root", path, strerror(EACCES));
	return ret;
}

/*
 * Of a mounted nfs's options, those that say where and how. hard: a server that is slow must not cut a dump; the time
 * limit of the step ends a wait (a process that waits for a server can be killed).
 */
static void nfs_options(const char *super, char *out, size_t size)
{
	static const char *const keep[] = { "vers=", "minorversion=", "proto=", "port=", "addr=", "sec=", "mountaddr=",
					    "mountvers=", "mountport=", "mountproto=" };
	size_t n = 0;

	while (*super) {
		size_t len = strcspn(super, ",");

		for (size_t i = 0; i < sizeof(keep) / sizeof(*keep); i++) {
			if (!strncmp(super, keep[i], strlen(keep[i])) && n < size)
				n += (size_t)snprintf(out + n, size - n, "%.*s,", (int)len, super);
		}
		super += len + (super[len] == ',');
	}
	/*
	 * 4.1 where 4.2 is mounted: a dump needs nothing of 4.2, and its READ_PLUS (6.12 against nfs-ganesha 4.3) ended
	 * makedumpfile with an I/O error after 10 MB.
	 */
	if (n < size && strstr(out, "vers=4.2,"))
		memcpy(strstr(out, "vers=4.2,"), "vers=4.1,", 9);
	if (n < size)
		snprintf(out + n, size - n, "hard,nolock");
}

/* The value of "addr=" in an nfs's options: the server, resolved already. */
static bool nfs_server(const char *super, char *out, size_t size)
{
	const char *p = !strncmp(super, "addr=", 5) ? super - 1 : strstr(super, ",addr=");

	if (!p)
		return false;
	p += 6;
	return snprintf(out, size, "%.*s", (int)strcspn(p, ","), p) < (int)size;
}

static int resolve_nfs(const struct mount_entry *m, const char *real, struct plan_target *t, struct err *err)
{
	char server[64], ifname[64], inner[1024];

	if (!nfs_server(m->options, server, sizeof(server)))
		return err_set(err, ERR_ENVIRONMENT, "%s: no addr= among the options of this mount", m->source);
	if (net_route(server, t->net, ifname, sizeof(ifname), err))
		return -1;
	/* What is mounted is the export and the directory below it; paths are from there. */
	if (snprintf(t->source, sizeof(t->source), "%s", m->source) >= (int)sizeof(t->source))
		return err_set(err, ERR_UNSUPPORTED, "%s: path too long", m->source);
	snprintf(inner, sizeof(inner), "%s", real + (strcmp(m->point, "/") ? strlen(m->point) : 0));
	strcpy(t->target, "nfs");
	snprintf(t->device, sizeof(t->device), "%s", ifname);
	snprintf(t->fstype, sizeof(t->fstype), "%.15s", m->fstype);
	snprintf(t->fsid, sizeof(t->fsid), "%.39s", server);
	nfs_options(m->options, t->options, sizeof(t->options));
	snprintf(t->dir, sizeof(t->dir), "%s%.1000s", *inner == '/' ? "" : "/", inner);
	return 0;
}

bool target_is_device(const char *target)
{
	struct stat st;

	return !stat(target, &st) && S_ISBLK(st.st_mode);
}

static int resolve_device(const char *path, struct plan_target *t, struct err *err)
{
	struct device_chain chain;
	struct stat st;
	struct fsid id;

	if (stat(path, &st) < 0)
		return err_sys(err, errno, "target %s", path);
	if (device_chain("", major(st.st_rdev), minor(st.st_rdev), &chain, err) || fsid_read(path, &id, err))
		return err_wrap(err, "target %s", path);
	if (strcmp(id.fstype, "raw"))
		return err_set(err, ERR_ENVIRONMENT, "target %s holds %s filesystem %s, not dumps; 'deadfall kdump setup --target %s "
			       "--overwrite' erases it", path, id.fstype, id.id, path);
	strcpy(t->target, "raw");
	strcpy(t->fstype, "raw");
	snprintf(t->device, sizeof(t->device), "%s", chain.name);
	snprintf(t->fsid, sizeof(t->fsid), "%s", id.id);
	return 0;
}

/* The crash kernel mounts one device: a filesystem that is spread over more would not come up there. */
static int check_one_device(const struct mount_entry *m, const struct fsid *id, struct err *err)
{
	static const char *const elsewhere[] = { "logdev=", "rtdev=", "journal_dev=", "journal_path=" };
	char path[128];
	unsigned int devices = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/fs/btrfs/%s/devices", id->id);
	dir = strcmp(id->fstype, "btrfs") ? NULL : opendir(path);
	while (dir && (e = readdir(dir)))
		devices += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	if (devices > 1)
		return err_set(err, ERR_ENVIRONMENT, "this btrfs lies on %u devices; the crash kernel mounts one. Name a directory on another "
			       "filesystem", devices);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		if (strstr(m->options, elsewhere[i]))
			return err_set(err, ERR_ENVIRONMENT, "a part of this %s lies on another device (%s); the crash kernel mounts one. Name a "
				       "directory on another filesystem", m->fstype, elsewhere[i]);
	}
	return 0;
}

int target_resolve(const char *dir, struct plan_target *t, struct err *err)
{
	_cleanup_free_ char *real = NULL;
	struct device_chain chain;
	unsigned int major, minor;
	struct mount_entry m;
	const struct fs *fs;
	struct fsid id;

	if (target_is_device(dir))
		return resolve_device(dir, t, err);
	if (find_mount(dir, &real, &m, err))
		return -1;
	fs = find_fs(m.fstype);
	if (!fs)
		return err_set(err, ERR_ENVIRONMENT,
			       "target %s lives on %s, which a crash kernel cannot write; name a directory on ext4, xfs, btrfs, vfat or nfs "
			       "with --target", dir, m.fstype);
	if (!strncmp(m.fstype, "nfs", 3))
		return resolve_nfs(&m, real, t, err) ? err_wrap(err, "target %s", dir) : 0;
	if (block_device(&m, &major, &minor, err) || device_chain("", major, minor, &chain, err) ||
	    read_fsid(&chain, major, minor, &id, err) || check_one_device(&m, &id, err))
		return err_wrap(err, "target %s", dir);
	strcpy(t->target, "fs");
	snprintf(t->device, sizeof(t->device), "%s", chain.name);
	snprintf(t->fstype, sizeof(t->fstype), "%s", fs->fstype);
	snprintf(t->fsid, sizeof(t->fsid), "%s", id.id);
	snprintf(t->options, sizeof(t->options), "%s", fs->options);
	return mount_inner_path(&m, real, t->dir, sizeof(t->dir), err);
}

static int add_filesystem(const struct modules *m, const char *fstype, struct module_list *list, struct err *err)
{
	const struct fs *fs = find_fs(fstype);
	unsigned int before = list->count;
	char alias[80];

	snprintf(alias, sizeof(alias), "fs-%s", fstype);
	if (modules_add_alias(m, list, alias, err))
		return -1;
	/* No module answers to the alias: built in, or the name itself. */
	if (list->count == before && modules_add(m, list, fstype, NULL) && !modules_is_builtin(m, fstype)) {
		/* It is mounted, so this kernel has it; where modules.builtin is missing that must do. */
		return m->builtin.len ? err_set(err, ERR_ABSENT, "kernel %s has no %s", m->release, fstype) : 0;
	}
	for (size_t i = 0; fs && i < sizeof(fs->also) / sizeof(*fs->also) && fs->also[i]; i++)
		modules_add(m, list, fs->also[i], NULL);
	return 0;
}

static int add_drivers(const struct modules *m, unsigned int major, unsigned int minor, struct module_list *list,
		       struct err *err)
{
	struct device_chain chain;

	if (device_chain("", major, minor, &chain, err))
		return -1;
	for (unsigned int i = 0; i < chain.count; i++) {
		/* A driver without a module of that name is part of the kernel if modules.builtin cannot tell. */
		if (modules_add(m, list, chain.drivers[i], err) && m->builtin.len)
			return err_wrap(err, "driver of %s", chain.name);
	}
	return 0;
}

static int nfs_modules(const struct modules *m, const struct mount_entry *mount, struct module_list *list, struct err *err)
{
	char server[64], ifname[64], net[NET_SIZE];

	if (!nfs_server(mount->options, server, sizeof(server)))
		return err_set(err, ERR_ENVIRONMENT, "%s: no addr= among the options of this mount", mount->source);
	if (net_route(server, net, ifname, sizeof(ifname), err) || net_modules(m, ifname, list, err))
		return -1;
	return add_filesystem(m, mount->fstype, list, err);
}

int target_modules(const struct modules *m, const char *dir, struct module_list *list, struct err *err)
{
	_cleanup_free_ char *real = NULL;
	unsigned int major, minor;
	struct mount_entry mount;
	struct stat st;

	if (target_is_device(dir) && !stat(dir, &st))
		return add_drivers(m, major(st.st_rdev), minor(st.st_rdev), list, err);
	if (find_mount(dir, &real, &mount, err))
		return -1;
	if (!strncmp(mount.fstype, "nfs", 3))
		return nfs_modules(m, &mount, list, err);
	if (block_device(&mount, &major, &minor, err) || add_drivers(m, major, minor, list, err))
		return -1;
	return add_filesystem(m, mount.fstype, list, err);
}

int target_reserve(const char *dir, long long bytes, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" RESERVE_NAME, dir);
	return crash_reserve(path, bytes, err);
}
