// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/isolate.h"
#include "agent/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

static void be_the_child(int (*fn)(void *arg), void *arg, pid_t parent)
{
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(EXIT_ENVIRONMENT);
	rc = fn(arg);
	exit(rc);
}

static int told_by_signal(const char *name, int sig)
{
	struct err err;

	switch (sig) {
	case SIGSEGV:
	case SIGBUS:
	case SIGABRT:
	case SIGILL:
	case SIGFPE:
		err_set(&err, ERR_CORRUPT, "the file is damaged in a way that the reading did not survive (%s); is there a "
			"capsule beside it?", strsignal(sig));
		return command_fail(name, &err);
	case SIGKILL:
		err_set(&err, ERR_SYSTEM, "the reading was killed: is there enough memory?");
		return command_fail(name, &err);
	default:
		signal(sig, SIG_DFL);
		raise(sig);
		return EXIT_ENVIRONMENT;
	}
}

int isolate(const char *name, int (*fn)(void *arg), void *arg)
{
	pid_t self = getpid(), pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fn(arg);
	if (pid == 0)
		be_the_child(fn, arg, self);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_ENVIRONMENT;
	return WIFSIGNALED(status) ? told_by_signal(name, WTERMSIG(status)) : WEXITSTATUS(status);
}
