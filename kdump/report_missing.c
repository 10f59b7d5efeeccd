// SPDX-License-Identifier: GPL-2.0-or-later
/* report_missing.c - what was lost while the rules were armed, in words. */
#include "kdump/report.h"

#include <inttypes.h>
#include <string.h>

static const char *loss_words(const char *counter)
{
	static const struct {
		const char *counter, *words;
	} all[] = {
		{ "unknown", "times the condition could not be evaluated (a read failed)" },
		{ "key_unknown", "times the key could not be read: not recorded" },
		{ "field_unknown", "times a field could not be read: recorded without it" },
		{ "nmi", "came in NMI context: not recorded" },
		{ "full", "found no room for a new key: not recorded" },
		{ "nomem", "found no memory: counted for the match, missing in the history" },
		{ "raced", "raced with the removal of their key: not recorded" },
		{ "busy", "came while too many probes were within each other: not recorded" },
		{ "cut", "took the place of an older event before the history was full: the set's memory was used up" },
		{ "evicted", "older keys, with their history, made room for this event's key" },
		{ "unfinished", "of these keys had a match under way, or were alive" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].counter, counter))
			return all[i].words;
	return counter;
}

size_t report_missing(const struct report *r, const char ***ret)
{
	const char **said = arena_array(r->arena, 4 * r->nsets + r->nlosses + 1, sizeof(*said));
	size_t n = 0;

	for (size_t i = 0; i < r->nsets; i++) {
		const struct report_set *s = &r->sets[i];

		if (s->braked)
			said[n++] = arena_printf(r->arena, "%s: the brake let go of the probes, which took %" PRIu64 ".%" PRIu64
						 " %% of a CPU: nothing was seen after that", s->name, s->braked / 10,
						 s->braked % 10);
		if (s->missed)
			said[n++] = arena_printf(r->arena, "%s: the probes missed %" PRIu64 " calls", s->name, s->missed);
		if (s->notes_lost)
			said[n++] = arena_printf(r->arena, "%s: %" PRIu64 " matches, or other news, found no room on their way to `run`, "
						 "and are not in its output", s->name, s->notes_lost);
		if (s->crash_returned)
			said[n++] = arena_printf(r->arena, "%s: the call for the crash kernel came back %" PRIu64 " times",
						 s->name, s->crash_returned);
	}
	for (size_t i = 0; i < r->nlosses; i++)
		if (r->losses[i].is_loss)
			said[n++] = arena_printf(r->arena, "%s: %" PRIu64 " %s", r->losses[i].event, r->losses[i].count,
						 loss_words(r->losses[i].counter));
	*ret = said;
	return n;
}
