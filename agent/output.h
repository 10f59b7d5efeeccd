/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output.h - stdout of `deadfall run`, which never holds the agent up: what it does at each second, at a crash that did not
 * come about, and at its end must not wait for the reader of a pipe that nobody empties, or for a terminal that was stopped.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Write a line, its end included: whoever reads along sees it now, and has it if the machine goes down next. If there is no
 * room it waits a second for it, once; then false, at once, until there is some. What nobody can read any more counts as written.
 */
bool output_line(const char *line, size_t len);

#endif
