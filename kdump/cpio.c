// SPDX-License-Identifier: GPL-2.0-or-later
/* cpio.c - see cpio.h. */
#include "kdump/cpio.h"

#include <string.h>
#include <sys/stat.h>

struct entry {
	mode_t mode;
	const void *data;
	size_t len;
	unsigned int rmajor, rminor;
};

void cpio_deinit(struct cpio *c)
{
	buf_deinit(&c->out);
	buf_deinit(&c->names);
}

static bool has(const struct cpio *c, const char *path, size_t len)
{
	const char *p = c->names.data;

	while (p && (p = memmem(p, c->names.len - (size_t)(p - c->names.data), path, len))) {
		if (p > c->names.data && p[-1] == '\n' && p[len] == '\n')
			return true;
		p++;
	}
	return false;
}

bool cpio_has(const struct cpio *c, const char *path)
{
	return has(c, path, strlen(path));
}

static void write_header(struct cpio *c, const char *path, size_t pathlen, const struct entry *e)
{
	/* 14 fields of 8 hexadecimal digits after the magic; names and data are padded to 4 bytes. */
	buf_printf(&c->out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++c->ino,
		   (unsigned int)e->mode, 0, 0, S_ISDIR(e->mode) ? 2 : 1, 0, (unsigned int)e->len, 0, 0,
		   e->rmajor, e->rminor, (unsigned int)pathlen + 1, 0);
	buf_add(&c->out, path, pathlen);
	buf_putc(&c->out, 0);
	buf_align(&c->out, 4);
	buf_add(&c->out, e->data, e->len);
	buf_align(&c->out, 4);
}

static void add(struct cpio *c, const char *path, const struct entry *e)
{
	static const struct entry dir = { .mode = S_IFDIR | 0755 };

	while (*path == '/')
		path++;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		if (has(c, path, len))
			continue;
		write_header(c, path, len, &dir);
		buf_printf(&c->names, "\n%.*s\n", (int)len, path);
	}
	if (!*path || has(c, path, strlen(path)))
		return;
	write_header(c, path, strlen(path), e);
	buf_printf(&c->names, "\n%s\n", path);
}

void cpio_dir(struct cpio *c, const char *path, mode_t mode)
{
	add(c, path, &(struct entry){ .mode = S_IFDIR | mode });
}

void cpio_file(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len)
{
	/* The format's size field has 32 bits: a larger file cannot be part of an initramfs. */
	if (len > UINT32_MAX) {
		c->out.failed = true;
		return;
	}
	add(c, path, &(struct entry){ .mode = S_IFREG | mode, .data = data, .len = len });
}

void cpio_symlink(struct cpio *c, const char *path, const char *target)
{
	add(c, path, &(struct entry){ .mode = S_IFLNK | 0777, .data = target, .len = strlen(target) });
}

void cpio_chardev(struct cpio *c, const char *path, mode_t mode, unsigned int major, unsigned int minor)
{
	add(c, path, &(struct entry){ .mode = S_IFCHR | mode, .rmajor = major, .rminor = minor });
}

void cpio_finish(struct cpio *c)
{
	static const char trailer[] = "TRAILER!!!";
	static const struct entry none;

	write_header(c, trailer, sizeof(trailer) - 1, &none);
	if (c->names.failed)
		c->out.failed = true;
}
