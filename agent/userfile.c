// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/userfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"

static const char *find_by_name(struct arena *a, const char *name)
{
	static const char *const dirs[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin",
					    "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64",
					    "/usr/lib" };
	const char *path;

	if (strchr(name, '/'))
		return access(name, R_OK) ? NULL : name;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		path = arena_printf(a, "%s/%s", dirs[i], name);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

/* A file that the process has mapped, by path or by its last part; through the process's own root directory. */
static const char *find_mapped(struct arena *a, int pid, const char *name)
{
	_cleanup_fclose_ FILE *maps = fopen(arena_printf(a, "/proc/%d/maps", pid), "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (maps && (len = getline(&line, &size, maps)) > 0) {
		char *path = strchr(line, '/');

		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(path, name) || !strcmp(strrchr(path, '/') + 1, name))
			return arena_printf(a, "/proc/%d/root%s", pid, path);
	}
	return NULL;
}

const char *userfile_find(struct arena *a, const char *target, int *pid)
{
	const char *path;
	char *end;
	long n;

	*pid = -1;
	if (strncmp(target, "pid:", 4) != 0)
		return find_by_name(a, target);
	n = strtol(target + 4, &end, 10);
	if (end == target + 4 || n <= 0 || n > 1 << 22 || (*end && *end != ':'))
		return NULL;
	*pid = (int)n;
	if (*end)
		return find_mapped(a, *pid, end + 1);
	path = arena_printf(a, "/proc/%d/exe", *pid);
	return access(path, R_OK) ? NULL : path;
}
