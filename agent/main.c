// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - the `deadfall` command: one table drives usage and dispatch.
 */
#include "agent/command.h"
#include "agent/commands.h"
#include "agent/help.h"
#include "kdump/cmd_capture.h"
#include "kdump/cmd_dumps.h"
#include "kdump/cmd_kdump.h"
#include "kdump/cmd_report.h"
#include "kdump/cmd_vmlinux.h"
#include "rules/cmd_check.h"
#include "rules/sim/cmd_simulate.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command commands[] = {
	{ "check", cmd_check, .about = "say all that is wrong with rules; load nothing" },
	{ "probes", cmd_probes, .about = "functions and tracepoints that match, with their arguments" },
	{ "simulate", cmd_simulate, .about = "what rules make of recorded or written events" },
	{ "compile", cmd_compile, .about = "rules to a BPF object that other kernels can load" },
	{ "run", cmd_run, .about = "arm rules or a compiled set, and stay" },
	{ "set", cmd_set, .about = "change parameters of a running set" },
	{ "arm", cmd_arm, .about = "let a set act that was disarmed" },
	{ "disarm", cmd_disarm, .about = "a set records on, and does nothing else" },
	{ "mark", cmd_mark, .about = "a remark in the history of all running sets" },
	{ "unload", cmd_unload, .about = "end a set's agent: detach and unload it" },
	{ "status", cmd_status, .about = "what the loaded sets have seen" },
	{ "list", cmd_list, .about = "the loaded sets" },
	{ "features", cmd_features, .about = "what this kernel has, and what is done without" },
	{ "kdump", cmd_kdump, .about = "make the next crash a dump, or say why it would not be" },
	{ "dumps", cmd_dumps, .about = "the dumps on this machine" },
	{ "report", cmd_report, .about = "what fired, and what led to it" },
	{ "vmlinux", cmd_vmlinux, .about = "a namelist for crash and drgn, from the dump alone" },
	{ "capture", cmd_capture, .about = "in the crash kernel: save what a report needs" },
	{ 0 }
};

static void usage(FILE *out)
{
	fprintf(out, "deadfall " DEADFALL_VERSION ": a trap for kernel bugs\n\nusage: deadfall COMMAND [ARGUMENT...]\n\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-9s %s\n", c->name, c->about);
	fprintf(out, "\n'deadfall help COMMAND' tells more of one.\n");
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(name, c->name))
			return c;
	}
	fprintf(stderr, "deadfall: no command '%s'; 'deadfall help' lists them\n", name);
	return NULL;
}

static int help(const char *name)
{
	if (!name)
		usage(stdout);
	else if (!find_command(name))
		return EXIT_USAGE;
	else
		help_print(name, stdout);
	return EXIT_OK;
}

/* `deadfall check --help`, `deadfall kdump setup --help` */
static bool asks_for_help(int argc, char **argv)
{
	return (argc > 2 && !strcmp(argv[2], "--help")) || (argc > 3 && !strcmp(argv[3], "--help"));
}

/* What went to a file shall be there after a crash, which may come at any moment. */
static void keep_output(void)
{
	struct stat st;

	if (!fflush(stdout) && !fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode))
		fsync(STDOUT_FILENO);
}

/* Who starts us may have closed them: what is opened next would take their place, and be written to. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *c;
	int ret;

	open_standard_files();
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return help(argv[2]);
	if (!strcmp(argv[1], "--version")) {
		puts("deadfall " DEADFALL_VERSION);
		return EXIT_OK;
	}
	c = find_command(argv[1]);
	if (!c)
		return EXIT_USAGE;
	ret = asks_for_help(argc, argv) ? help(c->name) : c->run(argc - 1, argv + 1);
	keep_output();
	return ret;
}
