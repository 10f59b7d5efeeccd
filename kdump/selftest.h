/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selftest.h - `deadfall kdump test`: a real crash on purpose, through a rule, judged after the reboot.
 *
 * All checks of the doctor are reasons to believe; only a crash proves. The test notes in
 * /var/lib/deadfall/kdump-test.json that it is about to crash the machine and how kdump is set up, arms a rule that
 * only the test itself can meet, and meets it. In the next boot whoever asks for the verdict first settles it: passed
 * if there is a complete dump of that rule. The verdict holds as long as kernel and set-up are those of the test.
 */
#ifndef KDUMP_SELFTEST_H
#define KDUMP_SELFTEST_H

#include "kdump/state.h"
#include "lib/err.h"

#include <stdbool.h>

#define SELFTEST_PATH "/var/lib/deadfall/kdump-test.json"
#define SELFTEST_RULE "kdump-test"

enum selftest_result {
	SELFTEST_NONE, SELFTEST_PENDING, SELFTEST_PASSED, SELFTEST_FAILED,
	SELFTEST_STALE,		/* passed, with another kernel or set-up; never stands in the file */
};

struct selftest {
	enum selftest_result result;
	long long time;			/* when the machine was crashed, or tried to */
	char setup[8192];		/* kernel and set-up that were tested (selftest_setup_text) */
	char boot_id[64];
	char dumps[4200];		/* where the dump was to go (dumps_scan_all) */
	char dump[160];			/* its name, "" if there was none */
	char why[500];			/* if it failed */
};

/*
 * The last test, settled if its crash lies behind us. `boot_id` and `now` (seconds since 1970) are those of the
 * present; path is SELFTEST_PATH but for tests. Without a file the result is SELFTEST_NONE.
 */
int selftest_read(const char *path, const char *boot_id, long long now, struct selftest *ret, struct err *err);
int selftest_write(const char *path, const struct selftest *t, struct err *err);

/* What of a set-up a test is valid for, as text. */
void selftest_setup_text(const struct kdump_state *s, char *out, size_t size);

/* One line for people: "passed on 2026-11-22 13:56 UTC (dump ...)", "passed on ..., but the set-up has changed since". */
void selftest_describe(const struct selftest *t, const char *setup_now, char *out, size_t size);

/*
 * The last test of this machine, in words as well. state: the present set-up; NULL if there is none, then the verdict is
 * not held against it.
 */
enum selftest_result selftest_verdict(const struct kdump_state *state, char *out, size_t size);

/*
 * Crash this machine. Does not return if all goes well. The caller has made sure that the user means it and that
 * kdump is ready. An error means that the machine did not crash; it is noted as the verdict.
 */
int selftest_crash(const struct kdump_state *state, struct err *err);

/* For `guard: {kdump: tested}`: 0 if a test passed for this kernel and set-up, else ERR_ENVIRONMENT with what to do. */
int kdump_tested(struct err *err);

#endif
