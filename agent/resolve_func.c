// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resolve_func.c - kernel functions, and how they are attached to.
 *
 * A return can be seen in three ways. kretprobe (one link for thousands of functions) loses returns when many calls
 * sleep at once: its pool of return addresses is small; so does a session, which also keeps values of the entry.
 * fexit loses none, but takes a program for each function. Few functions get fexit, many the others.
 */
#include "agent/features.h"
#include "agent/resolver.h"
#include "agent/tracing.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/deny.h"
#include "rules/returns.h"
#include "rules/type.h"

/* Returns of so many functions at most are watched by fexit although kretprobe would do. */
#define FEXIT_PREFERRED 15
/* Tracing programs for one probe: each is verified, compiled and patched in on its own. */
#define PROGRAMS_MAX 256

/* The functions of one probe. */
struct found {
	struct resolver *r;
	const struct function **items;
	struct kbtf_func *types;	/* btf NULL: not in BTF */
	uint32_t n, ndenied;
	bool typed;			/* all are in BTF */
};

static void collect(const struct function *f, void *arg)
{
	struct found *list = arg;
	struct resolver *r = list->r;

	if (deny_reason(f->name)) {
		list->ndenied++;
		return;
	}
	list->items = arena_grow(r->a, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = f;
}

static void look_up_types(struct found *list)
{
	struct resolver *r = list->r;

	list->types = arena_array(r->a, list->n + 1, sizeof(*list->types));
	list->typed = r->kbtf != NULL;
	for (uint32_t i = 0; i < list->n; i++) {
		const struct function *f = list->items[i];

		if (!r->kbtf || !kbtf_find_func(r->kbtf, f->module ? f->module : "vmlinux", f->name, &list->types[i])) {
			list->types[i].btf = NULL;
			list->typed = false;
		}
	}
}

/*
 * Of a glob's functions, where arguments are asked by name or a return value may be, those of which the types are known: of
 * what the compiler made of others they are not.
 */
static void keep_typed(struct resolver *r, struct found *list)
{
	bool returns = strcmp(r->probe->kind, "kprobe") && strcmp(r->probe->kind, "fentry");
	uint32_t n = 0, left_out;

	for (uint32_t i = 0; i < r->event->nargs; i++)
		returns = returns || r->event->args[i].name;
	if (list->typed || !returns || !strpbrk(r->probe->pattern, "*?["))
		return;
	for (uint32_t i = 0; i < list->n; i++) {
		if (!list->types[i].btf)
			continue;
		list->items[n] = list->items[i];
		list->types[n++] = list->types[i];
	}
	left_out = list->n - n;
	if (!n)
		return;
	list->n = n;
	list->typed = true;
	resolve_note(r, arena_printf(r->a, "%s: left out %u function%s whose arguments are not in BTF", r->probe->text, left_out,
				     left_out == 1 ? "" : "s"));
}

/* Of a probe "... -> TYPE" those that return it; false after an error. */
static bool keep_returning(struct resolver *r, struct found *list)
{
	const char *returns = r->probe->returns;
	struct types *types = returns ? types_create(r->a, r->kbtf) : NULL;
	const struct type *wanted = types ? returns_type(r->a, types, returns) : NULL;
	uint32_t n = 0;

	if (!returns)
		return true;
	list->typed = true;
	for (uint32_t i = 0; wanted && i < list->n; i++) {
		if (!returns_it(types, &list->types[i], wanted))
			continue;
		list->items[n] = list->items[i];
		list->types[n++] = list->types[i];
	}
	if (!n) {
		resolve_fail(r, ERR_ABSENT, arena_printf(r->a, "no function of '%s' returns that on this kernel", r->probe->text));
		return false;
	}
	list->n = n;
	return true;
}

static struct target *find_target(struct resolver *r, uint32_t hook, const struct function *f)
{
	struct hook_plan *plan = &r->plan->hooks[hook];
	uint32_t **map = &r->target_of[hook], i = (uint32_t)(f - r->funcs.items);
	struct target *t;

	if (!*map)
		*map = arena_array(r->a, r->funcs.n, sizeof(**map));
	if ((*map)[i])
		return &plan->targets[(*map)[i] - 1];
	plan->targets = arena_grow(r->a, plan->targets, plan->n, sizeof(*plan->targets));
	t = &plan->targets[plan->n++];
	*t = (struct target){ .func = f };
	(*map)[i] = plan->n;
	plan->used = true;
	return t;
}

static void too_many_orders(struct resolver *r)
{
	resolve_fail(r, ERR_UNSUPPORTED,
		     arena_printf(r->a, "the functions of '%s' take their arguments in more orders here than the object "
					"was compiled for; compile the rule on this kernel", r->probe->text));
}

/* Functions under a hook of one program. */
static void add_targets(struct resolver *r, uint32_t hook, const struct found *list)
{
	for (uint32_t i = 0; i < list->n && !r->failed; i++) {
		const struct kbtf_func *type = list->types[i].btf ? &list->types[i] : NULL;
		uint8_t pos[ARGS_MAX] = { 0 };
		struct target *t;
		uint32_t body;

		if (!find_positions(r, list->items[i]->name, type, 0, pos))
			return;
		body = choose_body(r, hook, false, pos);
		if (body == NO_BODY) {
			too_many_orders(r);
			return;
		}
		t = find_target(r, hook, list->items[i]);
		t->bodies = arena_grow(r->a, t->bodies, t->nbodies, sizeof(*t->bodies));
		t->bodies[t->nbodies++] = r->info->bodies[body].number;
	}
}

static uint32_t programs_at(const struct resolver *r, const struct kbtf_func *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->plan->nprogs; i++) {
		const struct prog_target *p = &r->plan->progs[i];

		n += p->btf_id == f->id && p->module == f->module;
	}
	return n;
}

