// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dumps_service.c - which dump of kdump-tools belongs to a capsule of ours (beside.h).
 *
 * Our capsules lie in a directory "deadfall" in that of kdump-tools, which makes YYYYMMDDHHMM/dump.YYYYMMDDHHMM there,
 * later and without knowing of us. So the file's own time tells: the first dump that was finished after the capsule, and
 * before the next capsule, is of the same crash.
 */
#include "kdump/dumps.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What one crash left there. */
struct found {
	char path[PATH_MAX];	/* "": nothing */
	long long time, bytes;
	bool whole;		/* it has its final name */
};

static bool is_stamp(const char *name)
{
	return strlen(name) == 12 && strspn(name, "0123456789") == 12;
}

/* "dump.STAMP" by makedumpfile, "vmcore.STAMP" by cp when that failed; "dump-incomplete" while it runs. */
static bool is_dump(const char *name, bool *whole)
{
	*whole = !strncmp(name, "dump.", 5) || !strncmp(name, "vmcore.", 7);
	return *whole || !strncmp(name, "dump-incomplete", 15) || !strncmp(name, "vmcore-incomplete", 17);
}

/* Keep the earliest dump with a time from `from` to before `to`; a whole one rather than a cut one. */
static void look_in(const char *dir, long long from, long long to, struct found *best)
{
	DIR *files = opendir(dir);
	struct dirent *e;
	struct stat st;

	while (files && (e = readdir(files))) {
		struct found f = { .bytes = 0 };

		if (!is_dump(e->d_name, &f.whole) || fstatat(dirfd(files), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		f.time = st.st_mtime;
		f.bytes = st.st_size;
		if (snprintf(f.path, sizeof(f.path), "%s/%s", dir, e->d_name) >= (int)sizeof(f.path))
			continue;
		if (f.time < from || f.time >= to || (*best->path && best->whole >= f.whole && best->time <= f.time))
			continue;
		*best = f;
	}
	if (files)
		closedir(files);
}

static struct found find(const char *above, long long from, long long to)
{
	struct found best = { .time = 0 };
	DIR *dir = opendir(above);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[PATH_MAX];

		if (is_stamp(e->d_name) && snprintf(path, sizeof(path), "%s/%s", above, e->d_name) < (int)sizeof(path))
			look_in(path, from, to, &best);
	}
	if (dir)
		closedir(dir);
	return best;
}

static bool is_compressed(const char *path)
{
	static const char *const ends[] = { ".bz2", ".gz", ".lz4", ".xz" };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(ends) / sizeof(*ends); i++) {
		if (!strcmp(dot, ends[i]))
			return true;
	}
	return false;
}

static void judge(struct dump *d, const struct found *f)
{
	if (*f->path && f->whole && snprintf(d->vmcore, sizeof(d->vmcore), "%s", f->path) < (int)sizeof(d->vmcore)) {
		d->vmcore_bytes = f->bytes;
		if (d->capsule_bytes && !strcmp(d->result, "partial"))
			strcpy(d->result, "complete");
		if (is_compressed(f->path))
			snprintf(d->problem, sizeof(d->problem), "%.200s is compressed as a whole: unpack it for 'deadfall report'",
				 f->path);
		return;
	}
	if (*f->path)
		snprintf(d->problem, sizeof(d->problem), "%s did not finish %.200s", d->by, f->path);
	else if (!*d->problem)
		snprintf(d->problem, sizeof(d->problem), "%s left no dump of this crash", d->by);
}

void dumps_join_service(struct dump_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct dump *d = &list->dumps[i];
		char above[PATH_MAX], *slash;
		struct found f;

		if (!*d->by || d->capsule_only)
			continue;
		snprintf(above, sizeof(above), "%s", d->dir);
		slash = strrchr(above, '/');
		if (slash && slash > above && slash[1])
			*slash = 0;
		else
			snprintf(above, sizeof(above), "%.4000s/..", d->dir);
		f = find(above, d->time - 2, i + 1 < list->count ? list->dumps[i + 1].time : LLONG_MAX);
		judge(d, &f);
	}
}
