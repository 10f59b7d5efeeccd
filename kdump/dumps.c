// SPDX-License-Identifier: GPL-2.0-or-later
/* dumps.c - see dumps.h. */
#include "kdump/dumps.h"

#include "kdump/files.h"
#include "kdump/raw.h"
#include "kdump/ssh.h"
#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "20261122T135607Z-": the time that a dump's name begins with, or -1. */
long long dumps_name_time(const char *name)
{
	struct tm tm = { 0 };
	const char *end = strptime(name, "%Y%m%dT%H%M%SZ", &tm);

	return end == name + 16 && *end == '-' ? (long long)timegm(&tm) : -1;
}

static void copy_string(const json_t *j, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(j, key));

	snprintf(out, size, "%s", s ? s : "");
}

void dumps_read_status(const char *text, size_t len, struct dump *d)
{
	json_t *j = text ? json_loadb(text, len, 0, NULL) : NULL, *steps, *step;
	size_t i;

	strcpy(d->result, "unknown");
	d->rule_unknown = true;
	if (!j)
		return;
	copy_string(j, "result", d->result, sizeof(d->result));
	copy_string(j, "rule", d->rule, sizeof(d->rule));
	copy_string(j, "kernel", d->kernel, sizeof(d->kernel));
	copy_string(j, "vmcore_by", d->by, sizeof(d->by));
	d->capsule_only = json_is_true(json_object_get(j, "capsule_only"));
	if (json_is_integer(json_object_get(j, "time_unix")))
		d->time = json_integer_value(json_object_get(j, "time_unix"));
	steps = json_object_get(j, "steps");
	json_array_foreach(steps, i, step) {
		char name[32], state[16], error[300];

		copy_string(step, "name", name, sizeof(name));
		copy_string(step, "state", state, sizeof(state));
		copy_string(step, "error", error, sizeof(error));
		if (!strcmp(name, "capsule") && (!strcmp(state, "done") || !strcmp(state, "skipped")))
			d->rule_unknown = false;
		if (!*d->problem && (!strcmp(state, "failed") || !strcmp(state, "timeout") || !strcmp(state, "running")))
			snprintf(d->problem, sizeof(d->problem), "%s %s%s%s", name,
				 strcmp(state, "running") ? state : "was cut off", *error ? ": " : "", error);
	}
	if (*d->rule)
		d->rule_unknown = false;
	json_decref(j);
}

static void add_sizes(int dirfd, struct dump *d)
{
	int fd = openat(dirfd, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		d->bytes += st.st_size;
		if (!strcmp(e->d_name, "vmcore"))
			d->vmcore_bytes = st.st_size;
		if (!strcmp(e->d_name, "capsule"))
			d->capsule_bytes = st.st_size;
	}
	if (dir)
		closedir(dir);
}

static int by_time(const void *a, const void *b)
{
	const struct dump *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->name, y->name);
}

bool dumps_add(struct dump_list *list, const struct dump *d)
{
	struct dump *more = reallocarray(list->dumps, list->count + 1, sizeof(*more));

	if (!more)
		return false;
	list->dumps = more;
	list->dumps[list->count++] = *d;
	return true;
}

static void sort(struct dump_list *list)
{
	if (list->count)
		qsort(list->dumps, list->count, sizeof(*list->dumps), by_time);
}

