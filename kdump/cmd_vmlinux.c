// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_vmlinux.c - deadfall vmlinux: a namelist for crash and drgn from the dump alone. */
#include "agent/command.h"
#include "kdump/cmd_vmlinux.h"
#include "kdump/isolate.h"
#include "kdump/open.h"
#include "kdump/vmlinux.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>

#define NAME "vmlinux"

struct options {
	const char *path, *output;
};

static int run(void *arg)
{
	const struct options *o = arg;
	struct vmlinux_stats stats = { 0 };
	_cleanup_close_ int fd = -1;
	struct opened dump;
	struct err err;
	int rc;

	if (dump_open(o->path, &dump, &err))
		return command_fail(NAME, &err);
	fd = open(o->output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		rc = err_sys(&err, errno, "%s", o->output);
	else
		rc = vmlinux_write(dump.k, fd, &stats, &err);
	kernel_destroy(dump.k);
	if (rc)
		return command_fail(NAME, &err);
	printf("%s: %zu symbols, %zu types, %zu globals (%zu left out: their types are not known)\n", o->output,
	       stats.symbols, stats.types, stats.globals, stats.left_out);
	if (stats.modules_left_out)
		printf("the types of %zu modules cannot be read\n", stats.modules_left_out);
	return EXIT_OK;
}

int cmd_vmlinux(int argc, char **argv)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' }, { 0 } };
	struct options o = { 0 };
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c != 'o')
			return command_usage(NAME, "unknown option or missing value: %s", argv[optind - 1]);
		o.output = optarg;
	}
	if (optind + 1 != argc || !o.output)
		return command_usage(NAME, "needs a dump and -o FILE");
	o.path = argv[optind];
	if (dump_is_file(o.path, o.output))
		return command_usage(NAME, "'%s' is the dump: it would be overwritten", o.output);
	return isolate(NAME, run, &o);
}
