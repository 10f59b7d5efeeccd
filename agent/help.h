/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * help.h - docs/commands.md, which the program carries: each command has a section there.
 */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H

#include <stdio.h>

/* Print the section of a command, whose heading is its name or a list of names. */
void help_print(const char *command, FILE *out);

#endif
