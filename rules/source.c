// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"

static void index_lines(struct arena *a, struct source *src)
{
	uint32_t n = 1;

	for (size_t i = 0; i < src->len; i++)
		n += src->text[i] == '\n';
	src->line_off = arena_array(a, n, sizeof(*src->line_off));
	src->nlines = 1;
	for (uint32_t i = 0; i < src->len; i++) {
		if (src->text[i] == '\n')
			src->line_off[src->nlines++] = i + 1;
	}
}

/* The text is in the arena already, with a NUL behind it. */
static struct source *source_of(struct arena *a, const char *name, const char *text, size_t len)
{
	struct source *src = arena_new(a, struct source);

	src->name = arena_strdup(a, name);
	src->text = text;
	src->len = len;
	index_lines(a, src);
	return src;
}

struct source *source_from_text(struct arena *a, const char *name, const char *text, size_t len)
{
	return source_of(a, name, arena_strndup(a, text, len), len);
}

/* What to begin with: a file's size, and a byte to see its end; of anything else the size is not known. */
static size_t expected_size(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < SOURCE_MAX ? (size_t)st.st_size + 1 : 16384;
}

/* Read at most SOURCE_MAX + 1 bytes, so that the caller sees what is too large. */
static int read_all(struct arena *a, int fd, char **text, size_t *len, struct err *err)
{
	size_t cap = expected_size(fd);
	char *p = arena_alloc(a, cap), *grown;
	ssize_t n;

	*len = 0;
	for (;;) {
		if (*len == cap) {
			grown = arena_alloc(a, cap * 2);
			memcpy(grown, p, cap);
			p = grown;
			cap *= 2;
		}
		n = read(fd, p + *len, cap - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		*len += (size_t)n;
		if (!n || *len > SOURCE_MAX)
			break;
	}
	*text = p;
	return 0;
}

int source_read(struct arena *a, const char *path, struct source **ret, struct err *err)
{
	_cleanup_close_ int own = -1;
	const char *name = path;
	int fd = STDIN_FILENO;
	size_t len = 0;
	char *text = NULL;

	if (!strcmp(path, "-")) {
		name = "<stdin>";
	} else {
		fd = own = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, errno, "cannot open %s", path);
	}
	if (read_all(a, fd, &text, &len, err))
		return err_wrap(err, "%s", name);
	if (len > SOURCE_MAX)
		return err_set(err, ERR_INVALID, "%s: larger than %u MiB", name, SOURCE_MAX >> 20);
	if (memchr(text, 0, len))
		return err_set(err, ERR_INVALID, "%s: has NUL bytes: not a text file", name);
	*ret = source_of(a, name, text, len);
	return 0;
}

void source_position(const struct source *src, uint32_t off, uint32_t *line, uint32_t *col)
{
	uint32_t lo = 0, hi = src->nlines;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (src->line_off[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	*line = lo + 1;
	*col = off - src->line_off[lo] + 1;
}

char *source_line(struct arena *a, const struct source *src, uint32_t line)
{
	size_t start, end;

	if (!line || line > src->nlines)
		return arena_strdup(a, "");
	start = src->line_off[line - 1];
	end = line < src->nlines ? src->line_off[line] : src->len;
	while (end > start && (src->text[end - 1] == '\n' || src->text[end - 1] == '\r'))
		end--;
	return arena_strndup(a, src->text + start, end - start);
}

uint32_t span_line(struct span span)
{
	uint32_t line, col;

	if (!span.src)
		return 0;
	source_position(span.src, span.off, &line, &col);
	return line;
}

struct span span_last_word(struct span span, const char *word)
{
	uint32_t len = (uint32_t)strlen(word);

	if (!span.src || len > span.len || memcmp(span.src->text + span.off + span.len - len, word, len))
		return span;
	span.off += span.len - len;
	span.len = len;
	return span;
}

struct span span_join(struct span a, struct span b)
{
	uint32_t end;

	if (!a.src || a.src != b.src)
		return a.src ? a : b;
	end = a.off + a.len > b.off + b.len ? a.off + a.len : b.off + b.len;
	a.off = a.off < b.off ? a.off : b.off;
	a.len = end - a.off;
	return a;
}
