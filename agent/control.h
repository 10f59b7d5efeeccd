/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - commands to the kernel side of a running set, from any process: its agent need not answer.
 *
 * They go through a BPF user ring buffer and are applied, in order, before control_send returns. Kernels without one
 * (before v6.1) get plain stores into the mapped arrays, for what is a single word.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "agent/running.h"

struct user_ring_buffer;

struct control {
	const struct running *set;
	int lock_fd;
	struct df_ctl *ctl;			/* mapped */
	size_t ctl_len;
	struct user_ring_buffer *ring;		/* NULL: plain stores */
	uint64_t next;				/* sequence number of the next command */
};

/* Waits for other writers. The caller ends with control_close, also after an error. */
int control_open(struct control *c, const struct running *set, struct err *err);
void control_close(struct control *c);

/*
 * Have n commands applied; their seq is filled in. If the buffer stays full for 5 s, or the kernel side refuses one,
 * that is an error which says how many were applied.
 */
int control_send(struct control *c, struct df_cmd *cmds, uint32_t n, struct err *err);

/*
 * Nothing fires from now on. A plain store, so that it works whatever state the command buffer is in (a writer that was
 * killed half way through a command blocks it).
 */
int control_disarm(const struct running *set, struct err *err);

#endif