/* The first of these functions, all in BTF or not, that has no room for so many tracing programs more; NULL: all have. */
static const struct kbtf_func *first_full(struct resolver *r, const struct found *list, uint32_t more)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const struct kbtf_func *f = &list->types[i];

		if (f->btf && programs_at(r, f) + tracers_at(r->a, &r->tracers, f) + more > TRACERS_MAX)
			return f;
	}
	return NULL;
}

/* A tracing program for each function under a direct hook. */
static void add_programs(struct resolver *r, uint32_t hook, bool save, const struct found *list)
{
	for (uint32_t i = 0; i < list->n && !r->failed; i++) {
		const struct kbtf_func *type = &list->types[i];
		uint8_t pos[ARGS_MAX] = { 0 };
		uint32_t body;

		if (!type->btf) {
			resolve_fail(r, ERR_UNSUPPORTED,
				     arena_printf(r->a, "%s is not in BTF, which %s needs; use kprobe: or kretprobe:",
						  list->items[i]->name, r->info->hooks[hook].name));
			return;
		}
		if (!tracing_takes(type)) {
			resolve_fail(r, ERR_UNSUPPORTED,
				     arena_printf(r->a, "this kernel's tracing programs cannot see %s() (too many or variable "
						  "arguments, or a struct by value); use kprobe: or kretprobe:",
						  list->items[i]->name));
			return;
		}
		if (!find_positions(r, list->items[i]->name, type, 0, pos))
			return;
		body = choose_body(r, hook, save, pos);
		if (body == NO_BODY)
			too_many_orders(r);
		else
			add_program(r, body, list->items[i]->name, type, type->id);
	}
}

static bool has_save_body(const struct resolver *r, uint32_t hook)
{
	for (uint32_t b = 0; b < r->info->nbodies; b++) {
		const struct info_body *body = &r->info->bodies[b];

		if (body->event == r->event_index && body->hook == hook && body->save)
			return true;
	}
	return false;
}

/* A return takes a second program, at the entry, where old() wants values of that. */
static uint32_t programs_of_return(const struct resolver *r)
{
	return has_save_body(r, find_hook(r, "fentry")) ? 2 : 1;
}

static void check_programs(struct resolver *r, const struct found *list, uint32_t each)
{
	const struct kbtf_func *full;

	if (list->n > PROGRAMS_MAX) {
		resolve_fail(r, ERR_UNSUPPORTED,
			     arena_printf(r->a, "'%s' names %u functions; each takes a program of its own, and the most are "
						"%d: use kprobe: or kretprobe:", r->probe->text, list->n, PROGRAMS_MAX));
		return;
	}
	full = first_full(r, list, each);
	if (full)
		resolve_fail(r, ERR_UNSUPPORTED,
			     arena_printf(r->a, "the kernel allows %d tracing programs at one function; at %s there are %u of this set "
						"before this one, and %u of others (bpftool link): use kprobe: or kretprobe:",
					  TRACERS_MAX, full->name, programs_at(r, full), tracers_at(r->a, &r->tracers, full)));
}

/* fexit, with fentry before it where old() wants values of the entry. */
static void by_fexit(struct resolver *r, const struct found *list)
{
	uint32_t fentry = find_hook(r, "fentry"), fexit = find_hook(r, "fexit");

	check_programs(r, list, programs_of_return(r));
	if (!r->failed && has_save_body(r, fentry))
		add_programs(r, fentry, true, list);
	if (!r->failed)
		add_programs(r, fexit, false, list);
}

static bool can_be_traced(struct resolver *r, const struct found *list, uint32_t each)
{
	if (!list->typed || list->n > PROGRAMS_MAX || first_full(r, list, each))
		return false;
	for (uint32_t i = 0; i < list->n; i++) {
		if (!tracing_takes(&list->types[i]))
			return false;
	}
	return true;
}

