/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.h - what a directory lives on, from the text of /proc/self/mountinfo (proc(5)). */
#ifndef KDUMP_MOUNTS_H
#define KDUMP_MOUNTS_H

#include "lib/err.h"

#include <limits.h>
#include <stddef.h>

struct mount_entry {
	unsigned int major, minor;	/* of the filesystem; major 0: it has no block device of its own */
	char root[PATH_MAX];		/* the directory inside the filesystem that is mounted */
	char point[PATH_MAX];		/* where */
	char fstype[64];
	char source[PATH_MAX];		/* "/dev/vda1", "server:/export", "none" ... */
	char options[1024];		/* of the filesystem ("super options") */
};

/*
 * The mount that shows path (absolute, without symbolic links): the longest mount point above it, and of
 * several at the same point the last. ERR_ABSENT if there is none, ERR_CORRUPT for text of another form.
 */
int mount_find(const char *mountinfo, const char *path, struct mount_entry *ret, struct err *err);

/* The path inside the filesystem that `path` shows: m->root and what follows m->point. */
int mount_inner_path(const struct mount_entry *m, const char *path, char *out, size_t size, struct err *err);

#endif
