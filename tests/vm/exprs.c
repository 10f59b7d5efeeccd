// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exprs.c - what the rules of exprs.sh look at: a process of a known name that reads a file of a known name at a known
 * offset, with flags, sizes and user memory that the rules know.
 *
 * usage: exprs TIMES
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/deadfall-expressions.txt"

int main(int argc, char **argv)
{
	static char text[4096] = "user text of this process, longer than a short literal";
	int n = argc > 1 ? atoi(argv[1]) : 1, fd;

	prctl(PR_SET_NAME, "df-exprs");
	if (fork()) {
		wait(NULL);
		return 0;
	}
	prctl(PR_SET_NAME, "df-child");
	fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0640);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
		return 1;
	for (int i = 0; i < n; i++) {
		/* count is 77 at vfs_read, the offset 100; the buffer holds the text */
		lseek(fd, 100, SEEK_SET);
		memcpy(text, "user text of this process, longer than a short literal", 55);
		if (read(fd, text, 77) != 77)
			return 1;
	}
	close(fd);
	return 0;
}
