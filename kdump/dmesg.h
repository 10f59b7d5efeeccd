/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmesg.h - the last messages of a dead kernel, from its printk ring buffer (v5.10 on, 896fbe20b4e2 "printk: use the
 * lockless ringbuffer").
 */
#ifndef KDUMP_DMESG_H
#define KDUMP_DMESG_H

#include "kdump/kernel.h"
#include "lib/arena.h"

struct dmesg_line {
	uint64_t ns;		/* since boot, by the scheduler's clock */
	unsigned int level;	/* 0 (emergency) .. 7 (debug) */
	const char *text;	/* printable, may hold newlines */
};

/*
 * The last `max` messages, oldest first, in the arena. Messages that are not finished or cannot be read are left
 * out. Fails when the ring buffer itself is out of reach.
 */
int dmesg_tail(struct kernel *k, struct arena *a, size_t max, struct dmesg_line **ret, size_t *count, struct err *err);

#endif
