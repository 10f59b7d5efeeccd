// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_kdump_setup.c - deadfall kdump setup: its options. */
#include "kdump/cmd_kdump_setup.h"

#include "agent/command.h"
#include "kdump/setup.h"
#include "kdump/size.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME "kdump setup"

enum {
	OPT_POWEROFF = 256, OPT_REBOOT, OPT_CAPSULE_ONLY, OPT_LIMIT, OPT_SSH_KEY, OPT_OVERWRITE, OPT_REDACT, OPT_MAX_DUMPS,
	OPT_MAX_SIZE, OPT_BESIDE, OPT_REPLACE,
};

static const struct option options[] = {
	{ "target", required_argument, NULL, 't' },
	{ "kernel", required_argument, NULL, 'k' },
	{ "level", required_argument, NULL, 'l' },
	{ "output", required_argument, NULL, 'o' },
	{ "print", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "poweroff", no_argument, NULL, OPT_POWEROFF },
	{ "reboot", no_argument, NULL, OPT_REBOOT },
	{ "capsule-only", no_argument, NULL, OPT_CAPSULE_ONLY },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "ssh-key", required_argument, NULL, OPT_SSH_KEY },
	{ "overwrite", no_argument, NULL, OPT_OVERWRITE },
	{ "redact", no_argument, NULL, OPT_REDACT },
	{ "max-dumps", required_argument, NULL, OPT_MAX_DUMPS },
	{ "max-size", required_argument, NULL, OPT_MAX_SIZE },
	{ "beside", no_argument, NULL, OPT_BESIDE },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	{ 0 }
};

static bool number(const char *text, long min, long max, long *ret)
{
	char *end;

	*ret = strtol(text, &end, 10);
	return end != text && !*end && *ret >= min && *ret <= max;
}

/* Options with a value; an exit code, or -1 to go on. */
static int take_value(struct setup_options *o, int option, const char *value)
{
	unsigned int limits = 0;
	long n;

	switch (option) {
	case 't':
		if (o->target_count == PLAN_TARGETS_MAX)
			return command_usage(NAME, "more than %d targets", PLAN_TARGETS_MAX);
		o->targets[o->target_count++] = value;
		break;
	case 'k': o->kernel = value; break;
	case 'o': o->output = value; break;
	case 'l':
		if (!number(value, 0, 31, &n))
			return command_usage(NAME, "--level is makedumpfile's, 0 to 31, not '%s'", value);
		o->level = (int)n;
		break;
	case OPT_SSH_KEY: o->ssh_key = value; break;
	case OPT_LIMIT:
		while (limits < STEP_COUNT && o->limits[limits])
			limits++;
		if (limits == STEP_COUNT)
			return command_usage(NAME, "more than one --limit for a step");
		o->limits[limits] = value;
		break;
	case OPT_MAX_DUMPS:
		if (!number(value, 1, 1000000, &n))
			return command_usage(NAME, "--max-dumps '%s' is no number", value);
		o->max_dumps = n;
		break;
	case OPT_MAX_SIZE:
		if (!size_parse(value, &o->max_bytes))
			return command_usage(NAME, "--max-size '%s' is no size (500M, 20G)", value);
		break;
	}
	return -1;
}

int cmd_kdump_setup(int argc, char **argv)
{
	struct setup_options o = { .level = -1 };
	struct err err;
	int c, ret;

	while ((c = getopt_long(argc, argv, "t:k:l:o:pq", options, NULL)) != -1) {
		switch (c) {
		case 'p': o.print = true; break;
		case 'q': o.quiet = true; break;
		case OPT_POWEROFF: o.final = FINAL_POWEROFF; break;
		case OPT_REBOOT: o.final = FINAL_REBOOT; break;
		case OPT_CAPSULE_ONLY: o.capsule_only = true; break;
		case OPT_OVERWRITE: o.overwrite = true; break;
		case OPT_REDACT: o.redact = true; break;
		case OPT_BESIDE: o.beside = true; break;
		case OPT_REPLACE: o.replace = true; break;
		case '?': return command_usage(NAME, "unknown option, or a value is missing");
		default:
			ret = take_value(&o, c, optarg);
			if (ret >= 0)
				return ret;
		}
	}
	if (optind < argc)
		return command_usage(NAME, "unexpected argument '%s'", argv[optind]);
	if (o.beside && (o.target_count || o.kernel || o.output || o.ssh_key || o.print || o.final != FINAL_REBOOT || o.capsule_only ||
			 o.redact || o.overwrite || o.replace))
		return command_usage(NAME, "with --beside kdump-tools decides where and how dumps are made; it goes with --level, --limit, "
				     "--max-dumps, --max-size and --quiet");
	return kdump_setup(&o, &err) ? command_fail(NAME, &err) : EXIT_OK;
}
