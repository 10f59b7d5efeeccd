// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - the `deadfall` command: one table drives usage and dispatch.
 */
#include "agent/command.h"
#include "agent/commands.h"
#include "kdump/cmd_capture.h"
#include "kdump/cmd_dumps.h"
#include "kdump/cmd_kdump.h"
#include "kdump/cmd_report.h"
#include "kdump/cmd_vmlinux.h"
#include "rules/cmd_check.h"
#include "rules/sim/cmd_simulate.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "check", cmd_check, "FILE... [--btf FILE]... [--json] [--emit STAGE]",
	  "say all that is wrong with rules; load nothing" },
	{ "probes", cmd_probes, "GLOB [--btf FILE]", "functions and tracepoints that match, with their arguments" },
	{ "simulate", cmd_simulate, "FILE... EVENTS [--btf FILE]... [--set P=V] [--json]",
	  "what rules make of recorded or written events" },
	{ "compile", cmd_compile, "FILE... -o OBJECT [--btf FILE]", "rules to a BPF object that other kernels can load" },
	{ "run", cmd_run, "FILE... [--dry-run|--disarmed] [--force] [--set P=V] [--brake %]", "arm rules or a compiled set, and stay" },
	{ "set", cmd_set, "[SET] P=V...", "change parameters of a running set" },
	{ "arm", cmd_arm, "[SET] [--force]", "let a set act that was disarmed" },
	{ "disarm", cmd_disarm, "[SET]", "a set records on, and does nothing else" },
	{ "mark", cmd_mark, "TEXT", "a remark in the history of all running sets" },
	{ "unload", cmd_unload, "[SET]", "end a set's agent: detach and unload it" },
	{ "status", cmd_status, "[--json]", "what the loaded sets have seen" },
	{ "list", cmd_list, "[--json]", "the loaded sets" },
	{ "features", cmd_features, "[--json]", "what this kernel has, and what is done without" },
	{ "kdump", cmd_kdump, "setup|doctor|status|test|forget", "make the next crash a dump, or say why it would not be" },
	{ "dumps", cmd_dumps, "[list|show|delete|prune] [--dir DIR] [--json]", "the dumps on this machine" },
	{ "report", cmd_report, "DUMP|CAPSULE [--format text|json|html|perfetto]", "what fired, and what led to it" },
	{ "vmlinux", cmd_vmlinux, "VMCORE -o FILE", "a namelist for crash and drgn, from the dump alone" },
	{ "capture", cmd_capture, "VMCORE --capsule FILE", "in the crash kernel: save what a report needs" },
	{ 0 }
};

static void usage(FILE *out)
{
	fprintf(out, "deadfall " DEADFALL_VERSION ": a trap for kernel bugs\n\nusage: deadfall COMMAND [ARGUMENT...]\n\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-9s %-44s %s\n", c->name, c->args, c->about);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("deadfall " DEADFALL_VERSION);
		return EXIT_OK;
	}
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "deadfall: no command '%s'; 'deadfall help' lists them\n", argv[1]);
	return EXIT_USAGE;
}
