/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output.h - stdout of `deadfall run`, which never holds the agent up: what it does at each second, at a crash that did not
 * come about, and at its end must not wait for the reader of a pipe that nobody empties, or for a terminal that was stopped.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Write a line, its end included: whoever reads along sees it now, and has it if the machine goes down next. If there is no
 * room, it waits a second for it, once; further lines are left out and counted until there is some.
 */
void output_line(const char *line, size_t len);

/* The number of lines that were left out, if there is room to tell it now; it counts from 0 again. */
uint64_t output_left_out(void);

#endif
