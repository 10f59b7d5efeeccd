// SPDX-License-Identifier: GPL-2.0-or-later
/* modules.c - see modules.h. */
#include "kdump/modules.h"

#include "kdump/files.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* modules.softdep can name modules in a circle (crc32c and its drivers do): follow so far and no further. */
#define DEPTH_MAX 12

/* One line of text at a time: *pos moves on; false at the end. Lines are not terminated: len tells. */
static bool next_line(const struct buf *text, size_t *pos, const char **line, size_t *len)
{
	const char *nl;

	if (*pos >= text->len)
		return false;
	*line = text->data + *pos;
	nl = memchr(*line, '\n', text->len - *pos);
	*len = nl ? (size_t)(nl - *line) : text->len - *pos;
	*pos += *len + 1;
	return true;
}

/* One blank-separated word of [*p, end): false when there is none left. */
static bool next_word(const char **p, const char *end, const char **word, size_t *len)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	*word = *p;
	while (*p < end && **p != ' ' && **p != '\t')
		(*p)++;
	*len = (size_t)(*p - *word);
	return *len != 0;
}

/* The module's name in a path: between the last slash and ".ko". */
static void base_name(const char *path, size_t len, const char **name, size_t *namelen)
{
	const char *slash = memrchr(path, '/', len);
	const char *dot;

	*name = slash ? slash + 1 : path;
	*namelen = len - (size_t)(*name - path);
	dot = memmem(*name, *namelen, ".ko", 3);
	if (dot)
		*namelen = (size_t)(dot - *name);
}

static bool same_name(const char *a, size_t alen, const char *b, size_t blen)
{
	if (alen != blen)
		return false;
	for (size_t i = 0; i < alen; i++) {
		char x = a[i] == '-' ? '_' : a[i], y = b[i] == '-' ? '_' : b[i];

		if (x != y)
			return false;
	}
	return true;
}

int modules_open(struct modules *m, const char *root, const char *release, struct err *err)
{
	static const struct {
		const char *file;
		size_t offset;
	} optional[] = {
		{ "/modules.builtin", offsetof(struct modules, builtin) },
		{ "/modules.softdep", offsetof(struct modules, softdep) },
		{ "/modules.alias", offsetof(struct modules, alias) },
	};

	*m = (struct modules){ 0 };
	snprintf(m->dir, sizeof(m->dir), "%s/lib/modules/%s", root, release);
	snprintf(m->release, sizeof(m->release), "%s", release);
	if (read_under(m->dir, "/modules.dep", &m->dep, err)) {
		if (err && err->code == ERR_ABSENT)
			err_set(err, ERR_ABSENT, "%s/modules.dep is missing; 'depmod %s' writes it", m->dir, release);
		return -1;
	}
	for (size_t i = 0; i < sizeof(optional) / sizeof(*optional); i++) {
		struct err ignored;
		struct buf *text = (struct buf *)((char *)m + optional[i].offset);

		if (read_under(m->dir, optional[i].file, text, &ignored) && ignored.code != ERR_ABSENT) {
			modules_close(m);
			if (err)
				*err = ignored;
			return -1;
		}
	}
	return 0;
}

void modules_close(struct modules *m)
{
	buf_deinit(&m->dep);
	buf_deinit(&m->builtin);
	buf_deinit(&m->softdep);
	buf_deinit(&m->alias);
}

bool modules_is_builtin(const struct modules *m, const char *name)
{
	const char *line, *base;
	size_t pos = 0, len, baselen;

	while (next_line(&m->builtin, &pos, &line, &len)) {
		base_name(line, len, &base, &baselen);
		if (same_name(base, baselen, name, strlen(name)))
			return true;
	}
	return false;
}

/* The line of modules.dep for a module: its path, and the paths it needs. */
static bool find_dep(const struct modules *m, const char *name, size_t namelen, const char **path, size_t *pathlen,
		     const char **deps, const char **end)
{
	const char *line, *base, *colon;
	size_t pos = 0, len, baselen;

	while (next_line(&m->dep, &pos, &line, &len)) {
		colon = memchr(line, ':', len);
		if (!colon)
			continue;
		*path = line;
		*pathlen = (size_t)(colon - line);
		base_name(line, *pathlen, &base, &baselen);
		if (!same_name(base, baselen, name, namelen))
			continue;
		*deps = colon + 1;
		*end = line + len;
		return true;
	}
	return false;
}

