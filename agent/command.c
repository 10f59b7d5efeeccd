// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/command.h"

#include <stdio.h>

int command_fail(const char *name, const struct err *err)
{
	fprintf(stderr, "deadfall %s: %s\n", name, err->msg);
	switch (err->code) {
	case ERR_INVALID:
	case ERR_ABSENT:
	case ERR_CORRUPT:
		return EXIT_RULE;
	default:
		return EXIT_ENVIRONMENT;
	}
}

int command_usage(const char *name, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "deadfall %s: ", name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n'deadfall help' lists the commands and their arguments\n");
	return EXIT_USAGE;
}
