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

struct dmesg {
	struct dmesg_line *lines;	/* oldest first, in the arena */
	size_t count;
	size_t unreadable;		/* so many more were written and cannot be read, the first of them because of *why */
	struct err why;
};

/*
 * The last `max` messages. One that was being written is left out. Fails when the ring buffer itself is out of reach.
 */
int dmesg_tail(struct kernel *k, struct arena *a, size_t max, struct dmesg *ret, struct err *err);

#endif
