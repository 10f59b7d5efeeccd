// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/resolve.h"

#include <string.h>

#include "agent/resolver.h"
#include "lib/arena.h"

void resolve_note(struct resolver *r, char *note)
{
	for (uint32_t i = 0; i < r->plan->nnotes; i++) {
		if (!strcmp(r->plan->notes[i], note))
			return;
	}
	r->plan->notes = arena_grow(r->a, r->plan->notes, r->plan->nnotes, sizeof(*r->plan->notes));
	r->plan->notes[r->plan->nnotes++] = note;
}

void resolve_fail(struct resolver *r, enum err_code code, const char *text)
{
	if (!r->failed)
		err_set(r->err, code, "event '%s' of rule '%s' (line %u): %s", r->event->name,
			r->info->rules[r->event->rule].name, r->event->line, text);
	r->failed = true;
}

uint32_t find_hook(const struct resolver *r, const char *name)
{
	for (uint32_t h = 0; h < r->info->nhooks; h++) {
		if (!strcmp(r->info->hooks[h].name, name))
			return h;
	}
	return NO_HOOK;
}

uint32_t only_body(const struct resolver *r, uint32_t hook)
{
	for (uint32_t b = 0; b < r->info->nbodies; b++) {
		if (r->info->bodies[b].event == r->event_index && r->info->bodies[b].hook == hook)
			return b;
	}
	return NO_BODY;
}

bool leave_out(struct resolver *r)
{
	const struct info_event *e = r->event;
	struct attach_plan *plan = r->plan;

	if (e->wait_module) {
		plan->waits = arena_grow(r->a, plan->waits, plan->nwaits, sizeof(*plan->waits));
		plan->waits[plan->nwaits++] = (struct wait_target){ .event = r->event_index, .probe = r->probe->text,
								    .module = r->probe->module };
		return true;
	}
	if (e->optional)
		resolve_note(r, arena_printf(r->a, "rule '%s' goes without event '%s': %s is not here",
					     r->info->rules[e->rule].name, e->name, r->probe->text));
	return e->optional;
}

void note_wait(struct resolver *r)
{
	if (r->event->delay_ns)
		resolve_note(r, arena_printf(r->a, "%s: while it waits, other kprobes, tracepoints and timers of that CPU are missed, "
					     "and counted as lost", r->probe->text));
}

/* A cookie: the body itself where there is one, else where its list stands in df_dispatch. */
static uint64_t make_cookie(struct resolver *r, const uint32_t *bodies, uint32_t n)
{
	struct attach_plan *plan = r->plan;
	uint32_t first = plan->ndispatch;

	if (n == 1)
		return bodies[0];
	for (uint32_t b = 0; b < n; b++) {
		plan->dispatch = arena_grow(r->a, plan->dispatch, plan->ndispatch, sizeof(*plan->dispatch));
		plan->dispatch[plan->ndispatch++] = bodies[b];
	}
	return (uint64_t)n << 32 | first;
}

static void make_cookies(struct resolver *r)
{
	struct attach_plan *plan = r->plan;

	for (uint32_t h = 0; h < r->info->nhooks; h++) {
		for (uint32_t i = 0; i < plan->hooks[h].n; i++) {
			struct target *t = &plan->hooks[h].targets[i];

			t->cookie = make_cookie(r, t->bodies, t->nbodies);
		}
	}
	for (uint32_t i = 0; i < plan->nsites; i++) {
		struct site_target *s = &plan->sites[i];

		s->cookie = make_cookie(r, s->bodies, s->nbodies);
		s->site.cookie = s->cookie;
	}
	for (uint32_t i = 0; i < plan->nrecords; i++)
		plan->records[i].cookie = make_cookie(r, plan->records[i].bodies, plan->records[i].nbodies);
}

static void resolve_timer(struct resolver *r)
{
	struct attach_plan *plan = r->plan;
	uint32_t hook = find_hook(r, "perf"), body = only_body(r, hook);

	if (body == NO_BODY) {
		resolve_fail(r, ERR_CORRUPT, "the object has no code for it");
		return;
	}
	plan->timers = arena_grow(r->a, plan->timers, plan->ntimers, sizeof(*plan->timers));
	plan->timers[plan->ntimers++] = (struct timer_target){ .rate = r->probe->rate,
							       .each_cpu = !strcmp(r->probe->kind, "profile"),
							       .hook = hook, .body = r->info->bodies[body].number };
	plan->hooks[hook].used = true;
}

static const struct {
	const char *kind;
	void (*resolve)(struct resolver *r);
} resolvers[] = {
	{ "kprobe", resolve_function },	 { "kretprobe", resolve_function }, { "session", resolve_function },
	{ "fentry", resolve_function },	 { "fexit", resolve_function },	    { "tracepoint", resolve_record },
	{ "rawtp", resolve_rawtp },	 { "uprobe", resolve_site },	    { "uretprobe", resolve_site },
	{ "usdt", resolve_site },	 { "interval", resolve_timer },	    { "profile", resolve_timer },
};

/* An event that may be absent, and was where the set was compiled, has no code. */
static bool has_code(const struct resolver *r)
{
	for (uint32_t b = 0; b < r->info->nbodies; b++) {
		if (r->info->bodies[b].event == r->event_index)
			return true;
	}
	return false;
}

static void resolve_probe(struct resolver *r)
{
	bool is_timer = !strcmp(r->probe->kind, "interval") || !strcmp(r->probe->kind, "profile");

	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++) {
		if (strcmp(resolvers[i].kind, r->probe->kind) != 0)
			continue;
		if (r->probe->pattern || is_timer)
			resolvers[i].resolve(r);
		return;
	}
	resolve_fail(r, ERR_UNSUPPORTED, arena_printf(r->a, "this program knows no probes of kind '%s'", r->probe->kind));
}

int resolve(struct arena *a, const struct set_info *info, struct kbtf *kbtf, struct buf *object,
	    struct attach_plan *ret, struct err *err)
{
	struct resolver r = { .a = a, .info = info, .kbtf = kbtf, .object = object, .plan = ret, .err = err };

	memset(ret, 0, sizeof(*ret));
	ret->hooks = arena_array(a, info->nhooks + 1, sizeof(*ret->hooks));
	r.target_of = arena_array(a, info->nhooks + 1, sizeof(*r.target_of));
	r.assigned = arena_array(a, info->nbodies + 1, sizeof(*r.assigned));
	for (uint32_t e = 0; e < info->nevents; e++) {
		r.event = &info->events[e];
		r.event_index = e;
		for (uint32_t p = 0; p < r.event->nprobes; p++) {
			r.probe = &r.event->probes[p];
			if (has_code(&r) || !leave_out(&r))
				resolve_probe(&r);
			if (r.failed)
				return -1;
		}
	}
	make_cookies(&r);
	return 0;
}
