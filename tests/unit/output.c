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
	size_t n = 0, left_out = 0;
	bool now, gone;
	ssize_t got;

	assert_int_equal(pipe(p), 0);
	fflush(stdout);
	dup2(p[1], STDOUT_FILENO);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 200; i++) /* a pipe holds 64 KB */
		left_out += !output_line(line, sizeof(line));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	while ((got = read(p[0], text + n, sizeof(text) - n)) > 0)
		n += (size_t)got;
	now = output_line("now\n", 4);
	got = read(p[0], line, sizeof(line));
	close(p[0]);
	gone = output_line("gone\n", 5); /* SIGPIPE is ignored by `run` */
	dup2(out, STDOUT_FILENO);
	close(out);
	close(p[1]);

	assert_true(n >= 60000 && n <= 65536);
	assert_int_equal(n % sizeof(line), 0);
	assert_int_equal(left_out + n / sizeof(line), 200);
	assert_int_equal(got, 4);
	assert_memory_equal(line, "now\n", 4);
	assert_true(now);
	assert_true(gone);
}

static void a_full_disk_is_no_reader_that_went(void **state)
{
	int out = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
	bool said;

	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	said = output_line("more\n", 5);
	dup2(out, STDOUT_FILENO);
	close(full);
	close(out);
	assert_false(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(a_full_disk_is_no_reader_that_went),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
