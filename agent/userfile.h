/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfile.h - the file that a probe in user space names.
 *
 *	/usr/bin/db, ./db	a path
 *	db, libc.so.6		a name: looked up among programs, then libraries
 *	pid:123			the program that process 123 runs; probed in that process only
 *	pid:123:libc.so.6	a library (or other file) that it has mapped, by name or path
 */
#ifndef AGENT_USERFILE_H
#define AGENT_USERFILE_H

struct arena;

/* The path to open, as seen from here; *pid receives the process, or -1 for all. NULL: there is none. */
const char *userfile_find(struct arena *a, const char *target, int *pid);

#endif
