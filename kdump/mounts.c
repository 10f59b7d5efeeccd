// SPDX-License-Identifier: GPL-2.0-or-later
/* mounts.c - see mounts.h. */
#include "kdump/mounts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Copy one blank-separated field with its octal escapes (\040 is a blank) resolved; returns what follows it. */
static const char *field(const char *p, char *out, size_t size)
{
	size_t n = 0;

	while (*p && *p != ' ' && *p != '\n') {
		char c = *p++;

		if (c == '\\' && p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7') {
			c = (char)((p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0'));
			p += 3;
		}
		if (n + 1 < size)
			out[n++] = c;
	}
	out[n] = 0;
	while (*p == ' ')
		p++;
	return p;
}

static bool parse_line(const char *p, struct mount_entry *m)
{
	char word[1024];
	int used = 0;

	/* "36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/root rw,errors=continue" */
	if (sscanf(p, "%*d %*d %u:%u %n", &m->major, &m->minor, &used) != 2 || !used)
		return false;
	p = field(p + used, m->root, sizeof(m->root));
	p = field(p, m->point, sizeof(m->point));
	do {
		p = field(p, word, sizeof(word));
		if (!*word)
			return false;
	} while (strcmp(word, "-"));
	p = field(p, m->fstype, sizeof(m->fstype));
	p = field(p, m->source, sizeof(m->source));
	field(p, m->options, sizeof(m->options));
	return *m->fstype != 0;
}

static bool is_above(const char *point, const char *path)
{
	size_t len = strlen(point);

	if (!strcmp(point, "/"))
		return true;
	return !strncmp(point, path, len) && (path[len] == '/' || !path[len]);
}

int mount_find(const char *mountinfo, const char *path, struct mount_entry *ret, struct err *err)
{
	struct mount_entry m;
	size_t best = 0;

	for (const char *p = mountinfo; *p;) {
		const char *nl = strchr(p, '\n');

		if (!parse_line(p, &m))
			return err_set(err, ERR_CORRUPT, "mountinfo: cannot read '%.*s'", (int)strcspn(p, "\n"), p);
		if (is_above(m.point, path) && strlen(m.point) >= best) {
			best = strlen(m.point);
			*ret = m;
		}
		if (!nl)
			break;
		p = nl + 1;
	}
	return best ? 0 : err_set(err, ERR_ABSENT, "no mount shows %s", path);
}

int mount_inner_path(const struct mount_entry *m, const char *path, char *out, size_t size, struct err *err)
{
	const char *rest = strcmp(m->point, "/") ? path + strlen(m->point) : path;
	const char *root = strcmp(m->root, "/") ? m->root : "";

	while (*rest == '/')
		rest++;
	if (snprintf(out, size, "%s/%s", root, rest) >= (int)size)
		return err_set(err, ERR_INVALID, "%s: path too long", path);
	return 0;
}
