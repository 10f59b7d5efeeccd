// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_dumps.c - see cmd_dumps.h. */
#include "kdump/cmd_dumps.h"

#include "agent/command.h"
#include "kdump/dumps.h"
#include "kdump/raw.h"
#include "kdump/signature.h"
#include "kdump/size.h"
#include "kdump/state.h"
#include "kdump/target.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
	const char *places;	/* directories and raw devices, newlines between them */
	const char *to;
	bool json, dry_run;
	size_t max_dumps;
	long long max_bytes;
};

static void size_text(long long bytes, char *out, size_t size)
{
	if (!bytes)
		snprintf(out, size, "-");
	else if (bytes < 10000)
		snprintf(out, size, "%lld B", bytes);
	else if (bytes < 10000000)
		snprintf(out, size, "%lld kB", bytes / 1000);
	else
		snprintf(out, size, "%lld MB", bytes / 1000000);
}

/* The places for a message. */
static const char *places_text(const struct options *o)
{
	static char text[4200];

	snprintf(text, sizeof(text), "%s", o->places);
	for (char *p = text; *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	return text;
}

static json_t *dump_json(const struct dump *d)
{
	char signature[SIGNATURE_SIZE];
	json_t *j;

	signature_of_dump(d, signature, sizeof(signature));
	j = json_pack("{ss ss ss? ss ss sI sI sI sI}", "name", d->name, "dir", d->dir, "rule", *d->rule ? d->rule : NULL, "result", d->result,
		      "kernel", d->kernel, "time_unix", (json_int_t)d->time, "bytes", (json_int_t)d->bytes, "vmcore_bytes",
		      (json_int_t)d->vmcore_bytes, "capsule_bytes", (json_int_t)d->capsule_bytes);
	if (j)
		json_object_set_new(j, "signature", *signature ? json_string(signature) : json_null());
	if (j && *d->vmcore)
		json_object_set_new(j, "vmcore", json_string(d->vmcore));
	if (j && *d->problem)
		json_object_set_new(j, "problem", json_string(d->problem));
	return j;
}

static int print_json(json_t *j)
{
	char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;

	json_decref(j);
	if (!text)
		return EXIT_ENVIRONMENT;
	puts(text);
	free(text);
	return EXIT_OK;
}

static int list(const struct options *o, const struct dump_list *l, int argc, char **argv)
{
	json_t *all = json_array();

	(void)argv;
	if (argc)
		return command_usage("dumps list", "unexpected argument");
	if (o->json) {
		for (size_t i = 0; i < l->count; i++)
			json_array_append_new(all, dump_json(&l->dumps[i]));
		return print_json(all);
	}
	json_decref(all);
	if (!l->count)
		printf("no dumps in %s\n", places_text(o));
	for (size_t i = 0; i < l->count; i++) {
		const struct dump *d = &l->dumps[i];
		char vmcore[32], capsule[32], signature[SIGNATURE_SIZE];

		size_text(d->vmcore_bytes, vmcore, sizeof(vmcore));
		size_text(d->capsule_bytes, capsule, sizeof(capsule));
		signature_of_dump(d, signature, sizeof(signature));
		printf("%-48s %-8s vmcore %-7s capsule %-7s %.16s\n", d->name, d->result, vmcore, capsule, signature);
		if (*d->problem)
			printf("    %s\n", d->problem);
	}
	return EXIT_OK;
}

static int show(const struct options *o, const struct dump_list *l, int argc, char **argv)
{
	const struct dump *d = argc == 1 ? dumps_find(l, argv[0]) : NULL;
	char text[64], when[40], signature[SIGNATURE_SIZE];
	time_t t;
	struct tm tm;

	if (argc != 1)
		return command_usage("dumps show", "name one dump");
	if (!d) {
		fprintf(stderr, "deadfall dumps: no dump '%s' in %s, or several begin so\n", argv[0], places_text(o));
		return EXIT_RULE;
	}
	if (o->json)
		return print_json(dump_json(d));
	t = (time_t)d->time;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
	signature_of_dump(d, signature, sizeof(signature));
	printf("dump       %s/%s\n", d->dir, d->name);
	printf("rule       %s\n", *d->rule ? d->rule : d->rule_unknown ? "not known: the capsule failed" : "none fired");
	printf("crashed    %s\nkernel     %s\nresult     %s\n", when, d->kernel, d->result);
	if (*d->problem)
		printf("problem    %s\n", d->problem);
	size_text(d->vmcore_bytes, text, sizeof(text));
	printf("vmcore     %s%s%s\n", text, *d->vmcore ? "  " : "", d->vmcore);
	size_text(d->capsule_bytes, text, sizeof(text));
	printf("capsule    %s\n", text);
	if (*signature)
		printf("signature  %s\n", signature);
	return EXIT_OK;
}

static int delete_one(const struct options *o, const struct dump *d)
{
	struct err err;

	if (!o->dry_run && dumps_delete(d->dir, d, &err))
		return command_fail("dumps delete", &err);
	printf("%s %s\n", o->dry_run ? "would delete" : "deleted", d->name);
	return EXIT_OK;
}

static int delete(const struct options *o, const struct dump_list *l, int argc, char **argv)
{
	int ret = EXIT_OK;

	if (!argc)
		return command_usage("dumps delete", "name the dumps to delete");
	for (int i = 0; i < argc; i++) {
		const struct dump *d = dumps_find(l, argv[i]);

		if (!d)
			fprintf(stderr, "deadfall dumps: no dump '%s' in %s, or several begin so\n", argv[i], places_text(o));
		if (!d || delete_one(o, d))
			ret = EXIT_RULE;
	}
	return ret;
}

static int extract(const struct options *o, const struct dump_list *l, int argc, char **argv)
{
	int ret = EXIT_OK;
	struct err err;

	if (!argc)
		return command_usage("dumps extract", "name the dumps that are to be copied from their device (--to DIR)");
	for (int i = 0; i < argc; i++) {
		const struct dump *d = dumps_find(l, argv[i]);

		if (!d || !raw_is(d->dir)) {
			fprintf(stderr, "deadfall dumps: no dump '%s' on a raw device in %s, or several begin so\n", argv[i], places_text(o));
			ret = EXIT_RULE;
		} else if (dumps_raw_extract(d, o->to, &err)) {
			ret = command_fail("dumps extract", &err);
		} else {
			printf("%s/%s\n", o->to, d->name);
		}
	}
	return ret;
}

static int prune(const struct options *o, const struct dump_list *l, int argc, char **argv)
{
	bool *doomed = calloc(l->count + 1, sizeof(*doomed));
	int ret = EXIT_OK;

	(void)argv;
	if (argc || (!o->max_dumps && !o->max_bytes)) {
		free(doomed);
		return command_usage("dumps prune", "say --max-dumps N or --max-size SIZE");
	}
	if (!doomed)
		return EXIT_ENVIRONMENT;
	dumps_choose(l, o->max_dumps, o->max_bytes, doomed);
	for (size_t i = 0; i < l->count; i++) {
		if (doomed[i] && delete_one(o, &l->dumps[i]))
			ret = EXIT_ENVIRONMENT;
	}
	free(doomed);
	return ret;
}

static const struct {
	const char *name;
	int (*run)(const struct options *o, const struct dump_list *l, int argc, char **argv);
} subcommands[] = {
	{ "list", list }, { "show", show }, { "delete", delete }, { "extract", extract }, { "prune", prune },
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' }, { "json", no_argument, NULL, 'j' },
		{ "max-dumps", required_argument, NULL, 'n' }, { "max-size", required_argument, NULL, 's' },
		{ "dry-run", no_argument, NULL, 'r' }, { "to", required_argument, NULL, 't' }, { 0 }
	};
	long long n;
	int c;

	while ((c = getopt_long(argc, argv, "d:jn:s:", options, NULL)) != -1) {
		switch (c) {
		case 'd': o->places = optarg; break;
		case 't': o->to = optarg; break;
		case 'j': o->json = true; break;
		case 'r': o->dry_run = true; break;
		case 'n':
			if (!size_parse(optarg, &n))
				return command_usage("dumps", "--max-dumps '%s' is no number", optarg);
			o->max_dumps = (size_t)n;
			break;
		case 's':
			if (!size_parse(optarg, &o->max_bytes))
				return command_usage("dumps", "--max-size '%s' is no size (500M, 20G)", optarg);
			break;
		default: return command_usage("dumps", "unknown option");
		}
	}
	return -1;
}

int cmd_dumps(int argc, char **argv)
{
	static char places[4200];
	struct options o = { .places = places, .to = TARGET_DEFAULT };
	struct dump_list l;
	const char *what = "list";
	struct err err;
	int ret;

	state_places_now(places, sizeof(places));
	ret = parse(argc, argv, &o);
	if (ret >= 0)
		return ret;
	if (optind < argc)
		what = argv[optind++];
	if (dumps_scan_all(o.places, &l, &err))
		return command_fail("dumps", &err);
	ret = -1;
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (!strcmp(what, subcommands[i].name))
			ret = subcommands[i].run(&o, &l, argc - optind, argv + optind);
	}
	dumps_free(&l);
	return ret >= 0 ? ret : command_usage("dumps", "no subcommand '%s': list, show, delete, extract, prune", what);
}