/* An entry: a kprobe, unless the event waits: while fentry does, no other probe is missed. */
static void add_entry(struct resolver *r, const struct found *list)
{
	uint32_t fentry = find_hook(r, "fentry");

	if (r->event->delay_ns && can_be_traced(r, list, 1) && only_body(r, fentry) != NO_BODY) {
		resolve_note(r, arena_printf(r->a, "%s: by fentry, so that no other probe is missed while it waits",
					     r->probe->text));
		add_programs(r, fentry, false, list);
		return;
	}
	note_wait(r);
	add_targets(r, find_hook(r, "kprobe"), list);
}

/* A return: which of the three ways. */
static void add_return(struct resolver *r, const struct found *list)
{
	uint32_t kretprobe = find_hook(r, "kretprobe"), session = find_hook(r, "session");
	bool plain = only_body(r, kretprobe) != NO_BODY;
	bool fits = can_be_traced(r, list, programs_of_return(r));
	bool prefers_fexit = strcmp(r->probe->kind, "session") != 0 &&
			     (list->n <= FEXIT_PREFERRED || r->event->delay_ns);

	if (fits && prefers_fexit && only_body(r, find_hook(r, "fexit")) != NO_BODY) {
		resolve_note(r, arena_printf(r->a, "%s: by fexit, which sees the return of every call", r->probe->text));
		by_fexit(r, list);
	} else if (plain) {
		note_wait(r);
		add_targets(r, kretprobe, list);
	} else if (feature_has(FEATURE_SESSION)) {
		note_wait(r);
		add_targets(r, session, list);
	} else if (fits) {
		resolve_note(r, arena_printf(r->a, "%s: by fexit, since this kernel has no kprobe sessions",
					     r->probe->text));
		by_fexit(r, list);
	} else {
		resolve_fail(r, ERR_UNSUPPORTED,
			     arena_printf(r->a, "'%s' needs values of the entry: that takes kprobe sessions (%s), or fexit at "
						"no more than %d functions that are all in BTF", r->probe->text,
					  feature_infos[FEATURE_SESSION].since, PROGRAMS_MAX));
	}
}

/* Some of what was named may not be probed: an error if that is all, else a note. */
static bool denied_ok(struct resolver *r, const struct found *list)
{
	const char *denied = deny_reason(r->probe->pattern);

	r->plan->denied += list->ndenied;
	if (!list->ndenied)
		return true;
	if (denied || !list->n) {
		resolve_fail(r, ERR_INVALID,
			     arena_printf(r->a, "'%s' may not be probed: %s", r->probe->text,
					  denied ? denied : "all its functions are on the deny list"));
		return false;
	}
	resolve_note(r, arena_printf(r->a, "%s: left out %u functions that may not be probed", r->probe->text,
				     list->ndenied));
	return true;
}

static void nothing_found(struct resolver *r)
{
	const struct info_probe *p = r->probe;
	struct kbtf_func f;
	const char *near;

	if (leave_out(r))
		return;
	if (kbtf_find_func(r->kbtf, NULL, p->pattern, &f)) {
		resolve_fail(r, ERR_ABSENT,
			     arena_printf(r->a, "'%s' is in this kernel, but nothing can be attached there (code of lib/, noinstr, "
					  "or inlined into its callers): probe a caller; for a warning, kernel:warn", p->pattern));
		return;
	}
	near = functions_nearest(&r->funcs, p->pattern);
	resolve_fail(r, ERR_ABSENT,
		     arena_printf(r->a, "no function '%s' can be probed on this kernel%s%s%s%s", p->pattern,
				  p->module ? arena_printf(r->a, " in module %s (is it loaded?)", p->module) : "",
				  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ""));
}

void resolve_function(struct resolver *r)
{
	const struct info_probe *p = r->probe;
	struct found list = { .r = r };

	if (!r->have_functions && functions_read(r->a, &r->funcs, r->err)) {
		r->failed = true;
		return;
	}
	r->have_functions = true;
	functions_match(&r->funcs, p->module, p->pattern, collect, &list);
	if (!list.n && !list.ndenied) {
		nothing_found(r);
		return;
	}
	if (!denied_ok(r, &list))
		return;
	look_up_types(&list);
	keep_typed(r, &list);
	if (!keep_returning(r, &list))
		return;
	if (!strcmp(p->kind, "kprobe")) {
		add_entry(r, &list);
	} else if (!strcmp(p->kind, "fentry")) {
		check_programs(r, &list, 1);
		if (!r->failed)
			add_programs(r, find_hook(r, "fentry"), false, &list);
	} else if (!strcmp(p->kind, "fexit")) {
		by_fexit(r, &list);
	} else {
		add_return(r, &list);
	}
}
