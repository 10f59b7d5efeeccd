/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * brake.h - does a set take too much of the machine?
 *
 * The kernel measures the run time of BPF programs only while asked to, and the measuring costs each run two reads of
 * the clock: so it is asked for one second in ten. If the set took too much in that second, for four more; what counts
 * is the average over those five. Trampolines and the tracing core in front of a program are not in the time; nor are the
 * waits that rules ask for by `delay`, which have a limit of their own (bpf/delay.h).
 */
#ifndef AGENT_BRAKE_H
#define AGENT_BRAKE_H

#include "agent/load.h"

#define BRAKE_DEFAULT 30	/* thousandths of a CPU */

struct brake {
	uint32_t limit;		/* thousandths of one CPU; 0: off */
	uint32_t tick;
	int stats_fd;		/* while it measures, else negative */
	uint64_t begin_ns, begin_run_ns, begin_waited_ns;
};

/* "3", "0.5": a percentage to thousandths. */
int brake_parse(const char *text, uint32_t *limit, struct err *err);

void brake_begin(struct brake *b, uint32_t limit);

/*
 * Once a second, with the time of CLOCK_MONOTONIC. Returns 0, or the thousandths of a CPU that the set took, which are
 * more than the limit.
 */
uint32_t brake_tick(struct brake *b, const struct loaded *s, uint64_t now_ns);

void brake_end(struct brake *b);

#endif
