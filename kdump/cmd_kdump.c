// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_kdump.c - see cmd_kdump.h. */
#include "kdump/cmd_kdump.h"

#include "agent/command.h"
#include "kdump/setup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmd_setup(int argc, char **argv)
{
	enum { OPT_POWEROFF = 256, OPT_REBOOT, OPT_CAPSULE_ONLY };
	static const struct option options[] = {
		{ "target", required_argument, NULL, 't' },	  { "kernel", required_argument, NULL, 'k' },
		{ "level", required_argument, NULL, 'l' },	  { "output", required_argument, NULL, 'o' },
		{ "print", no_argument, NULL, 'p' },		  { "quiet", no_argument, NULL, 'q' },
		{ "poweroff", no_argument, NULL, OPT_POWEROFF },  { "reboot", no_argument, NULL, OPT_REBOOT },
		{ "capsule-only", no_argument, NULL, OPT_CAPSULE_ONLY },
		{ 0 }
	};
	struct setup_options o = { .level = -1 };
	struct err err;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "t:k:l:o:pq", options, NULL)) != -1) {
		switch (c) {
		case 't': o.target = optarg; break;
		case 'k': o.kernel = optarg; break;
		case 'o': o.output = optarg; break;
		case 'p': o.print = true; break;
		case 'q': o.quiet = true; break;
		case OPT_POWEROFF: o.final = FINAL_POWEROFF; break;
		case OPT_REBOOT: o.final = FINAL_REBOOT; break;
		case OPT_CAPSULE_ONLY: o.capsule_only = true; break;
		case 'l':
			o.level = (int)strtol(optarg, &end, 10);
			if (end == optarg || *end || o.level < 0 || o.level > 31)
				return command_usage("kdump setup", "--level is makedumpfile's, 0 to 31, not '%s'", optarg);
			break;
		default:
			return command_usage("kdump setup", "unknown option");
		}
	}
	if (optind < argc)
		return command_usage("kdump setup", "unexpected argument '%s'", argv[optind]);
	return kdump_setup(&o, &err) ? command_fail("kdump setup", &err) : EXIT_OK;
}

static const struct command subcommands[] = {
	{ "setup", cmd_setup, "[--target DIR] [--level N] [--poweroff] [--capsule-only] [--print]",
	  "build the crash initramfs and load the crash kernel" },
	{ 0 }
};

int cmd_kdump(int argc, char **argv)
{
	if (argc < 2)
		return command_usage("kdump", "which of setup, status, doctor?");
	for (const struct command *c = subcommands; c->name; c++) {
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	}
	return command_usage("kdump", "no subcommand '%s'", argv[1]);
}
