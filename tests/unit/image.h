/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - a dead kernel made from text, so that tests of readers need no VM.
 *
 *	symbol map_idr 0xffff800000001000
 *	member bpf_map id 48 4			offset and size; then for a bit-field its first bit and their number
 *	vmcoreinfo OSRELEASE 6.12.0-test
 *	at 0xffff800000001000 q:0x10 d:7 w:1 b:0xff "text" z:16
 *	code vfs_read 0xffffffff81000000 0x100 [MODULE]
 *
 * q, d, w, b are 8, 4, 2 and 1 byte; z:N is N zero bytes; a string has no terminator. `at` makes memory; a second
 * one overwrites. Everything else is absent.
 */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include "kdump/kernel.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_PAGE 256u		/* small, so that "absent" begins near */

struct image_page {
	uint64_t addr;
	uint8_t bytes[IMAGE_PAGE];
	uint8_t present[IMAGE_PAGE];
	size_t next;			/* with the same hash: index + 1, 0: none */
};

#define IMAGE_HEADS 4096u

struct image_line {
	char kind[12];
	char a[128], b[128], c[64], d[64], e[8], f[8];
};

struct image {
	struct kernel kernel;
	struct image_page *pages;
	size_t npages;
	size_t heads[IMAGE_HEADS];	/* of the pages' hash chains: index + 1 */
	struct image_line *lines;
	size_t nlines;
	unsigned long reads;
	const char *becomes;		/* of a running kernel: lines that a refresh adds; NULL: a dead one */
};

static inline struct image_page *image_page(struct image *im, uint64_t addr, bool create)
{
	uint64_t start = addr & ~(uint64_t)(IMAGE_PAGE - 1);
	size_t *head = &im->heads[(start / IMAGE_PAGE * 0x9e3779b97f4a7c15ull >> 40) % IMAGE_HEADS];

	for (size_t i = *head; i; i = im->pages[i - 1].next)
		if (im->pages[i - 1].addr == start)
			return &im->pages[i - 1];
	if (!create)
		return NULL;
	im->pages = realloc(im->pages, (im->npages + 1) * sizeof(*im->pages));
	memset(&im->pages[im->npages], 0, sizeof(*im->pages));
	im->pages[im->npages].addr = start;
	im->pages[im->npages].next = *head;
	*head = ++im->npages;
	return &im->pages[im->npages - 1];
}

static inline void image_put(struct image *im, uint64_t addr, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		struct image_page *page = image_page(im, addr + i, true);

		page->bytes[(addr + i) % IMAGE_PAGE] = p ? p[i] : 0;
		page->present[(addr + i) % IMAGE_PAGE] = 1;
	}
}

static inline void image_put_number(struct image *im, uint64_t addr, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	image_put(im, addr, b, size);
}

/* Make a range absent again. */
static inline void image_remove(struct image *im, uint64_t addr, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct image_page *page = image_page(im, addr + i, false);

		if (page)
			page->present[(addr + i) % IMAGE_PAGE] = 0;
	}
}

static inline int image_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct image *im = (struct image *)k;
	uint8_t *out = buf;

	im->reads++;
	for (size_t i = 0; i < len; i++) {
		struct image_page *page = image_page(im, addr + i, false);

		if (!page || !page->present[(addr + i) % IMAGE_PAGE])
			return err_set(err, ERR_ABSENT, "0x%llx: not in the image", (unsigned long long)addr + i);
		out[i] = page->bytes[(addr + i) % IMAGE_PAGE];
	}
	return 0;
}

static inline const struct image_line *image_line(struct image *im, const char *kind, const char *a, const char *b)
{
	for (size_t i = 0; i < im->nlines; i++)
		if (!strcmp(im->lines[i].kind, kind) && !strcmp(im->lines[i].a, a) &&
		    (!b || !strcmp(im->lines[i].b, b)))
			return &im->lines[i];
	return NULL;
}

static inline int image_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err)
{
	const struct image_line *l = image_line((struct image *)k, "vmcoreinfo", key, NULL);

	if (!l)
		return err_set(err, ERR_ABSENT, "VMCOREINFO has no %s", key);
	snprintf(value, size, "%s", l->b);
	return 0;
}

