/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probed.h - the modules that a set has probes in. */
#ifndef AGENT_PROBED_H
#define AGENT_PROBED_H

#include "agent/resolve.h"
#include "agent/setinfo.h"

struct arena;

struct probed_module {
	const char *name;
	bool held;		/* it cannot be unloaded; else its probes end when it is */
};

/* kprobe_multi and tracing programs hold a module, a plain kprobe lets it go. *ret is in the arena. */
uint32_t probed_modules(struct arena *a, const struct set_info *info, const struct attach_plan *plan,
			struct probed_module **ret);

#endif
