// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_cgroup.c - a task's cgroup by its path: cgroup == "/system.slice/ssh.service".
 *
 * A cgroup's number is that of its folder, and a new one with each start of a service: so the path is compared with the
 * names on the way from the root, one by one, as an expression over the kernel's own types (cgroup.ancestors is there
 * since v6.1, commit 7f203bc89eb6).
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"

#define PARTS_MAX 16

bool is_cgroup(const struct expr *e)
{
	return e->op == EXPR_BUILTIN && e->index == BUILTIN_CGROUP;
}

/* A name of the path as a literal of the language. */
static void put_literal(struct buf *out, const char *part, size_t len)
{
	buf_puts(out, "\"");
	for (size_t i = 0; i < len; i++)
		buf_printf(out, part[i] == '"' || part[i] == '\\' ? "\\%c" : "%c", part[i]);
	buf_puts(out, "\"");
}

/* The parts of a path, last one first, since it tells most; false if there are too many. */
static bool put_names(struct buf *out, const char *path, size_t len, bool is_glob, uint32_t *level)
{
	const char *parts[PARTS_MAX + 1];

	for (size_t i = 0; i < len; i++) {
		if (path[i] == '/' && *level == PARTS_MAX)
			return false;
		if (path[i] == '/')
			parts[(*level)++] = path + i + 1;
	}
	parts[*level] = path + len + 1;
	for (uint32_t i = *level; i > 0; i--) {
		size_t n = (size_t)(parts[i] - parts[i - 1] - 1);

		buf_printf(out, " && str(task->cgroups->dfl_cgrp->ancestors[%u]->kn->name, 256) %s ", i,
			   is_glob && (memchr(parts[i - 1], '*', n) || memchr(parts[i - 1], '?', n)) ? "like" : "==");
		put_literal(out, parts[i - 1], n);
	}
	return true;
}

static bool is_path(const char *path)
{
	size_t len = strlen(path);

	return *path == '/' && !strstr(path, "//") && (len == 1 || path[len - 1] != '/');
}

struct expr *cgroup_compare(struct check *c, const struct expr *e, const struct expr *path, bool is_glob)
{
	size_t len = strlen(path->text);
	bool below = is_glob && len >= 2 && !strcmp(path->text + len - 2, "/*");
	struct buf names = BUF_INIT;
	struct expr *r = NULL;
	uint32_t level = 0;

	if (!is_path(path->text)) {
		diag_hint(c->diags, diag_error(c->diags, TAG_BAD_VALUE, path->span, "'%s' is no path of a cgroup", path->text),
			  "it begins with a slash, and is what follows /sys/fs/cgroup: \"/system.slice/ssh.service\"");
		return NULL;
	}
	len = below ? len - 2 : len == 1 ? 0 : len;
	if (!put_names(&names, path->text, len, is_glob, &level))
		diag_error(c->diags, TAG_LIMIT, path->span, "a cgroup's path of more than %d parts", PARTS_MAX);
	else
		r = check_text(c, arena_printf(c->arena, "task->cgroups->dfl_cgrp->level %s %u%s", below ? ">" : "==", level,
					       buf_str(&names)), NULL, e);
	buf_deinit(&names);
	if (r && e->op == EXPR_NE)
		r = new_expr(c, EXPR_NOT, e->span, type_bool(c->types), r, NULL);
	return r;
}
