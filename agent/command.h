/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - the subcommands of `deadfall`, one file each (agent/cmd_*.c, kdump/cmd_*.c).
 *
 * A command gets argv with its own name at argv[0], prints results on stdout and errors on stderr, and
 * returns one of the exit codes below, which scripts rely on.
 */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

#include "lib/err.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_RULE = 1,		/* errors in a rule, or a dump that cannot be read */
	EXIT_USAGE = 2,
	EXIT_ENVIRONMENT = 3,	/* privilege, no kdump, kernel without a needed feature */
};

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;	/* synopsis of the arguments; NULL: docs/commands.md has it */
	const char *about;	/* one line */
};

/* Print "deadfall NAME: message" on stderr; returns the exit code that fits err->code. */
int command_fail(const char *name, const struct err *err);

/* Print "deadfall NAME: text" and where to read the usage on stderr; returns EXIT_USAGE. */
int command_usage(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
