// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/guards.h"
#include "agent/object.h"
#include "agent/params.h"
#include "agent/tell.h"
#include "agent/waiting.h"
#include "kdump/ready.h"
#include "lib/arena.h"
#include "rules/kbtf.h"

static void print_notes(const struct armed *s)
{
	for (uint32_t i = 0; i < s->plan.nnotes; i++)
		fprintf(stderr, "deadfall run: note: %s\n", s->plan.notes[i]);
	for (uint32_t i = 0; i < s->info.nbodies; i++) {
		const struct info_body *b = &s->info.bodies[i];
		const struct info_event *e = &s->info.events[b->event];

		if (!b->save && b->hook < 64 && s->loaded.idle_hooks >> b->hook & 1)
			fprintf(stderr, "deadfall run: note: event %s of rule %s: its condition is never true on this machine\n",
				e->name, s->info.rules[e->rule].name);
	}
}

/* Remember, beyond the life of the try, what the set waits for. */
static void keep_waits(struct part *p)
{
	const struct attach_plan *plan = &p->armed.plan;

	p->nwaits = plan->nwaits;
	p->waits = arena_array(p->a, plan->nwaits + 1, sizeof(*p->waits));
	p->wait_events = arena_array(p->a, plan->nwaits + 1, sizeof(*p->wait_events));
	for (uint32_t i = 0; i < plan->nwaits; i++) {
		const struct wait_target *w = &plan->waits[i];
		const struct info_event *e = &p->armed.info.events[w->event];

		p->waits[i] = (struct wait_target){ .event = w->event, .probe = arena_strdup(p->a, w->probe),
						    .module = w->module ? arena_strdup(p->a, w->module) : NULL };
		p->wait_events[i] = arena_printf(p->a, "%s.%s", p->armed.info.rules[e->rule].name, e->name);
	}
}

/* Modules that probes are in, of a set with events that may wait for them. */
static void keep_modules(struct part *p)
{
	struct probed_module *items;
	uint32_t n = armed_may_wait(&p->armed) ? probed_modules(p->a, &p->armed.info, &p->armed.plan, &items) : 0;

	p->modules = arena_array(p->a, n + 1, sizeof(*p->modules));
	for (p->nmodules = 0; p->nmodules < n; p->nmodules++) {
		const char *name = arena_strdup(p->a, items[p->nmodules].name);

		p->modules[p->nmodules] = (struct part_module){ name, module_identity(name) };
	}
}

static void forget(struct part *p)
{
	arena_reset(p->a);
	p->waits = NULL;
	p->wait_events = NULL;
	p->problem = NULL;
	p->modules = NULL;
	p->nwaits = p->nmodules = 0;
}

/* From the object to armed, or to what it waits for. The object is taken over. */
static int arm_object(struct parts *ps, struct part *p, struct buf *object, struct kbtf *kbtf, struct err *err)
{
	int ret = armed_begin(&p->armed, ps->opts, p->act, object, kbtf, err);

	if (!ret && p->armed.plan.nwaits) {
		keep_waits(p);
		armed_end(&p->armed);
		return 0;
	}
	if (!ret)
		ret = armed_arm(&p->armed, &ps->all, p->number, err);
	if (!ret)
		keep_modules(p);
	print_notes(&p->armed);
	if (ret)
		armed_end(&p->armed);
	p->is_armed = !ret;
	return ret;
}

static int try_part(struct parts *ps, struct part *p, struct kbtf *kbtf, struct err *err)
{
	struct buf object = BUF_INIT;
	struct arena *a = arena_create(NULL, NULL);
	int ret;

	forget(p);
	ret = a ? source_set_part(a, &ps->src, &p->src, kbtf, &object, err) : err_nomem(err);
	if (!ret)
		ret = arm_object(ps, p, &object, kbtf, err);
	buf_deinit(&object);
	arena_destroy(a);
	return ret;
}

static void say_waiting(const struct parts *ps, const struct part *p)
{
	const char *what = "";

	for (uint32_t i = 0; i < p->nwaits; i++)
		what = arena_printf(p->a, "%s%s%s (%s)", what, i ? ", " : "", p->waits[i].probe, p->wait_events[i]);
	tell(ps->opts->src.json, "waits", "%s %s: waits for %s", armed_word(p->act), p->name, what);
}

/* After a try: on stdout what became of it, and for `status` who still waits. */
static void say(const struct parts *ps, const struct part *p)
{
	if (p->is_armed)
		tell(ps->opts->src.json, p->act ? "armed" : "disarmed", "%s", p->armed.text);
	else if (p->nwaits)
		say_waiting(ps, p);
}

static void tell_status(struct parts *ps)
{
	struct err err;

	if (waiting_write(ps, ps->waiting_path, sizeof(ps->waiting_path), &err))
		fprintf(stderr, "deadfall run: %s\n", err.msg);
}

/* All rules together: what they are called, and their parameters. The object is theirs. */
static int read_all(struct parts *ps, const struct buf *object, struct err *err)
{
	const char *manifest;
	uint64_t value;
	uint32_t index;
	size_t len;

	if (object_manifest(object, &manifest, &len, err) || set_info_parse(ps->a, manifest, len, &ps->all, err))
		return -1;
	for (int i = 0; i < ps->opts->nsets; i++) {
		if (param_parse(&ps->all, ps->opts->sets[i], &index, &value, err))
			return err_wrap(err, "--set");
	}
	if (geteuid() != 0)
		return err_set(err, ERR_ENVIRONMENT, "loading BPF programs takes root");
	if (armed_act(ps->opts) == DF_ACT_PANIC && !ps->opts->force)
		return guards_check_kdump(&ps->all, err);
	return 0;
}

