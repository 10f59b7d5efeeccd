// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * many.c - reads and writes of 1, 2, 3 ... N bytes: one for each rule of tests/soak/many.sh.
 *
 * usage: many N
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buf[65536];
	int n = argc > 1 ? atoi(argv[1]) : 1, from = open("/dev/zero", O_RDONLY), to = open("/dev/null", O_WRONLY);

	prctl(PR_SET_NAME, "df-many");
	for (int i = 1; i <= n; i++) {
		if ((i % 2 ? read(from, buf, (size_t)i) : write(to, buf, (size_t)i)) != i)
			return 1;
	}
	return 0;
}
