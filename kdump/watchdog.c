// SPDX-License-Identifier: GPL-2.0-or-later
/* watchdog.c - see watchdog.h. */
#include "kdump/watchdog.h"

#include "kdump/device.h"
#include "kdump/files.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WATCHDOGS_MAX 4

static bool one_active(const char *root, int n, char *name, size_t size)
{
	char path[80], line[32];

	snprintf(path, sizeof(path), "/sys/class/watchdog/watchdog%d/state", n);
	if (!file_line(root, path, line, sizeof(line)) || strcmp(line, "active"))
		return false;
	snprintf(path, sizeof(path), "/sys/class/watchdog/watchdog%d/identity", n);
	file_line(root, path, name, size);
	return strcmp(name, "Software Watchdog") != 0;
}

bool watchdog_active(const char *root, char *name, size_t size)
{
	for (int i = 0; i < WATCHDOGS_MAX; i++) {
		if (one_active(root, i, name, size))
			return true;
	}
	*name = 0;
	return false;
}

/*
 * Many drivers give their watchdog no parent device (i6300esb on 6.12): its directory lies under
 * devices/virtual and leads to no driver. But each driver that is a module is one of the loaded modules.
 */
static int add_loaded_drivers(const struct modules *m, struct module_list *list, struct err *err)
{
	struct buf text = BUF_INIT;
	char *save = NULL;
	int ret = 0;

	if (read_under("", "/proc/modules", &text, NULL))
		return 0;
	for (char *line = strtok_r(text.data, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save)) {
		char path[256];

		line[strcspn(line, " ")] = 0;
		if (strcmp(line, "softdog") && modules_path(m, line, path, sizeof(path)) &&
		    strstr(path, "/drivers/watchdog/"))
			ret = modules_add(m, list, line, err);
	}
	buf_deinit(&text);
	return ret;
}

int watchdog_modules(const struct modules *m, struct module_list *list, bool *active, struct err *err)
{
	char name[64], path[64];
	struct device_chain chain;

	*active = false;
	for (int i = 0; i < WATCHDOGS_MAX; i++) {
		if (!one_active("", i, name, sizeof(name)))
			continue;
		*active = true;
		snprintf(path, sizeof(path), "/sys/class/watchdog/watchdog%d", i);
		if (device_chain_of("", path, &chain, err))
			return -1;
		for (unsigned int d = 0; d < chain.count; d++) {
			if (modules_add(m, list, chain.drivers[d], err) && m->builtin.len)
				return err_wrap(err, "driver of the watchdog '%s'", name);
		}
	}
	return *active ? add_loaded_drivers(m, list, err) : 0;
}

int watchdog_open(void)
{
	int fd = open("/dev/watchdog0", O_WRONLY | O_CLOEXEC);
	int timeout = 30;

	/* Drivers that cannot change it keep theirs: once a second is enough for all. */
	if (fd >= 0)
		ioctl(fd, WDIOC_SETTIMEOUT, &timeout);
	return fd;
}

void watchdog_feed(int fd)
{
	if (fd >= 0)
		ioctl(fd, WDIOC_KEEPALIVE, 0);
}
