// SPDX-License-Identifier: GPL-2.0-or-later
/* signature.c - see signature.h. */
#include "kdump/signature.h"

#include "kdump/last_words.h"
#include "kdump/open.h"
#include "kdump/raw.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FRAMES 4

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	while (*s)
		h = (h ^ (uint8_t)*s++) * 0x100000001b3;
	return h;
}

/* "vfs_read.isra.0+0x9/0x20 [mod]" becomes "vfs_read". Symbols without a name (addresses) are left out. */
static size_t function_name(const char *symbol)
{
	if (!strncmp(symbol, "0x", 2))
		return 0;
	return strcspn(symbol, "+. \t/");
}

static void add_stack(struct buf *text, const struct report_event *e)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < e->nkstack && taken < FRAMES; i++) {
		size_t len = function_name(e->kstack[i].symbol);

		if (e->kstack[i].tool || !len)
			continue;
		buf_printf(text, "%s%.*s", taken++ ? " < " : " ", (int)len, e->kstack[i].symbol);
	}
	/* Without a stack the probed function is the next best. */
	if (!taken && e->func)
		buf_printf(text, " %s", e->func);
}

static void add_words(struct buf *text, const char *s)
{
	bool number = false;

	for (; *s && *s != '\n' && text->len < 200; s++) {
		bool digit = isdigit((unsigned char)*s) || (number && isxdigit((unsigned char)*s)) || (number && *s == 'x');

		if (digit && !number)
			buf_putc(text, 'N');
		if (!digit)
			buf_putc(text, *s);
		number = digit;
	}
}

static void from_dmesg(const struct report *r, struct buf *text)
{
	struct last_words w;

	last_words(r->dmesg, r->ndmesg, &w);
	if (w.panic) {
		buf_puts(text, "panic/");
		add_words(text, w.panic);
	}
	if (w.where)
		buf_printf(text, "%s%.*s", text->len ? " " : "oops/", (int)function_name(w.where), w.where);
}

void signature_of_report(const struct report *r, char *out, size_t size)
{
	struct buf text = BUF_INIT;

	*out = 0;
	if (r->match) {
		buf_printf(&text, "%s/%s", r->match->rule, r->match->event ? r->match->event : "-");
		for (size_t i = 0; i < r->ncontext; i++) {
			if (r->context[i].fired) {
				add_stack(&text, &r->context[i]);
				break;
			}
		}
	} else {
		from_dmesg(r, &text);
	}
	if (text.len && !buf_failed(&text))
		snprintf(out, size, "%016llx %s", (unsigned long long)hash(buf_str(&text)), buf_str(&text));
	buf_deinit(&text);
}

void signature_of_dump(const struct dump *d, char *out, size_t size)
{
	const char *file = d->capsule_bytes ? "capsule" : "vmcore";
	struct opened dump;
	struct arena *arena;
	char path[64];

	*out = 0;
	if (!d->capsule_bytes && (!d->vmcore_bytes || raw_is(d->dir)))
		return;
	_cleanup_close_ int fd = dumps_open_file(d, file, NULL);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || dump_open(path, &dump, NULL))
		return;
	arena = arena_create(NULL, NULL);
	if (arena)
		signature_of_report(report_build(dump.k, arena, path, dump.format), out, size);
	arena_destroy(arena);
	kernel_destroy(dump.k);
}
