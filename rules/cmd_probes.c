// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_probes.c - deadfall probes GLOB: what a rule can trap here, as its probe is written, with names and types of the
 * arguments.
 */
#include "rules/cmd_check.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/command.h"
#include "lib/arena.h"
#include "rules/deny.h"
#include "rules/kbtf.h"
#include "rules/ksyms.h"
#include "rules/probe.h"
#include "rules/tp_class.h"
#include "rules/tracefs.h"
#include "rules/type.h"

#define DATA_LOC "__data_loc_"

struct listing {
	struct arena *arena;
	struct types *types;
	const char *glob, *module;	/* module NULL: any */
	bool functions, tracepoints;	/* what of them is wanted */
	bool records;			/* tracepoints by the fields of their records ... */
	const char *category;		/* of tracepoints, maybe a glob; of which BTF knows nothing, but tracefs */
	bool categories;		/* tracefs can be read */
	struct kbtf *kbtf;
	uint32_t n, denied;
};

/*
 * GLOB alone, or as a rule writes it: KIND:[MODULE:]GLOB, tracepoint:CATEGORY:GLOB (of categories BTF knows nothing),
 * MODULE:GLOB. False: a kind whose places are not the kernel's.
 */
static bool parse_place(struct listing *l, const char *text)
{
	const char *colon = strchr(text, ':');
	const struct probe_kind_info *k = probe_kinds;

	l->functions = l->tracepoints = true;
	while (colon && k->name && (strncmp(k->name, text, (size_t)(colon - text)) || k->name[colon - text]))
		k++;
	if (colon && k->name) {
		l->functions = k->flags & PROBE_FUNCTION;
		l->tracepoints = k->flags & PROBE_TRACE;
		text = colon + 1;
		colon = strchr(text, ':');
	}
	l->records = k->name && k->flags & PROBE_RECORD;
	l->category = l->records && colon ? arena_strndup(l->arena, text, (size_t)(colon - text)) : NULL;
	if (colon && l->functions) {
		l->module = arena_strndup(l->arena, text, (size_t)(colon - text));
		l->tracepoints = false;
	}
	l->glob = colon ? colon + 1 : text;
	return l->functions || l->tracepoints;
}

static void print_params(struct listing *l, const struct kbtf_func *f, uint32_t first)
{
	const struct type *type;
	const char *name;

	putchar('(');
	for (uint32_t i = first; type_proto_param(l->types, f->btf, f->proto_id, i, &name, &type); i++)
		printf("%s%s %s", i > first ? ", " : "", type_text(l->arena, type), name ? name : "?");
	putchar(')');
}

static int list_function(const struct kbtf_func *f, void *arg)
{
	struct listing *l = arg;
	const char *reason = deny_reason(f->name);

	l->n++;
	l->denied += reason != NULL;
	if (reason) {
		printf("# %s: must not be trapped: %s\n", f->name, reason);
		return 0;
	}
	printf("kprobe:%s%s%s", f->module ? f->module : "", f->module ? ":" : "", f->name);
	print_params(l, f, 0);
	printf(" -> %s\n", type_text(l->arena, type_proto_ret(l->types, f->btf, f->proto_id)));
	return 0;
}

/* A function that is known by its symbol only, of a module without BTF or made by the compiler: its arguments have no names. */
static int list_symbol(const char *name, const char *module, void *arg)
{
	struct listing *l = arg;
	struct kbtf_func f;

	if ((!*module && !ksyms_is_made(name)) || fnmatch(l->glob, name, 0) || deny_reason(name) ||
	    kbtf_find_func(l->kbtf, *module ? module : "vmlinux", name, &f))
		return 0;
	l->n++;
	printf("kprobe:%s%s%s(arg0, arg1, ...)\n", module, *module ? ":" : "", name);
	return 0;
}

/* Fields as arg.NAME has them; those that all records begin with are ftrace's. */
static void print_fields(struct listing *l, const struct type *record)
{
	const char *separator = "";
	struct type_member m;

	putchar('(');
	for (uint32_t i = 0; type_member(l->types, record, i, &m); i++) {
		bool text = m.name && !strncmp(m.name, DATA_LOC, strlen(DATA_LOC));

		if (!m.name || !strcmp(m.name, "ent") || !strcmp(m.name, "__data"))
			continue;
		printf("%s%s %s", separator, text ? "string" : type_text(l->arena, m.type), text ? m.name + strlen(DATA_LOC) : m.name);
		separator = ", ";
	}
	puts(")");
}