static inline int image_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	const struct image_line *l = image_line((struct image *)k, "symbol", name, NULL);

	if (!l)
		return err_set(err, ERR_ABSENT, "no symbol %s", name);
	*ret = strtoull(l->b, NULL, 0);
	return 0;
}

static inline int image_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	struct image *im = (struct image *)k;

	for (size_t i = 0; i < im->nlines; i++) {
		const struct image_line *l = &im->lines[i];
		uint64_t start = strtoull(l->b, NULL, 0);

		if (strcmp(l->kind, "code") || addr < start || addr >= start + strtoull(l->c, NULL, 0))
			continue;
		memset(ret, 0, sizeof(*ret));
		snprintf(ret->name, sizeof(ret->name), "%s", l->a);
		snprintf(ret->module, sizeof(ret->module), "%s", l->d);
		ret->start = start;
		return 0;
	}
	return err_set(err, ERR_ABSENT, "no code known at 0x%llx", (unsigned long long)addr);
}

static inline int image_member(struct kernel *k, const char *type, const char *path, struct kmember *ret,
			       struct err *err)
{
	const struct image_line *l = image_line((struct image *)k, "member", type, *path ? path : "-");

	if (!l)
		return err_set(err, ERR_ABSENT, "struct %s has no member %s", type, path);
	*ret = (struct kmember){ .offset = (uint32_t)strtoul(l->c, NULL, 0), .size = (uint32_t)strtoul(l->d, NULL, 0),
				  .bit = (uint8_t)strtoul(l->e, NULL, 0), .bits = (uint8_t)strtoul(l->f, NULL, 0) };
	return 0;
}

static inline void image_destroy(struct kernel *k)
{
	struct image *im = (struct image *)k;

	free(im->pages);
	free(im->lines);
	free(im);
}

/* The bytes behind "at ADDR". */
static inline void image_bytes(struct image *im, uint64_t addr, const char *s)
{
	static const struct {
		char letter;
		size_t size;
	} units[] = { { 'q', 8 }, { 'd', 4 }, { 'w', 2 }, { 'b', 1 } };

	while (*s) {
		const char *end = s + strcspn(s, " \t");

		if (*s == '"') {
			end = strchr(s + 1, '"') + 1;
			image_put(im, addr, s + 1, (size_t)(end - s - 2));
			addr += (size_t)(end - s - 2);
		} else if (*s == 'z') {
			size_t n = strtoul(s + 2, NULL, 0);

			image_put(im, addr, NULL, n);
			addr += n;
		} else {
			for (size_t i = 0; i < 4; i++) {
				if (*s != units[i].letter)
					continue;
				image_put_number(im, addr, strtoull(s + 2, NULL, 0), units[i].size);
				addr += units[i].size;
			}
		}
		s = end + strspn(end, " \t");
	}
}

/* Add lines of text. */
static inline void image_add(struct image *im, const char *text)
{
	char line[4096];

	while (*text) {
		size_t len = strcspn(text, "\n");
		struct image_line l = { 0 };

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
		if (sscanf(line, "%11s %127s %127s %63s %63s %7s %7s", l.kind, l.a, l.b, l.c, l.d, l.e, l.f) < 2)
			continue;
		if (!strcmp(l.kind, "at")) {
			const char *p = strstr(line, l.a) + strlen(l.a);

			image_bytes(im, strtoull(l.a, NULL, 0), p + strspn(p, " \t"));
			continue;
		}
		im->lines = realloc(im->lines, (im->nlines + 1) * sizeof(*im->lines));
		im->lines[im->nlines++] = l;
	}
}

static inline bool image_refresh(struct kernel *k)
{
	struct image *im = (struct image *)k;

	if (im->becomes)
		image_add(im, im->becomes);
	return im->becomes;
}

static inline struct image *image_create(const char *text)
{
	static const struct kernel_ops ops = {
		.read = image_read,
		.vmcoreinfo = image_vmcoreinfo,
		.symbol = image_symbol,
		.symbolize = image_symbolize,
		.member = image_member,
		.refresh = image_refresh,
		.destroy = image_destroy,
	};
	struct image *im = calloc(1, sizeof(*im));

	im->kernel.ops = &ops;
	image_add(im, text);
	return im;
}

#endif
