// SPDX-License-Identifier: GPL-2.0-or-later
/* agent/output.c: a reader that does not read holds nobody up, and hears of what it missed. */
#include "tests/unit/test.h"

#include "agent/output.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void nobody_reads(void **state)
{
	int out = dup(STDOUT_FILENO), p[2];
	static char text[1 << 17], line[1000];
	uint64_t left_out;
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(p), 0);
	fflush(stdout);
	dup2(p[1], STDOUT_FILENO);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 200; i++) /* a pipe holds 64 KB */
		output_line(line, sizeof(line));
	left_out = output_left_out();
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	while ((got = read(p[0], text + n, sizeof(text) - n)) > 0)
		n += (size_t)got;
	if (!left_out)
		left_out = output_left_out();
	output_line("now\n", 4);
	got = read(p[0], line, sizeof(line));
	close(p[0]);
	output_line("gone\n", 5); /* SIGPIPE is ignored by `run` */
	dup2(out, STDOUT_FILENO);
	close(out);
	close(p[1]);

	assert_true(n >= 60000 && n <= 65536);
	assert_int_equal(n % sizeof(line), 0);
	assert_int_equal(left_out + n / sizeof(line), 200);
	assert_int_equal(got, 4);
	assert_memory_equal(line, "now\n", 4);
	assert_int_equal(output_left_out(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_reads),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
