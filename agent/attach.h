/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.h - hook programs to functions and sites, one link per kind where the kernel can. */
#ifndef AGENT_ATTACH_H
#define AGENT_ATTACH_H

#include "agent/load.h"

struct bpf_program;

/* Before loading: give the program the type that this kernel's way of attaching needs. */
void attach_prepare(struct bpf_program *p, const char *hook);

/* Attach hook number h to its targets; links are kept in the set. */
int attach_hook(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err);

#endif