static bool listed(const struct module_list *list, const char *path, size_t len)
{
	for (unsigned int i = 0; i < list->count; i++) {
		if (strlen(list->paths[i]) == len && !memcmp(list->paths[i], path, len))
			return true;
	}
	return false;
}

static int add(const struct modules *m, struct module_list *list, const char *name, size_t namelen, int depth,
	       struct err *err);

static int add_alias(const struct modules *m, struct module_list *list, const char *alias, int depth,
		     struct err *err)
{
	const char *line, *p, *word;
	size_t pos = 0, len, wlen;
	char pattern[256];

	while (next_line(&m->alias, &pos, &line, &len)) {
		p = line;
		if (!next_word(&p, line + len, &word, &wlen) || wlen != 5 || memcmp(word, "alias", 5))
			continue;
		if (!next_word(&p, line + len, &word, &wlen) || wlen >= sizeof(pattern))
			continue;
		memcpy(pattern, word, wlen);
		pattern[wlen] = 0;
		if (fnmatch(pattern, alias, 0) || !next_word(&p, line + len, &word, &wlen))
			continue;
		if (add(m, list, word, wlen, depth + 1, err))
			return -1;
	}
	return 0;
}

/* "softdep ext4 pre: crc32c post: x": what stands between pre: and post: is wanted first, and may be missing. */
static int add_soft(const struct modules *m, struct module_list *list, const char *name, size_t namelen, int depth,
		    struct err *err)
{
	const char *line, *p, *end, *word;
	size_t pos = 0, len, wlen;

	while (next_line(&m->softdep, &pos, &line, &len)) {
		bool pre = false;

		p = line;
		end = line + len;
		if (!next_word(&p, end, &word, &wlen) || wlen != 7 || memcmp(word, "softdep", 7))
			continue;
		if (!next_word(&p, end, &word, &wlen) || !same_name(word, wlen, name, namelen))
			continue;
		while (next_word(&p, end, &word, &wlen)) {
			char soft[128];

			if (word[wlen - 1] == ':') {
				pre = wlen == 4 && !memcmp(word, "pre:", 4);
				continue;
			}
			if (!pre || wlen >= sizeof(soft))
				continue;
			memcpy(soft, word, wlen);
			soft[wlen] = 0;
			if (add(m, list, soft, wlen, depth + 1, NULL) && add_alias(m, list, soft, depth, err))
				return -1;
		}
	}
	return 0;
}

static int add(const struct modules *m, struct module_list *list, const char *name, size_t namelen, int depth,
	       struct err *err)
{
	const char *path, *deps, *end, *word, *base;
	size_t pathlen, wlen, baselen;

	if (!find_dep(m, name, namelen, &path, &pathlen, &deps, &end)) {
		char copy[128];

		snprintf(copy, sizeof(copy), "%.*s", (int)namelen, name);
		if (modules_is_builtin(m, copy))
			return 0;
		return err_set(err, ERR_ABSENT, "kernel %s has no module %s", m->release, copy);
	}
	if (depth > DEPTH_MAX || listed(list, path, pathlen))
		return 0;
	if (add_soft(m, list, name, namelen, depth, err))
		return -1;
	while (next_word(&deps, end, &word, &wlen)) {
		base_name(word, wlen, &base, &baselen);
		if (add(m, list, base, baselen, depth + 1, err))
			return -1;
	}
	/* A soft dependency may have led here by another way. */
	if (listed(list, path, pathlen))
		return 0;
	if (list->count == sizeof(list->paths) / sizeof(*list->paths))
		return err_set(err, ERR_UNSUPPORTED, "more than %u modules needed", list->count);
	list->paths[list->count] = strndup(path, pathlen);
	if (!list->paths[list->count])
		return err_nomem(err);
	list->count++;
	return 0;
}

bool modules_path(const struct modules *m, const char *name, char *out, size_t size)
{
	const char *path, *deps, *end;
	size_t len;

	return find_dep(m, name, strlen(name), &path, &len, &deps, &end) &&
	       snprintf(out, size, "%.*s", (int)len, path) < (int)size;
}

int modules_add(const struct modules *m, struct module_list *list, const char *name, struct err *err)
{
	return add(m, list, name, strlen(name), 0, err);
}

int modules_add_alias(const struct modules *m, struct module_list *list, const char *alias, struct err *err)
{
	return add_alias(m, list, alias, 0, err);
}

void module_list_deinit(struct module_list *list)
{
	while (list->count)
		free(list->paths[--list->count]);
}
