// SPDX-License-Identifier: GPL-2.0-or-later
/* steps.c - the events of a match that its verdict names, by the numbers that automaton_kinds.c gives them. */
#include "rules/rule.h"

#include "bpf/layout.h"

static const struct event *nth(const struct event_list *events, uint32_t n, const char **label)
{
	if (n >= events->n)
		return NULL;
	*label = events->items[n]->name;
	return events->items[n];
}

const struct event *match_step(const struct match *m, uint32_t n, const char **label)
{
	switch (m->kind) {
	case MATCH_LIFECYCLE:
		return n < 2 ? nth(n ? &m->down : &m->up, 0, label) : NULL;
	case MATCH_CHANGE:
		return n ? NULL : nth(&m->up, 0, label);
	case MATCH_AUTOMATON:
		return n < DF_STEPS ? nth(&m->up, n, label) : NULL;
	default:
		if (n >= m->nsteps)
			return NULL;
		*label = m->steps[n].label;
		return m->steps[n].event;
	}
}
