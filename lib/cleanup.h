/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - scope guards, for readers and the agent: what a function owns is released where its scope ends.
 *
 *	_cleanup_free_ char *path = strdup(x);
 *	_cleanup_close_ int fd = open(path, O_RDONLY);
 *
 * return_ptr(p) hands ownership to the caller. The compiler does not use these: it has one arena (arena.h).
 */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

#define no_free_ptr(p) ({ __typeof__(p) __p = (p); (p) = NULL; __p; })
#define return_ptr(p) return no_free_ptr(p)

#endif
