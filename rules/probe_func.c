// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe_func.c - the functions that a probe's text stands for: a name, "a|b" (the first that exists), a glob,
 * "{a*,b*,!c*}", each in one module or anywhere, and of these those that return the type that is asked for.
 */
#include "rules/probe.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/deny.h"
#include "rules/ksyms.h"
#include "rules/returns.h"

#define FUNCS_MAX 200000

/* Functions being gathered for one probe. */
struct gather {
	struct check *check;
	struct probe *probe;
	char **excluded;		/* globs after '!' */
	uint32_t nexcluded;
	const struct type *returns;	/* only functions that return it; NULL: any */
	uint32_t nothers;		/* that return something else */
	uint32_t ndenied;
	const char *denied[3];		/* the first of them, for the note */
};

static bool is_glob(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

static void add_func(struct gather *g, const struct kbtf_func *f)
{
	struct probe *p = g->probe;

	if (g->returns && !returns_it(g->check->types, f, g->returns)) {
		g->nothers++;
		return;
	}
	p->funcs = arena_grow(g->check->arena, p->funcs, p->nfuncs, sizeof(*p->funcs));
	p->funcs[p->nfuncs++] = (struct probe_func){ .name = f->name, .module = f->module, .btf = f->btf,
						     .proto_id = f->proto_id };
}

static int gather_match(const struct kbtf_func *f, void *arg)
{
	struct gather *g = arg;

	for (uint32_t i = 0; i < g->nexcluded; i++) {
		if (!fnmatch(g->excluded[i], f->name, 0))
			return 0;
	}
	if (deny_reason(f->name)) {
		if (g->ndenied < 3)
			g->denied[g->ndenied] = f->name;
		g->ndenied++;
		return 0;
	}
	add_func(g, f);
	return g->probe->nfuncs >= FUNCS_MAX;
}

/* A function that the kernel has and BTF has not: 6.1's modules, for one. Its arguments have no names. */
static bool find_symbol(struct gather *g, const char *name, struct kbtf_func *f)
{
	char module[128];

	if (!ksyms_find(g->check->kbtf, g->probe->module, name, module, sizeof(module)))
		return false;
	*f = (struct kbtf_func){ .name = arena_strdup(g->check->arena, name),
				 .module = *module ? arena_strdup(g->check->arena, module) : NULL };
	return true;
}

/* One name; false if there is no such function. A denied one is an error that gives the reason. */
static bool gather_name(struct gather *g, const char *name)
{
	const char *reason = deny_reason(name);
	struct kbtf_func f;

	if (!kbtf_find_func(g->check->kbtf, g->probe->module, name, &f) && !find_symbol(g, name, &f))
		return false;
	if (reason) {
		diag_hint(g->check->diags, diag_error(g->check->diags, TAG_DENIED, g->probe->span,
						      "'%s' must not be trapped: %s", name, reason),
			  "trap its caller");
		return true;
	}
	add_func(g, &f);
	return true;
}

static bool gather_pattern(struct gather *g, const char *pattern)
{
	uint32_t before = g->probe->nfuncs + g->ndenied + g->nothers;

	if (!is_glob(pattern))
		return gather_name(g, pattern);
	kbtf_each_func(g->check->kbtf, g->probe->module, pattern, gather_match, g);
	return g->probe->nfuncs + g->ndenied + g->nothers > before;
}

/* "{a*,b*,!c*}": its parts; those after '!' first, so that they apply to all. */
static bool gather_set(struct gather *g, const char *text)
{
	char *copy = arena_strndup(g->check->arena, text + 1, strlen(text) - 2), *save = NULL, *part;
	char **parts = NULL;
	uint32_t n = 0;
	bool found = false;

	for (part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		part += strspn(part, " ");
		part[strcspn(part, " ")] = '\0';
		if (*part == '!') {
			g->excluded = arena_grow(g->check->arena, g->excluded, g->nexcluded, sizeof(char *));
			g->excluded[g->nexcluded++] = part + 1;
			continue;
		}
		parts = arena_grow(g->check->arena, parts, n, sizeof(*parts));
		parts[n++] = part;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (gather_pattern(g, parts[i]))
			found = true;
		else
			diag_warn(g->check->diags, TAG_UNKNOWN_FUNCTION, g->probe->span, "no function matches '%s'",
				  parts[i]);
	}
	return found;
}

/* "a|b|c": the first of which there is any */
static bool gather_first(struct gather *g, const char *text)
{
	char *copy = arena_strdup(g->check->arena, text), *save = NULL;

	for (char *part = strtok_r(copy, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
		if (gather_pattern(g, part))
			return true;
	}
	return false;
}

static uint32_t hash_func(const struct probe_func *f)
{
	uint32_t h = 2166136261u;

	for (const char *s = f->name; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h ^ h >> 15;
}

static bool same_func(const struct probe_func *a, const struct probe_func *b)
{
	return !strcmp(a->name, b->name) && (a->module == b->module ||
	       (a->module && b->module && !strcmp(a->module, b->module)));
}

/* Overlapping patterns, and static functions of one name: each name once. */
static void drop_duplicates(struct check *c, struct probe *p)
{
	uint32_t size = 16, n = 0, h;
	uint32_t *slots;

	while (size < p->nfuncs * 2)
		size *= 2;
	slots = arena_array(c->arena, size, sizeof(*slots));
	for (uint32_t i = 0; i < p->nfuncs; i++) {
		for (h = hash_func(&p->funcs[i]) & (size - 1); slots[h]; h = (h + 1) & (size - 1)) {
			if (same_func(&p->funcs[slots[h] - 1], &p->funcs[i]))
				break;
		}
		if (slots[h])
			continue;
		p->funcs[n] = p->funcs[i];
		slots[h] = ++n;
	}
	p->nfuncs = n;
}

static void note_denied(const struct gather *g)
{
	const char *names = "";

	for (uint32_t i = 0; i < g->ndenied && i < 3; i++)
		names = arena_printf(g->check->arena, "%s%s%s", names, i ? ", " : "", g->denied[i]);
	if (g->ndenied)
		diag_note(g->check->diags, TAG_LEFT_OUT, g->probe->span,
			  "%u function%s that must not be trapped %s left out: %s%s", g->ndenied,
			  g->ndenied == 1 ? "" : "s", g->ndenied == 1 ? "is" : "are", names,
			  g->ndenied > 3 ? ", ..." : "");
}

/* The type behind "->"; false after an error. */
static bool find_returns(struct gather *g)
{
	struct check *c = g->check;
	struct probe *p = g->probe;
	const char *near;
	struct diag *d;

	if (!p->returns)
		return true;
	g->returns = returns_type(c->arena, c->types, p->returns);
	if (g->returns)
		return true;
	d = diag_error(c->diags, TAG_UNKNOWN_TYPE, p->span, "no type '%s'", p->returns);
	near = type_nearest(c->types, p->returns);
	diag_hint(c->diags, d, "%s%s%swhat functions return is shown by deadfall probes", near ? "did you mean '" : "",
		  near ? near : "", near ? "'? " : "");
	return false;
}

/* What of the functions found may not be trapped, or returns something else. */
static void judge_found(const struct gather *g, uint32_t errors_before)
{
	struct check *c = g->check;
	struct probe *p = g->probe;

	if (g->nothers && !p->nfuncs)
		diag_error(c->diags, TAG_UNKNOWN_FUNCTION, p->span, "no function that matches returns '%s'", p->returns);
	else if (g->nothers)
		diag_note(c->diags, TAG_LEFT_OUT, p->span, "%u function%s '%s'; %u that match%s not, and %s left out", p->nfuncs,
			  p->nfuncs == 1 ? " returns" : "s return", p->returns, g->nothers,
			  g->nothers == 1 ? "es does" : " do", g->nothers == 1 ? "is" : "are");
	else if (!p->nfuncs && errors_before == c->diags->errors)
		diag_error(c->diags, TAG_DENIED, p->span, "all functions that match must not be trapped");
}

/*
 * What BTF has not, because the compiler left out arguments (1,191 functions of Debian's 6.12): it can be probed by its name.
 * A probe whose functions have names only is not guessed at: its arguments are others.
 */
static bool hint_made(struct check *c, const struct probe *p, struct diag *d)
{
	char made[256];

	if (strpbrk(p->pattern, "|{") || !ksyms_made_of(c->kbtf, p->module, p->pattern, made, sizeof(made)))
		return false;
	diag_hint(c->diags, d, "%s '%s', which is not in BTF: name that; its arguments are arg0, arg1, ..., without those that "
		  "the compiler left out", is_glob(p->pattern) ? "it matches" : "the compiler made of it", made);
	return true;
}

/* Nothing found: an error, or a warning where the event says that this may be. */
static void nothing_found(struct check *c, struct event *ev, struct probe *p)
{
	const char *how = "if it is in a module: load it, or name it (--btf MODULE.ko), or add when: module-loads; "
			  "what the compiler inlined is no function: trap its caller";
	const char *near;
	struct diag *d;

	if (p->module && !kbtf_has_module(c->kbtf, p->module)) {
		if (ev->optional || ev->wait_module) {
			diag_warn(c->diags, TAG_UNCHECKED, p->span,
				  "module '%s' is not loaded: the event's expressions are not checked", p->module);
			return;
		}
		d = diag_error(c->diags, TAG_NO_MODULE, p->span, "module '%s' is not loaded", p->module);
		diag_hint(c->diags, d, "modprobe %s, or --btf %s.ko, or add when: module-loads", p->module,
			  p->module);
		return;
	}
	if (ev->optional || ev->wait_module) {
		diag_warn(c->diags, TAG_UNCHECKED, p->span, "no function '%s' here: the event's expressions are not checked",
			  p->pattern);
		return;
	}
	if (is_glob(p->pattern) || strpbrk(p->pattern, "|{")) {
		d = diag_error(c->diags, TAG_UNKNOWN_FUNCTION, p->span, "no function matches '%s'", p->pattern);
		if (!hint_made(c, p, d))
			diag_hint(c->diags, d, "%s", how);
		return;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_FUNCTION, p->span, "no function '%s' in this kernel%s%s", p->pattern,
		       p->module ? "'s module " : kbtf_nmodules(c->kbtf) ? " and its loaded modules" : "",
		       p->module ? p->module : "");
	if (hint_made(c, p, d))
		return;
	near = kbtf_nearest_func(c->kbtf, p->pattern);
	if (near && p->module)
		diag_hint(c->diags, d, "did you mean '%s'?", near);
	else if (near)
		diag_hint(c->diags, d, "did you mean '%s'? Else, %s", near, how);
	else if (!p->module)
		diag_hint(c->diags, d, "%s", how);
}

void probe_resolve_functions(struct check *c, struct event *ev, struct probe *p)
{
	struct gather g = { .check = c, .probe = p };
	uint32_t before = c->diags->errors;
	bool found;

	if (!find_returns(&g))
		return;
	if (*p->pattern == '{')
		found = gather_set(&g, p->pattern);
	else
		found = gather_first(&g, p->pattern);
	if (!found)
		nothing_found(c, ev, p);
	note_denied(&g);
	drop_duplicates(c, p);
	if (found)
		judge_found(&g, before);
	if (p->nfuncs >= FUNCS_MAX)
		diag_error(c->diags, TAG_LIMIT, p->span, "more than %d functions", FUNCS_MAX);
}
