// SPDX-License-Identifier: GPL-2.0-or-later
/* device.c - see device.h. */
#include "kdump/device.h"

#include "lib/cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last component of what dir/link points to; false if it is no link. */
static int link_name(const char *dir, const char *link, char *out, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX], *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, link);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = 0;
	slash = strrchr(target, '/');
	return snprintf(out, size, "%s", slash ? slash + 1 : target) < (int)size;
}

static int add_driver(struct device_chain *chain, const char *module, struct err *err)
{
	for (unsigned int i = 0; i < chain->count; i++) {
		if (!strcmp(chain->drivers[i], module))
			return 0;
	}
	if (chain->count == sizeof(chain->drivers) / sizeof(*chain->drivers))
		return err_set(err, ERR_UNSUPPORTED, "%s has more than %u drivers", chain->name, chain->count);
	snprintf(chain->drivers[chain->count++], sizeof(chain->drivers[0]), "%s", module);
	return 0;
}

static void reverse(struct device_chain *chain)
{
	for (unsigned int i = 0, j = chain->count; i + 1 < j; i++) {
		char swap[sizeof(chain->drivers[0])];

		j--;
		memcpy(swap, chain->drivers[i], sizeof(swap));
		memcpy(chain->drivers[i], chain->drivers[j], sizeof(swap));
		memcpy(chain->drivers[j], swap, sizeof(swap));
	}
}

int device_chain_of(const char *root, const char *sysfs_path, struct device_chain *ret, struct err *err)
{
	char path[PATH_MAX], module[64], *slash;
	_cleanup_free_ char *top = NULL;
	_cleanup_free_ char *dir = NULL;

	*ret = (struct device_chain){ 0 };
	snprintf(path, sizeof(path), "%s/sys/devices", root);
	top = realpath(path, NULL);
	snprintf(path, sizeof(path), "%s%s", root, sysfs_path);
	dir = realpath(path, NULL);
	if (!top || !dir || strncmp(dir, top, strlen(top)))
		return err_set(err, ERR_ABSENT, "no device %s", sysfs_path);
	snprintf(ret->name, sizeof(ret->name), "%s", strrchr(dir, '/') + 1);
	while (strlen(dir) > strlen(top)) {
		if (link_name(dir, "driver/module", module, sizeof(module)) && add_driver(ret, module, err))
			return -1;
		slash = strrchr(dir, '/');
		*slash = 0;
	}
	reverse(ret);
	return 0;
}

int device_chain(const char *root, unsigned int major, unsigned int minor, struct device_chain *ret,
		 struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
	if (device_chain_of(root, path, ret, err))
		return -1;
	if (!strncmp(ret->name, "dm-", 3) || !strncmp(ret->name, "md", 2) || !strncmp(ret->name, "loop", 4))
		return err_set(err, ERR_UNSUPPORTED,
			       "%s is put together by user space (LVM, RAID, encryption, loop); the crash kernel cannot. "
			       "Name a directory on a plain disk or partition with --target", ret->name);
	return 0;
}
