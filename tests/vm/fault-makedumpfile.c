// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fault-makedumpfile - stands in for makedumpfile in the crash kernel and fails in the way it was compiled for
 * (-DFAULT=...), after it has written some of the dump.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAIL = 1, KILLED, HANG, CRASH, GARBAGE, SLOW };

/* path: NULL for stdout. */
static void write_some(const char *path)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : 1;
	static char page[4096];

	memset(page, 'x', sizeof(page));
	memcpy(page, FAULT == SLOW ? "KDUMP   " : "xxxxxxxx", 8);
	for (int i = 0; i < 512 && fd >= 0; i++) {
		if (write(fd, page, sizeof(page)) < 0)
			perror("write");
	}
	close(fd);
}

int main(int argc, char **argv)
{
	int fd, flat;

	if (argc > 1 && !strcmp(argv[1], "-v")) {
		puts("makedumpfile: version 1.7.2 (released on 20 Oct 2022)\nlzo\tenabled");
		return 0;
	}
	flat = argc > 4 && !strcmp(argv[1], "-F");
	if (argc < 4 || strcmp(argv[1 + flat], "--message-level"))
		return 1;
	write_some(flat ? NULL : argv[argc - 1]);
	switch (FAULT) {
	case FAIL:
		fputs("readpage_elf: Attempt to read non-existent page at 0x0.\nmakedumpfile Failed.\n", stderr);
		return 1;
	case KILLED:
		raise(SIGKILL);
		break;
	case HANG:
		for (;;)
			pause();
	case CRASH:
		sync();
		fd = open("/proc/sysrq-trigger", O_WRONLY);
		if (write(fd, "c", 1) != 1)
			return 1;
		break;
	case SLOW:
		sleep(25);
		break;
	}
	return 0;
}
