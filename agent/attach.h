/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.h - programs to functions, sites, tracepoints and timers: one link per kind where the kernel can.
 *
 * attach.c		the table of hooks; sites in programs of user space, tracepoints, timers
 * attach_func.c	kernel functions: kprobe_multi, kprobe sessions, single kprobes
 * tracing.c		fentry, fexit, typed tracepoints: a program for each function
 */
#ifndef AGENT_ATTACH_H
#define AGENT_ATTACH_H

#include "agent/load.h"

struct bpf_program;

/* Before loading: give the program the type that this kernel's way of attaching needs. */
void attach_prepare(struct bpf_program *p, const char *hook);

/* Attach hook number h to its targets; links are kept in the set. */
int attach_hook(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err);

/* attach_func.c */
int attach_functions(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err);

/* Keep a link until the set is unloaded. */
void keep_link(struct arena *a, struct loaded *s, struct bpf_link *link);
void keep_link_fd(struct arena *a, struct loaded *s, int fd);

#endif
