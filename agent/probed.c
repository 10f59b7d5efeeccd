// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/probed.h"

#include <string.h>

#include "agent/features.h"
#include "lib/arena.h"

struct modules {
	struct arena *a;
	struct probed_module *items;
	uint32_t n;
};

static void add_module(struct modules *m, const char *name, bool held)
{
	if (!name)
		return;
	for (uint32_t i = 0; i < m->n; i++) {
		if (!strcmp(m->items[i].name, name)) {
			m->items[i].held |= held;
			return;
		}
	}
	m->items = arena_grow(m->a, m->items, m->n, sizeof(*m->items));
	m->items[m->n++] = (struct probed_module){ name, held };
}

uint32_t probed_modules(struct arena *a, const struct set_info *info, const struct attach_plan *plan,
			struct probed_module **ret)
{
	struct modules m = { .a = a };

	for (uint32_t h = 0; h < info->nhooks; h++) {
		for (uint32_t i = 0; i < plan->hooks[h].n; i++)
			add_module(&m, plan->hooks[h].targets[i].func->module, feature_has(FEATURE_KPROBE_MULTI));
	}
	for (uint32_t i = 0; i < plan->nprogs; i++)
		add_module(&m, plan->progs[i].module, true);
	*ret = m.items;
	return m.n;
}