int dumps_scan(const char *dir, struct dump_list *ret, struct err *err)
{
	DIR *open_dir = raw_is(dir) ? NULL : opendir(dir);
	struct dump_list list = { 0 };
	struct dirent *e;
	bool ok = true;

	*ret = list;
	if (!open_dir && raw_is(dir)) {
		if (dumps_raw_scan(dir, ret, err))
			return -1;
		sort(ret);
		return 0;
	}
	if (!open_dir)
		return err_sys(err, errno, "%s", dir);
	while (ok && (e = readdir(open_dir))) {
		char path[PATH_MAX];
		struct buf text = BUF_INIT;
		struct dump d = { .time = dumps_name_time(e->d_name) };

		if (d.time < 0 || snprintf(d.name, sizeof(d.name), "%s", e->d_name) >= (int)sizeof(d.name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/status.json", dir, d.name);
		snprintf(d.dir, sizeof(d.dir), "%s", dir);
		if (read_under("", path, &text, NULL))
			dumps_read_status(NULL, 0, &d);
		else
			dumps_read_status(buf_str(&text), text.len, &d);
		buf_deinit(&text);
		add_sizes(dirfd(open_dir), &d);
		ok = dumps_add(&list, &d);
	}
	closedir(open_dir);
	if (!ok) {
		dumps_free(&list);
		return err_nomem(err);
	}
	sort(&list);
	dumps_join_service(&list);
	*ret = list;
	return 0;
}

int dumps_scan_all(const char *places, struct dump_list *ret, struct err *err)
{
	bool any = false, failed = false;

	*ret = (struct dump_list){ 0 };
	while (*places) {
		size_t len = strcspn(places, "\n");
		char place[PATH_MAX];
		struct dump_list more;

		snprintf(place, sizeof(place), "%.*s", (int)len, places);
		places += len + (places[len] == '\n');
		if (ssh_is_target(place))
			continue;
		if (dumps_scan(place, &more, err)) {
			failed = true;
			continue;
		}
		any = true;
		for (size_t i = 0; i < more.count; i++) {
			if (!dumps_add(ret, &more.dumps[i])) {
				dumps_free(&more);
				dumps_free(ret);
				return err_nomem(err);
			}
		}
		dumps_free(&more);
	}
	sort(ret);
	if (!any && !failed)
		return err_set(err, ERR_ENVIRONMENT, "no place for dumps can be looked at from here");
	return any ? 0 : -1;
}

void dumps_free(struct dump_list *list)
{
	free(list->dumps);
	*list = (struct dump_list){ 0 };
}

const struct dump *dumps_find(const struct dump_list *list, const char *name)
{
	const struct dump *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->dumps[i].name, name))
			return &list->dumps[i];
		if (strncmp(list->dumps[i].name, name, strlen(name)))
			continue;
		if (found)
			return NULL;
		found = &list->dumps[i];
	}
	return found;
}

int dumps_delete(const char *dir, const struct dump *d, struct err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *files;

	if (dumps_name_time(d->name) < 0 || strchr(d->name, '/'))
		return err_set(err, ERR_INVALID, "%s is not a dump's name", d->name);
	if (raw_is(dir))
		return dumps_raw_delete(dir, d, err);
	snprintf(path, sizeof(path), "%s/%s", dir, d->name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	files = fd < 0 ? NULL : fdopendir(dup(fd));
	if (!files)
		return err_sys(err, errno, "%s", path);
	while ((e = readdir(files))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && unlinkat(fd, e->d_name, 0) < 0 && errno != EISDIR) {
			err_sys(err, errno, "%s/%s", path, e->d_name);
			closedir(files);
			return -1;
		}
	}
	closedir(files);
	if (rmdir(path) < 0)
		return err_sys(err, errno, "%s", path);
	return 0;
}

void dumps_choose(const struct dump_list *list, size_t max_dumps, long long max_bytes, bool *doomed)
{
	size_t left = list->count;
	long long bytes = 0;

	for (size_t i = 0; i < list->count; i++)
		bytes += list->dumps[i].bytes;
	for (size_t i = 0; i < list->count; i++) {
		doomed[i] = i + 1 < list->count && ((max_dumps && left > max_dumps) || (max_bytes && bytes > max_bytes));
		if (doomed[i]) {
			left--;
			bytes -= list->dumps[i].bytes;
		}
	}
}

int dumps_prune(const char *dir, size_t max_dumps, long long max_bytes, size_t *deleted, struct err *err)
{
	_cleanup_free_ bool *doomed = NULL;
	struct dump_list l;
	int ret = 0;

	if (!max_dumps && !max_bytes)
		return 0;
	if (dumps_scan(dir, &l, err))
		return -1;
	doomed = calloc(l.count + 1, sizeof(*doomed));
	if (!doomed)
		ret = err_nomem(err);
	else
		dumps_choose(&l, max_dumps, max_bytes, doomed);
	for (size_t i = 0; doomed && i < l.count; i++) {
		if (doomed[i] && dumps_delete(dir, &l.dumps[i], err))
			ret = -1;
		else if (doomed[i] && deleted)
			(*deleted)++;
	}
	dumps_free(&l);
	return ret;
}
