// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_report.c - deadfall report: from a dump or capsule to a page. */
#include "agent/command.h"
#include "kdump/cmd_report.h"
#include "kdump/open.h"
#include "kdump/report.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define NAME "report"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML, FORMAT_PERFETTO };

static const char *const formats[] = { [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json",
				       [FORMAT_HTML] = "html", [FORMAT_PERFETTO] = "perfetto" };

struct options {
	const char *path, *output, *sysroot;
	enum format format;
	bool full;
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
		{ "rule", required_argument, NULL, 'r' },
		{ "key", required_argument, NULL, 'k' },
		{ "full", no_argument, NULL, 'F' },
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
	if (optind + 1 != argc)
		return command_usage(NAME, "needs one dump or capsule");
	o->path = argv[optind];
	return 0;
}

static int print_format(const struct options *o, const struct report *r, FILE *out, bool color, struct err *err)
{
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

static int print(const struct options *o, const struct report *r, struct err *err)
{
	_cleanup_fclose_ FILE *file = o->output ? fopen(o->output, "we") : NULL;
	FILE *out = file ? file : stdout;

	if (o->output && !file)
		return err_sys(err, errno, "%s", o->output);
	if (print_format(o, r, out, !file && isatty(STDOUT_FILENO), err))
		return -1;
	if (fflush(out) || ferror(out))
		return err_sys(err, errno, "%s", o->output ? o->output : "standard output");
	return 0;
}

int cmd_report(int argc, char **argv)
{
	struct options o = { 0 };
	struct opened dump;
	struct arena *arena;
	struct report *r;
	struct err err;
	int rc = parse(argc, argv, &o);

	if (rc)
		return rc;
	if (dump_open(o.path, &dump, &err))
		return command_fail(NAME, &err);
	arena = arena_create(NULL, NULL);
	if (!arena) {
		kernel_destroy(dump.k);
		err_nomem(&err);
		return command_fail(NAME, &err);
	}
	r = report_build_selected(dump.k, arena, &o.select, o.path, dump.format);
	if (dump.damage.code != ERR_NONE)
		gaps_add(&r->gaps, &dump.damage, "capsule");
	report_symbolize_user(r, o.sysroot);
	rc = print(&o, r, &err) ? command_fail(NAME, &err) : EXIT_OK;
	arena_destroy(arena);
	kernel_destroy(dump.k);
	return rc;
}