/* By its record: false if it is not known which that is. */
static bool list_record(struct listing *l, const char *category, const struct kbtf_func *f)
{
	const struct type *record = tp_record(l->arena, l->types, l->kbtf, category, f);

	if (!record)
		return false;
	printf("tracepoint:%s:%s", category, f->name + strlen(TRACEITER));
	print_fields(l, record);
	return true;
}

/* The tracepoint's category; NULL if it is not one of those wanted. */
static const char *category_of(struct listing *l, const char *name)
{
	const char *event = l->categories ? tracefs_event(l->arena, l->category ?: "*", name) : NULL;

	if (event)
		return tracefs_category(l->arena, event);
	return l->categories ? NULL : l->category ?: "CATEGORY";
}

/* A tracepoint's first parameter is not ours. */
static int list_tracepoint(const struct kbtf_func *f, void *arg)
{
	struct listing *l = arg;
	const char *name = f->name + strlen(TRACEITER), *category = NULL;

	if (fnmatch(l->glob, name, 0))
		return 0;
	if (l->records)
		category = category_of(l, name);
	if (l->records && !category && l->category)
		return 0;
	l->n++;
	if (category && list_record(l, category, f))
		return 0;
	printf("rawtp:%s", name);
	print_params(l, f, 1);
	putchar('\n');
	return 0;
}

static void list_functions(struct listing *l)
{
	kbtf_each_func(l->kbtf, l->module, l->glob, list_function, l);
	ksyms_each(l->kbtf, l->module, list_symbol, l);
}

static void nothing_found(struct kbtf *kbtf, const struct listing *l, const char *place)
{
	const char *near = l->functions ? kbtf_nearest_func(kbtf, l->glob) : NULL;

	fprintf(stderr, "deadfall probes: nothing matches '%s'%s%s%s\n", place, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
}

/* Where the category that was asked for has not chosen. */
static void note_categories(const struct listing *l)
{
	if (!l->n || !l->category || l->categories || !strpbrk(l->glob, "*?["))
		return;
	fflush(stdout);
	fprintf(stderr, "deadfall probes: note: all of that name, whatever their category: that is not in BTF, but in "
			"tracefs (root, on that kernel)\n");
}

static int list(const char *place, const char *const btf[], int nbtf)
{
	struct listing l = { 0 };
	struct kbtf *kbtf;
	struct err err;

	if (kbtf_open_all(btf, nbtf, &kbtf, &err))
		return command_fail("probes", &err);
	l.kbtf = kbtf;
	l.arena = arena_create(NULL, NULL);
	l.types = l.arena ? types_create(l.arena, kbtf) : NULL;
	if (l.types && !parse_place(&l, place)) {
		fprintf(stderr, "deadfall probes: '%s': of functions and tracepoints of the kernel only\n", place);
	} else if (l.types) {
		l.categories = l.records && kbtf_is_running(kbtf) && tracefs_event(l.arena, "*", "*");
		if (l.tracepoints)
			kbtf_each_func(kbtf, NULL, TRACEITER "*", list_tracepoint, &l);
		if (l.functions)
			list_functions(&l);
		if (!l.n)
			nothing_found(kbtf, &l, place);
		note_categories(&l);
	}
	arena_destroy(l.arena);
	kbtf_close(kbtf);
	return l.n ? EXIT_OK : EXIT_RULE;
}

int cmd_probes(int argc, char **argv)
{
	static const struct option longs[] = { { "btf", required_argument, NULL, 'b' }, { 0 } };
	const char *btf[16];
	int nbtf = 0, opt;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt != 'b')
			return command_usage("probes", "no option '%s', or its argument is missing", argv[optind - 1]);
		if (nbtf == 16)
			return command_usage("probes", "more than 16 --btf");
		btf[nbtf++] = optarg;
	}
	if (optind + 1 != argc)
		return command_usage("probes", "one glob is expected, such as 'vfs_*'");
	return list(argv[optind], btf, nbtf);
}
