/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err.h - one run-time error as a value.
 *
 * A function that can fail takes `struct err *err` as its last parameter and returns 0, or a negative
 * number after it has filled *err. The struct has no pointers: reporting "out of memory" allocates nothing,
 * and nobody owns anything. A caller that passes an error on may put its own context in front:
 *
 *	if (read_header(f, &h, err))
 *		return err_wrap(err, "%s", path);	-> "dump.core: header: file ends at byte 12"
 *
 * The codes keep apart what a post-mortem reader must keep apart: something that is not there (a page that
 * makedumpfile left out) is normal, something that is there and wrong is not.
 *
 * Errors in a *rule* are not reported this way: they are collected as diagnostics (rules/diag.h).
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include <stdarg.h>

enum err_code {
	ERR_NONE = 0,
	ERR_NOMEM,		/* out of memory */
	ERR_SYSTEM,		/* a system call failed: errnum tells */
	ERR_INVALID,		/* the caller or the user asked for something that makes no sense */
	ERR_ABSENT,		/* what was asked for is not there (no such symbol, page left out of the dump) */
	ERR_CORRUPT,		/* it is there and contradicts itself */
	ERR_UNSUPPORTED,	/* it is there and well-formed, and this program or kernel cannot do it */
	ERR_ENVIRONMENT,	/* privilege, no crash kernel, missing kernel feature: the user can change it */
};

struct err {
	enum err_code code;
	int errnum;		/* errno of the failed call, or 0 */
	char msg[1000];		/* complete sentence fragments, outermost context first, always terminated */
};

/* Fill *err and return -1. err may be NULL: the caller does not want to know. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYSTEM: appends ": " and the text of errnum (a positive errno). */
int err_sys(struct err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "context: " in front of the message of an error that is already set. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ERR_NOMEM; returns -1. */
int err_nomem(struct err *err);

#endif
