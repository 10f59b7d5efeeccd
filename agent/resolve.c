// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/resolve.h"

#include <bpf/btf.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "agent/object.h"
#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/deny.h"
#include "rules/kbtf.h"

#define ARGS_MAX 12

struct resolver {
	struct arena *a;
	const struct set_info *info;
	struct kbtf *kbtf;
	struct buf *object;
	struct functions funcs;
	struct attach_plan *plan;
	struct err *err;
	bool *assigned;			/* [info->nbodies]: the body serves positions already */
	uint32_t **target_of;		/* [hook][function]: its target's index + 1, 0: none yet */
	bool failed;
	/* while one probe is matched */
	const struct info_event *event;
	uint32_t event_index, hook;
	const struct info_probe *probe;
};

static void add_note(struct resolver *r, char *note)
{
	r->plan->notes = arena_grow(r->a, r->plan->notes, r->plan->nnotes, sizeof(*r->plan->notes));
	r->plan->notes[r->plan->nnotes++] = note;
}

static void fail(struct resolver *r, enum err_code code, const char *text)
{
	if (!r->failed)
		err_set(r->err, code, "event '%s' of rule '%s' (line %u): %s", r->event->name,
			r->info->rules[r->event->rule].name, r->event->line, text);
	r->failed = true;
}

/* Positions of the event's arguments in a function; false if they cannot be known. */
static bool positions(struct resolver *r, const struct function *f, uint8_t *pos)
{
	const struct btf_param *params = NULL;
	struct kbtf_func kf = { 0 };
	uint32_t nparams = 0;

	for (uint32_t i = 0; i < r->event->nargs; i++) {
		const struct info_arg *arg = &r->event->args[i];
		uint32_t p;

		if (!arg->name) {
			pos[i] = (uint8_t)arg->number;
			continue;
		}
		if (!params) {
			if (!r->kbtf || !kbtf_find_func(r->kbtf, f->module, f->name, &kf)) {
				fail(r, ERR_UNSUPPORTED,
				     arena_printf(r->a, "the arguments of %s are not known here (no BTF); "
							"name them by number: arg0, arg1, ...", f->name));
				return false;
			}
			params = btf_params(btf__type_by_id(kf.btf, kf.proto_id));
			nparams = btf_vlen(btf__type_by_id(kf.btf, kf.proto_id));
		}
		for (p = 0; p < nparams; p++) {
			const char *name = btf__name_by_offset(kf.btf, params[p].name_off);

			if (name && !strcmp(name, arg->name))
				break;
		}
		if (p == nparams) {
			fail(r, ERR_ABSENT, arena_printf(r->a, "%s has no argument '%s' on this kernel", f->name, arg->name));
			return false;
		}
		pos[i] = (uint8_t)p;
	}
	return true;
}

static void assign_body(struct resolver *r, uint32_t b, const uint8_t *pos)
{
	struct info_body *body = &r->info->bodies[b];

	r->assigned[b] = true;
	for (uint32_t i = 0; i < body->npatches && !r->failed; i++) {
		const struct info_patch *p = &body->patches[i];

		if (body->pos[p->arg] == pos[p->arg])
			continue;
		if (object_patch_arg(r->object, p->func, p->insn, pos[p->arg], r->err))
			r->failed = true;
	}
	if (r->event->nargs)
		memcpy(body->pos, pos, r->event->nargs);
}

/* The body of the current event that loads its arguments from these positions; -1 if none can. */
static int64_t choose_body(struct resolver *r, const uint8_t *pos)
{
	int64_t spare = -1;
	uint32_t b;

	for (b = 0; b < r->info->nbodies; b++) {
		const struct info_body *body = &r->info->bodies[b];

		if (body->event != r->event_index || body->hook != r->hook)
			continue;
		if (!memcmp(body->pos, pos, r->event->nargs)) {
			r->assigned[b] = true;
			return b;
		}
		if (!r->assigned[b])
			spare = b;
	}
	if (spare >= 0)
		assign_body(r, (uint32_t)spare, pos);
	return spare;
}

static struct target *find_target(struct resolver *r, const struct function *f)
{
	struct hook_plan *plan = &r->plan->hooks[r->hook];
	uint32_t **map = &r->target_of[r->hook], i = (uint32_t)(f - r->funcs.items);
	struct target *t;

	if (!*map)
		*map = arena_array(r->a, r->funcs.n, sizeof(**map));
	if ((*map)[i])
		return &plan->targets[(*map)[i] - 1];
	plan->targets = arena_grow(r->a, plan->targets, plan->n, sizeof(*plan->targets));
	t = &plan->targets[plan->n++];
	*t = (struct target){ .func = f };
	(*map)[i] = plan->n;
	return t;
}

static void add_function(const struct function *f, void *arg)
{
	struct resolver *r = arg;
	uint8_t pos[ARGS_MAX] = { 0 };
	struct target *t;
	int64_t body;

	if (r->failed)
		return;
	if (deny_reason(f->name)) {
		r->plan->denied++;
		return;
	}
	if (r->event->nargs > ARGS_MAX || !positions(r, f, pos))
		return;
	body = choose_body(r, pos);
	if (body < 0) {
		fail(r, ERR_UNSUPPORTED,
		     arena_printf(r->a, "the functions of '%s' take their arguments in more orders here than the object "
					"was compiled for; compile the rule on this kernel", r->probe->text));
		return;
	}
	t = find_target(r, f);
	t->bodies = arena_grow(r->a, t->bodies, t->nbodies, sizeof(*t->bodies));
	t->bodies[t->nbodies++] = r->info->bodies[body].number;
}

