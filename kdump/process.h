/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process.h - work in a child process, within a time limit.
 *
 * In the crash kernel any step may hang: a driver that waits for an interrupt, a program that reads a page
 * that is not there, a disk that is gone. So each runs in a child with a process group of its own, which is
 * killed when its time is over; a child that cannot even be killed (it sleeps in the kernel) is left behind.
 */
#ifndef KDUMP_PROCESS_H
#define KDUMP_PROCESS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

struct process {
	const char *const *argv;	/* program to run, argv[0] a path; or NULL and ... */
	int (*call)(void *arg);		/* ... a function to run in the child: its result is the exit status */
	void *arg;
	unsigned int limit;		/* seconds; 0: none */
};

struct process_result {
	bool timed_out;
	bool stuck;			/* it did not die within 5 s of SIGKILL and was left behind */
	int status;			/* exit status, -1 if a signal ended it or it is stuck */
	int signal;
	double seconds;
	size_t output_len;
	char output[8192];		/* the last of what it wrote to stdout and stderr, NUL-terminated */
};

/* Run it to its end. An error means that no child could be started; how the child fared is in *ret. */
int process_run(const struct process *p, struct process_result *ret, struct err *err);

/* Whether it ended with status 0 in time. */
bool process_ok(const struct process_result *r);

/* One line that says how it failed: "killed after 60 s", "exit status 1: the last lines of its output". */
void process_explain(const struct process_result *r, char *out, size_t size);

/* Seconds on the monotonic clock. */
double process_now(void);

#endif
