/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oom.h - an allocator of which the n-th call fails, for one program: define fail_at, count allocations and live. */
#ifndef TESTS_UNIT_OOM_H
#define TESTS_UNIT_OOM_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static long allocations, fail_at, live;

/*
 * These take the place of libc's in the program and the libraries it loads, libyaml and libbpf included. Under
 * AddressSanitizer, which does the same, nothing fails and the test only runs a compilation.
 */
#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static bool must_fail(void)
{
	if (!fail_at || ++allocations != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void free(void *p);

void *malloc(size_t size)
{
	return must_fail() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
	void *q = must_fail() ? NULL : __libc_realloc(p, size);

	live += !p && q;
	return q;
}

void free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}
#endif

#endif