static void resolve_probe(struct resolver *r)
{
	const struct info_probe *p = r->probe;
	const char *denied, *near;
	uint32_t before = r->plan->denied, n;

	n = functions_match(&r->funcs, p->module, p->pattern, add_function, r);
	if (r->failed)
		return;
	if (r->plan->denied > before) {
		denied = deny_reason(p->pattern);
		if (denied || r->plan->denied - before == n) {
			fail(r, ERR_INVALID, arena_printf(r->a, "'%s' may not be probed: %s", p->text,
							  denied ? denied : "all its functions are on the deny list"));
			return;
		}
		add_note(r, arena_printf(r->a, "%s: left out %u functions that may not be probed", p->text,
					 r->plan->denied - before));
	}
	if (n || r->event->optional || r->event->wait_module)
		return;
	near = functions_nearest(&r->funcs, p->pattern);
	fail(r, ERR_ABSENT,
	     arena_printf(r->a, "no function '%s' can be probed on this kernel%s%s%s%s", p->pattern,
			  p->module ? arena_printf(r->a, " in module %s (is it loaded?)", p->module) : "",
			  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ""));
}

static struct site_target *find_site(struct resolver *r, const char *path, const struct usdt_note *note)
{
	struct attach_plan *plan = r->plan;
	struct site_target *s;

	for (uint32_t i = 0; i < plan->nsites; i++) {
		if (plan->sites[i].note.offset == note->offset && !strcmp(plan->sites[i].path, path))
			return &plan->sites[i];
	}
	plan->sites = arena_grow(r->a, plan->sites, plan->nsites, sizeof(*plan->sites));
	s = &plan->sites[plan->nsites++];
	*s = (struct site_target){ .path = path, .hook = r->hook, .note = *note };
	return s;
}

/* The event's only body under this hook: USDT arguments are decoded at run time, they have no positions. */
static uint32_t only_body(const struct resolver *r)
{
	for (uint32_t b = 0; b < r->info->nbodies; b++) {
		if (r->info->bodies[b].event == r->event_index && r->info->bodies[b].hook == r->hook)
			return r->info->bodies[b].number;
	}
	return 0;
}

static void resolve_usdt(struct resolver *r)
{
	const struct info_probe *p = r->probe;
	const char *path = p->target ? usdt_find_program(r->a, p->target) : NULL;
	struct nearest near = nearest_init(p->pattern);
	struct usdt_note *notes;
	uint32_t n, found = 0;

	if (!path) {
		fail(r, ERR_ABSENT, arena_printf(r->a, "%s: no such program or library", p->target ? p->target : p->text));
		return;
	}
	if (usdt_read(r->a, path, &notes, &n, r->err)) {
		fail(r, r->err->code, arena_strdup(r->a, r->err->msg));
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct site_target *s;

		if (p->provider && fnmatch(p->provider, notes[i].provider, 0))
			continue;
		nearest_offer(&near, notes[i].name);
		if (fnmatch(p->pattern, notes[i].name, 0))
			continue;
		s = find_site(r, path, &notes[i]);
		s->bodies = arena_grow(r->a, s->bodies, s->nbodies, sizeof(*s->bodies));
		s->bodies[s->nbodies++] = only_body(r);
		found++;
	}
	if (!found && !r->event->optional)
		fail(r, ERR_ABSENT,
		     arena_printf(r->a, "%s has no USDT probe %s:%s%s%s%s", path, p->provider ? p->provider : "*", p->pattern,
				  nearest_best(&near) ? "; did you mean '" : "",
				  nearest_best(&near) ? nearest_best(&near) : "", nearest_best(&near) ? "'?" : ""));
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
	for (uint32_t h = 0; h < r->info->nhooks; h++) {
		for (uint32_t i = 0; i < r->plan->hooks[h].n; i++) {
			struct target *t = &r->plan->hooks[h].targets[i];

			t->cookie = make_cookie(r, t->bodies, t->nbodies);
		}
	}
	for (uint32_t i = 0; i < r->plan->nsites; i++) {
		struct site_target *s = &r->plan->sites[i];

		s->note.site.cookie = make_cookie(r, s->bodies, s->nbodies);
	}
}

static bool hook_has_kind(const struct info_hook *hook, const char *kind)
{
	return !strcmp(hook->name, kind);
}

int resolve(struct arena *a, const struct set_info *info, struct kbtf *kbtf, struct buf *object,
	    struct attach_plan *ret, struct err *err)
{
	struct resolver r = { .a = a, .info = info, .kbtf = kbtf, .object = object, .plan = ret, .err = err };
	bool have_functions = false;

	memset(ret, 0, sizeof(*ret));
	ret->hooks = arena_array(a, info->nhooks + 1, sizeof(*ret->hooks));
	r.target_of = arena_array(a, info->nhooks + 1, sizeof(*r.target_of));
	r.assigned = arena_array(a, info->nbodies + 1, sizeof(*r.assigned));
	for (uint32_t e = 0; e < info->nevents; e++) {
		r.event = &info->events[e];
		r.event_index = e;
		for (uint32_t p = 0; p < r.event->nprobes; p++) {
			r.probe = &r.event->probes[p];
			for (r.hook = 0; r.hook < info->nhooks; r.hook++) {
				if (!hook_has_kind(&info->hooks[r.hook], r.probe->kind) || !r.probe->pattern)
					continue;
				if (!strcmp(r.probe->kind, "usdt")) {
					resolve_usdt(&r);
					continue;
				}
				if (!have_functions && functions_read(a, &r.funcs, err))
					return -1;
				have_functions = true;
				resolve_probe(&r);
			}
			if (r.failed)
				return -1;
		}
	}
	make_cookies(&r);
	return 0;
}
