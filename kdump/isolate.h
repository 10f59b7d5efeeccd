/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isolate.h - reading a dump in a process of its own.
 *
 * What is damaged can make a library that trusts its input write where it should not; no handler can make good for that
 * (mem_kdumpfile.c catches what merely faults). Then it is the child that dies, and the user is told.
 */
#ifndef KDUMP_ISOLATE_H
#define KDUMP_ISOLATE_H

/*
 * Returns what fn returned, an exit status. If it died of a signal that a bug raises, says so on stderr as the command
 * `name` and returns EXIT_RULE; another signal ends this process, too. Without a second process fn runs in this one.
 */
int isolate(const char *name, int (*fn)(void *arg), void *arg);

#endif
