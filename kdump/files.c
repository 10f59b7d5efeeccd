// SPDX-License-Identifier: GPL-2.0-or-later
/* files.c - see files.h. */
#include "kdump/files.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int read_under(const char *root, const char *path, struct buf *out, struct err *err)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	_cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_ABSENT, "%s: no such file", full);
	if (fd < 0)
		return err_sys(err, errno, "%s", full);
	return file_read_fd(fd, out, err) ? err_wrap(err, "%s", full) : 0;
}

bool file_line(const char *root, const char *path, char *out, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;

	*out = 0;
	snprintf(full, sizeof(full), "%s%s", root, path);
	_cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
	return n >= 0;
}

long long file_number(const char *root, const char *path, long long fallback)
{
	char line[64], *end;
	long long v;

	if (!file_line(root, path, line, sizeof(line)))
		return fallback;
	v = strtoll(line, &end, 0);
	return end == line ? fallback : v;
}

int file_sync(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	if (fsync(fd) < 0)
		return err_sys(err, errno, "%s: fsync", path);
	return 0;
}

static int write_durably(const char *path, const char *data, size_t len, unsigned int mode, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "%s: write", path);
		data += n;
		len -= (size_t)n;
	}
	if (fsync(fd) < 0)
		return err_sys(err, errno, "%s: fsync", path);
	return 0;
}

int file_replace(const char *path, const void *data, size_t len, unsigned int mode, struct err *err)
{
	char tmp[PATH_MAX], *slash;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
		return err_set(err, ERR_INVALID, "%s: path too long", path);
	if (write_durably(tmp, data, len, mode, err)) {
		unlink(tmp);
		return -1;
	}
	/* A new file is linked, so that who traps rename() does not meet us; some filesystems cannot. */
	if (!link(tmp, path))
		unlink(tmp);
	else if (rename(tmp, path) < 0)
		return err_sys(err, errno, "%s: rename from %s", path, tmp);
	slash = strrchr(tmp, '/');
	if (!slash)
		return file_sync(".", err);
	slash[slash == tmp] = 0;
	return file_sync(tmp, err);
}

int make_dirs(const char *path, unsigned int mode, struct err *err)
{
	char part[PATH_MAX];
	struct stat st;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_set(err, ERR_INVALID, "%s: path too long", path);
	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(err, errno, "%s: mkdir", part);
		if (!slash)
			break;
		*slash = '/';
	}
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a directory", path);
	return 0;
}

static bool find_in(const char *dirs, const char *name, char *out, size_t size)
{
	while (*dirs) {
		size_t len = strcspn(dirs, ":");

		if (len && snprintf(out, size, "%.*s/%s", (int)len, dirs, name) < (int)size && !access(out, X_OK))
			return true;
		dirs += len;
		dirs += *dirs == ':';
	}
	return false;
}

bool find_program(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");

	if ((path && find_in(path, name, out, size)) || find_in("/usr/sbin:/sbin:/usr/bin:/bin", name, out, size))
		return true;
	*out = 0;
	return false;
}

void config_value(const char *text, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *p = line + strspn(line, " \t"), *end;

		if (strncmp(p, key, n) || p[n] != '=')
			continue;
		p += n + 1;
		end = *p == '"' || *p == '\'' ? strchr(p + 1, *p) : p + strcspn(p, " \t\n#;");
		p += *p == '"' || *p == '\'';
		if (end)
			snprintf(out, size, "%.*s", (int)(end - p), p);
	}
}
