// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/file.h"

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* "NAME\t[MODULE]" in two: the module, or NULL. */
static const char *cut_module(char *name)
{
	size_t len = strcspn(name, "\t ");
	char *module = strchr(name + len, '[');

	name[len] = '\0';
	if (!module)
		return NULL;
	module[1 + strcspn(module + 1, "]")] = '\0';
	return module + 1;
}

/* A line: "ADDRESS TYPE NAME[\t[MODULE]]" */
void symbols_parse(struct arena *a, char *text, struct symbols *ret)
{
	uint32_t lines = 1;
	char *next, *end;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	ret->items = arena_array(a, lines, sizeof(*ret->items));
	ret->n = 0;
	for (char *line = text; line && *line; line = next) {
		uint64_t addr = strtoull(line, &end, 16);

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (end == line || strlen(end) < 4)
			continue;
		ret->items[ret->n++] = (struct symbol){ .addr = addr, .name = end + 3, .module = cut_module(end + 3), .type = end[1] };
	}
	qsort(ret->items, ret->n, sizeof(*ret->items), by_address);
}

int symbols_read(struct arena *a, struct symbols *ret, struct err *err)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	struct buf b = BUF_INIT;
	int failed;

	if (fd < 0)
		return err_sys(err, errno, "/proc/kallsyms");
	failed = file_read_fd(fd, &b, err);
	if (!failed)
		symbols_parse(a, arena_strndup(a, buf_str(&b), b.len), ret);
	buf_deinit(&b);
	if (failed)
		return err_wrap(err, "/proc/kallsyms");
	if (!ret->n || !ret->items[ret->n - 1].addr)
		return err_set(err, ERR_ENVIRONMENT,
			       "the kernel hides the addresses of its symbols (sysctl kernel.kptr_restrict)");
	return 0;
}

bool symbol_is_code(const struct symbol *s)
{
	return strchr("tTwW", s->type) != NULL;
}

uint64_t symbol_end(const struct symbols *syms, const struct symbol *s)
{
	const struct symbol *next = s;

	while (next < syms->items + syms->n && next->addr == s->addr)
		next++;
	return next < syms->items + syms->n ? next->addr : s->addr + 4096;
}
