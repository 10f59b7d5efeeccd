// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_vmlinux.c - deadfall vmlinux: a namelist for crash and drgn from the dump alone. */
#include "agent/command.h"
#include "kdump/cmd_vmlinux.h"
#include "kdump/open.h"
#include "kdump/vmlinux.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>

#define NAME "vmlinux"

int cmd_vmlinux(int argc, char **argv)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' }, { 0 } };
	struct vmlinux_stats stats = { 0 };
	_cleanup_close_ int fd = -1;
	const char *output = NULL;
	struct opened dump;
	struct err err;
	int c, rc;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c != 'o')
			return command_usage(NAME, "unknown option or missing value: %s", argv[optind - 1]);
		output = optarg;
	}
	if (optind + 1 != argc || !output)
		return command_usage(NAME, "needs a dump and -o FILE");
	if (dump_open(argv[optind], &dump, &err))
		return command_fail(NAME, &err);
	fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		rc = err_sys(&err, errno, "%s", output);
	else
		rc = vmlinux_write(dump.k, fd, &stats, &err);
	kernel_destroy(dump.k);
	if (rc)
		return command_fail(NAME, &err);
	printf("%s: %zu symbols, %zu types, %zu globals (%zu left out: their types are not known)\n", output,
	       stats.symbols, stats.types, stats.globals, stats.left_out);
	return EXIT_OK;
}