static void make_parts(struct parts *ps)
{
	const struct source_parts *src = &ps->src;

	ps->items = arena_array(ps->a, src->n + 1, sizeof(*ps->items));
	ps->n = src->n;
	for (uint32_t i = 0; i < src->n; i++)
		ps->items[i] = (struct part){ .src = src->items[i], .number = i, .act = armed_act(ps->opts),
					      .a = arena_create(NULL, NULL),
					      .name = src->items[i].rules ? src->items[i].rules[0] : ps->all.name };
}

static bool anybody_may_wait(const struct parts *ps)
{
	for (uint32_t i = 0; i < ps->all.nevents; i++) {
		if (ps->all.events[i].wait_module)
			return true;
	}
	return false;
}

static int start(struct parts *ps, struct kbtf *kbtf, struct buf *object, struct err *err)
{
	int ret = source_set_read(ps->a, &ps->opts->src, kbtf, object, &ps->src, err);

	if (ret || read_all(ps, object, err))
		return ret ?: -1;
	if (armed_act(ps->opts) == DF_ACT_PANIC)
		kdump_tell("deadfall run");
	make_parts(ps);
	/* before it is looked who is here: nobody comes unseen */
	if (anybody_may_wait(ps) && modwatch_open(&ps->watch, err))
		return -1;
	for (uint32_t i = 0; i < ps->n && !ret; i++) {
		struct part *p = &ps->items[i];

		ret = p->src.rules ? try_part(ps, p, kbtf, err) : arm_object(ps, p, object, kbtf, err);
	}
	return ret;
}

int parts_start(struct parts *ps, const struct run_options *o, struct err *err)
{
	struct buf object = BUF_INIT;
	struct kbtf *kbtf = NULL;
	int ret;

	*ps = (struct parts){ .opts = o, .a = arena_create(NULL, NULL), .watch = { .map = -1, .prog = -1, .links = { -1, -1 } } };
	ret = kbtf_open(NULL, &kbtf, err);
	if (!ret)
		ret = start(ps, kbtf, &object, err);
	for (uint32_t i = 0; i < ps->n && !ret; i++)
		say(ps, &ps->items[i]);
	if (!ret)
		tell_status(ps);
	buf_deinit(&object);
	kbtf_close(kbtf);
	return ret;
}

/* A module that the part has probes in is not the one that it was armed with. Whose probes the brake took has none to lose. */
static const char *lost_module(const struct part *p)
{
	if (!p->is_armed || p->armed.loaded.ctl->braked)
		return NULL;
	for (uint32_t i = 0; i < p->nmodules; i++) {
		if (module_identity(p->modules[i].name) != p->modules[i].identity)
			return p->modules[i].name;
	}
	return NULL;
}

/* Is one of the modules that the part waits for not there, as far as the rules name them? */
static bool cannot_start(const struct part *p)
{
	for (uint32_t i = 0; i < p->nwaits; i++) {
		if (p->waits[i].module && !module_identity(p->waits[i].module))
			return true;
	}
	return false;
}

/* Returns true if the part's state changed. */
static bool look_at(struct parts *ps, struct part *p, struct kbtf *kbtf)
{
	struct err err = { 0 };
	const char *lost = lost_module(p);
	int ret;

	if (lost) {
		tell(ps->opts->src.json, "waits", "module %s was unloaded: %s waits again", lost, p->name);
		set_freeze(&p->armed.loaded, DF_FROZEN_PARTIAL);
		p->act = p->armed.loaded.ctl->armed;	/* who was disarmed stays so */
		armed_end(&p->armed);
		p->is_armed = false;
	} else if (p->is_armed || cannot_start(p)) {
		return false;
	}
	ret = try_part(ps, p, kbtf, &err);
	if (!ret)
		return lost || p->is_armed;
	/* functions of a module cannot be attached to in every way before its init function is through */
	if (modules_loading(&(struct loading_module){ 0 }, 1)) {
		ps->retry = true;
		return lost;
	}
	p->problem = ret > 0 ? "its rules have errors now: see what `deadfall run` said" : arena_strdup(p->a, err.msg);
	fprintf(stderr, "deadfall run: %s cannot be armed: %s\n", p->name, p->problem);
	return true;
}

void parts_look(struct parts *ps)
{
	struct kbtf *kbtf = NULL;
	struct err err;

	ps->retry = false;
	if (kbtf_open(NULL, &kbtf, &err)) {
		fprintf(stderr, "deadfall run: %s\n", err.msg);
		return;
	}
	for (uint32_t i = 0; i < ps->n; i++) {
		if (!look_at(ps, &ps->items[i], kbtf))
			continue;
		say(ps, &ps->items[i]);
		tell_status(ps);
	}
	kbtf_close(kbtf);
}

void parts_end(struct parts *ps)
{
	for (uint32_t i = 0; i < ps->n; i++) {
		if (ps->items[i].is_armed)
			armed_end(&ps->items[i].armed);
		arena_destroy(ps->items[i].a);
	}
	if (ps->waiting_path[0])
		unlink(ps->waiting_path);
	modwatch_close(&ps->watch);
	arena_destroy(ps->a);
}
