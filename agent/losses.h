/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * losses.h - calls that probes missed: counted by the kernel, and put down to the rules that rest on them.
 */
#ifndef AGENT_LOSSES_H
#define AGENT_LOSSES_H

#include "agent/load.h"

struct losses {
	struct arena *a;
	uint64_t *hook;		/* missed so far, by hook */
	uint32_t *map;		/* .data.df_losses, mapped */
	size_t len;
};

/* Calls that a link missed: its kprobe_multi's or kprobe's counter. Negative: the kernel does not say. */
int64_t link_missed(int link_fd);

/*
 * Count from here on: what probes saw while the set slept happened before it began. What one that runs just now adds is not
 * told from the first of the time that the set is awake.
 */
int losses_forget(const struct loaded *s, struct err *err);

void losses_begin(struct losses *l, struct arena *a, const struct loaded *s);

/* Add what is new to df_losses of the rules with an event of the hook that missed calls, and to df_ctl.missed. */
void losses_update(struct losses *l, struct loaded *s);

void losses_end(struct losses *l);

#endif
