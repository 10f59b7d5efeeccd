// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_report.c - deadfall report: from a dump or capsule to a page. */
#include "agent/command.h"
#include "kdump/cmd_report.h"
#include "kdump/isolate.h"
#include "kdump/open.h"
#include "kdump/report_diff.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <string.h>

#define NAME "report"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML, FORMAT_PERFETTO };

static const char *const formats[] = { [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json",
				       [FORMAT_HTML] = "html", [FORMAT_PERFETTO] = "perfetto" };

struct options {
	const char *path, *other, *output, *sysroot;	/* other: to compare with, or NULL */
	enum format format;
	bool full, diff;
	struct set_select select;
};

static int parse_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(name, formats[i]))
			return (int)i;
	return -1;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "all", no_argument, NULL, 'a' },
		{ "key", required_argument, NULL, 'k' },
		{ "full", no_argument, NULL, 'F' },
		{ "rule", required_argument, NULL, 'r' },
		{ "diff", no_argument, NULL, 'd' },
		{ "sysroot", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'o' },
		{ 0 },
	};
	int c, format;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "f:o:", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			format = parse_format(optarg);
			if (format < 0)
				return command_usage(NAME, "no format '%s': text, json, html or perfetto", optarg);
			o->format = (enum format)format;
			break;
		case 'a':
			o->select.which = SELECT_ALL;
			break;
		case 'k':
			if (!report_parse_key(optarg, &o->select))
				return command_usage(NAME, "no key '%s': numbers, separated by commas", optarg);
			break;
		case 'd':
			o->diff = true;
			break;
		case 'r':
			o->select.rule = optarg;
			break;
		case 'F':
			o->full = true;
			break;
		case 's':
			o->sysroot = optarg;
			break;
		case 'o':
			o->output = optarg;
			break;
		default:
			return command_usage(NAME, "unknown option or missing value: %s", argv[optind - 1]);
		}
	}
	if (optind + 1 + o->diff != argc)
		return command_usage(NAME, o->diff ? "--diff needs two dumps or capsules" : "needs one dump or capsule");
	if (o->diff && o->format > FORMAT_JSON)
		return command_usage(NAME, "--diff prints text or json");
	o->path = argv[optind];
	o->other = o->diff ? argv[optind + 1] : NULL;
	return 0;
}

static int print_format(const struct options *o, const struct report *r, const struct report_diff *d, FILE *out,
			bool color, struct err *err)
{
	if (d && o->format == FORMAT_JSON)
		return report_diff_print_json(d, out, err);
	if (d) {
		report_diff_print_text(d, out, color);
		return 0;
	}
	switch (o->format) {
	case FORMAT_JSON:
		return report_print_json(r, out, err);
	case FORMAT_HTML:
		return report_print_html(r, out, err);
	case FORMAT_PERFETTO:
		return report_print_perfetto(r, out, err);
	default:
		report_print_text(r, out, color, o->full);
		return 0;
	}
}

static int print(const struct options *o, const struct report *r, const struct report_diff *d, struct err *err)
{
	_cleanup_fclose_ FILE *file = o->output ? fopen(o->output, "we") : NULL;
	FILE *out = file ? file : stdout;

	if (o->output && !file)
		return err_sys(err, errno, "%s", o->output);
	if (print_format(o, r, d, out, !file && isatty(STDOUT_FILENO), err))
		return -1;
	if (fflush(out) || ferror(out))
		return err_sys(err, errno, "%s", o->output ? o->output : "standard output");
	return 0;
}

/* Was a rule of the name that was asked for there? */
static int find_rule(const struct report *r, struct err *err)
{
	const char *all = NULL;

	if (!r->asked || !r->sets_known)
		return 0;
	for (size_t i = 0; i < r->nrules; i++) {
		if (!strcmp(r->rules[i].name, r->asked))
			return 0;
		all = all ? arena_printf(r->arena, "%s, %s", all, r->rules[i].name) : r->rules[i].name;
	}
	return err_set(err, ERR_ABSENT, "no rule '%s' was loaded; there were: %s", r->asked, all ? all : "none");
}

/* The report of one file; NULL: *err. The kernel is the caller's to destroy. */
static struct report *read_report(const struct options *o, const char *path, struct arena *arena, struct kernel **k,
				  struct err *err)
{
	struct opened dump;
	struct report *r;

	if (dump_open(path, &dump, err))
		return NULL;
	*k = dump.k;
	r = report_build_selected(dump.k, arena, &o->select, path, dump.format);
	if (dump.damage.code != ERR_NONE)
		gaps_add(&r->gaps, &dump.damage, "capsule");
	report_symbolize_user(r, o->sysroot);
	return find_rule(r, err) ? NULL : r;
}

static int report(const struct options *o, struct arena *arena, struct kernel *k[2], struct err *err)
{
	struct report *a = read_report(o, o->path, arena, &k[0], err), *b = NULL;

	if (a && o->other)
		b = read_report(o, o->other, arena, &k[1], err);
	if (!a || (o->other && !b))
		return -1;
	return print(o, a, b ? report_diff(a, b) : NULL, err);
}

/* When memory runs out, reports end here. */
static jmp_buf no_memory;

static void on_no_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

static int run(void *arg)
{
	static struct kernel *k[2];	/* as after a longjmp they must be */
	const struct options *o = arg;
	struct arena *arena;
	struct err err;
	int rc;

	arena = arena_create(on_no_memory, &no_memory);
	if (!arena) {
		err_nomem(&err);
		return command_fail(NAME, &err);
	}
	if (setjmp(no_memory))
		rc = err_nomem(&err);
	else
		rc = report(o, arena, k, &err);
	kernel_destroy(k[0]);
	kernel_destroy(k[1]);
	arena_destroy(arena);
	return rc ? command_fail(NAME, &err) : EXIT_OK;
}

int cmd_report(int argc, char **argv)
{
	static struct options o;
	int rc = parse(argc, argv, &o);

	if (rc)
		return rc;
	if (o.output && (dump_is_file(o.path, o.output) || (o.other && dump_is_file(o.other, o.output))))
		return command_usage(NAME, "'%s' is the dump: the report would overwrite it", o.output);
	return isolate(NAME, run, &o);
}
