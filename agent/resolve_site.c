// SPDX-License-Identifier: GPL-2.0-or-later
/* resolve_site.c - places in programs of user space: USDT probes and functions. */
#include <fnmatch.h>
#include <string.h>

#include "agent/resolver.h"
#include "agent/userfile.h"
#include "agent/usersym.h"
#include "lib/arena.h"
#include "lib/nearest.h"

static struct site_target *find_site(struct resolver *r, const struct site_target *like)
{
	struct attach_plan *plan = r->plan;

	for (uint32_t i = 0; i < plan->nsites; i++) {
		const struct site_target *s = &plan->sites[i];

		if (s->hook == like->hook && s->offset == like->offset && s->pid == like->pid &&
		    s->is_return == like->is_return && !strcmp(s->path, like->path))
			return &plan->sites[i];
	}
	plan->sites = arena_grow(r->a, plan->sites, plan->nsites, sizeof(*plan->sites));
	plan->sites[plan->nsites] = *like;
	plan->hooks[like->hook].used = true;
	return &plan->sites[plan->nsites++];
}

static void add_site(struct resolver *r, const struct site_target *like)
{
	uint32_t body = only_body(r, like->hook);
	struct site_target *s;

	if (body == NO_BODY) {
		resolve_fail(r, ERR_CORRUPT, "the object has no code for it");
		return;
	}
	s = find_site(r, like);
	s->bodies = arena_grow(r->a, s->bodies, s->nbodies, sizeof(*s->bodies));
	s->bodies[s->nbodies++] = r->info->bodies[body].number;
}

static void usdt_notes(struct resolver *r, const char *path, int pid, const struct usdt_note *notes, uint32_t n)
{
	const struct info_probe *p = r->probe;
	struct nearest near = nearest_init(p->pattern);
	uint32_t found = 0;

	for (uint32_t i = 0; i < n && !r->failed; i++) {
		const struct usdt_note *note = &notes[i];

		if (p->provider && fnmatch(p->provider, note->provider, 0))
			continue;
		nearest_offer(&near, note->name);
		if (fnmatch(p->pattern, note->name, 0))
			continue;
		add_site(r, &(struct site_target){ .path = path, .what = arena_printf(r->a, "%s:%s", note->provider, note->name),
						   .hook = find_hook(r, "usdt"), .offset = note->offset,
						   .semaphore = note->semaphore, .pid = pid, .is_usdt = true,
						   .site = note->site });
		found++;
	}
	if (!found && !leave_out(r))
		resolve_fail(r, ERR_ABSENT,
			     arena_printf(r->a, "%s has no USDT probe %s:%s%s%s%s", path, p->provider ? p->provider : "*",
					  p->pattern, nearest_best(&near) ? "; did you mean '" : "",
					  nearest_best(&near) ? nearest_best(&near) : "", nearest_best(&near) ? "'?" : ""));
}

static void resolve_usdt(struct resolver *r, const char *path, int pid)
{
	struct usdt_note *notes;
	struct err err;
	uint32_t n;

	if (!usdt_read(r->a, path, &notes, &n, &err))
		usdt_notes(r, path, pid, notes, n);
	else if (!leave_out(r))
		resolve_fail(r, err.code, arena_strdup(r->a, err.msg));
}

static void resolve_user_function(struct resolver *r, const char *path, int pid)
{
	struct site_target s = { .path = path, .what = r->probe->pattern, .hook = find_hook(r, "uprobe"), .pid = pid,
				 .is_return = !strcmp(r->probe->kind, "uretprobe") };
	struct err err;

	if (!usersym_find(r->a, path, r->probe->pattern, &s.offset, &err))
		add_site(r, &s);
	else if (!leave_out(r))
		resolve_fail(r, err.code, arena_strdup(r->a, err.msg));
}

void resolve_site(struct resolver *r)
{
	const char *target = r->probe->target ? r->probe->target : "", *path;
	int pid;

	path = userfile_find(r->a, target, &pid);
	if (!path) {
		if (!leave_out(r))
			resolve_fail(r, ERR_ABSENT, arena_printf(r->a, "%s: no such program or library%s", target,
								 pid > 0 ? " of that process" : ""));
		return;
	}
	if (!strcmp(r->probe->kind, "usdt"))
		resolve_usdt(r, path, pid);
	else
		resolve_user_function(r, path, pid);
}
