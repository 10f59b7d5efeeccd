/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.h - stack addresses as symbols, and which of them belong to the tracing machinery.
 */
#ifndef KDUMP_FRAMES_H
#define KDUMP_FRAMES_H

#include "kdump/report.h"

/* Symbols already asked for: stacks repeat themselves. */
struct frames {
	struct kernel *k;
	struct arena *arena;
	struct report_frame *seen;	/* return addresses, open addressing */
	size_t count, cap;
};

/* A kernel address as a symbol. after_call: it is a return address, and the call before it is what is looked up. */
struct report_frame frames_lookup(struct frames *f, uint64_t addr, bool after_call);

/* Does this function belong to ftrace, kprobes, fprobe, or BPF's way in and out? */
bool frame_is_tool(const char *symbol);

#endif
