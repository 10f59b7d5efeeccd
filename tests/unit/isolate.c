// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/isolate.c: what a reader's death does to its command. */
#include "tests/unit/test.h"

#include "agent/command.h"
#include "kdump/isolate.h"

#include <stdlib.h>
#include <unistd.h>

#include <sys/wait.h>

static int succeeds(void *arg)
{
	*(int *)arg = 1;	/* not here: in the other process */
	return EXIT_OK;
}

static int is_refused(void *arg)
{
	return EXIT_USAGE;
}

static int dies(void *arg)
{
	raise(*(int *)arg);
	return EXIT_OK;
}

static void what_it_returns(void **state)
{
	int touched = 0, sig = SIGABRT, killed = SIGKILL;

	assert_int_equal(isolate("test", succeeds, &touched), EXIT_OK);
	assert_int_equal(touched, 0);
	assert_int_equal(isolate("test", is_refused, NULL), EXIT_USAGE);
	assert_int_equal(isolate("test", dies, &sig), EXIT_RULE);
	assert_int_equal(isolate("test", dies, &killed), EXIT_ENVIRONMENT);
}

/* ^C and the like end the command as well. */
static void other_signals_go_on(void **state)
{
	int sig = SIGTERM, status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(isolate("test", dies, &sig));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_returns),
		cmocka_unit_test(other_signals_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
