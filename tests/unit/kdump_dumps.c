// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/: the dumps in a directory, their signatures, the ledger of panics. */
#include "tests/unit/test.h"

#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/panics.h"
#include "kdump/selftest.h"
#include "kdump/signature.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int make_root(void **state)
{
	strcpy(root, "/tmp/deadfall-dumps.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *dump, const char *file, const char *text)
{
	char path[512];
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", root, dump);
	assert_int_equal(make_dirs(path, 0700, &err), 0);
	strcat(path, "/");
	strcat(path, file);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static void put_status(const char *dump, const char *rule, long long when, const char *capsule)
{
	char text[600];

	snprintf(text, sizeof(text), "{\"result\": \"complete\", \"rule\": %s%s%s, \"time_unix\": %lld, \"steps\": [{\"name\": \"capsule\", "
		 "\"state\": \"%s\"}, {\"name\": \"vmcore\", \"state\": \"failed\", \"error\": \"no space\"}]}", rule ? "\"" : "",
		 rule ? rule : "null", rule ? "\"" : "", when, capsule);
	put(dump, "status.json", text);
}

/* A file of kdump-tools, finished at `when`. */
static void put_at(const char *dir, const char *file, long long when)
{
	struct timespec t[2] = { { .tv_sec = when }, { .tv_sec = when } };
	char path[512];

	put(dir, file, "0123456789");
	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, file);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void put_beside(const char *dump, long long when, const char *more)
{
	char text[300];

	snprintf(text, sizeof(text), "{\"result\": \"partial\", \"rule\": \"r\", \"time_unix\": %lld, \"vmcore_by\": \"kdump-tools\"%s, \"steps\": "
		 "[{\"name\": \"capsule\", \"state\": \"done\"}]}", when, more);
	put(dump, "status.json", text);
	put(dump, "capsule", "012");
}

static void dumps_of_kdump_tools_join_our_capsules(void **state)
{
	char beside[128];
	struct dump_list l;
	struct err err;

	snprintf(beside, sizeof(beside), "%s/deadfall", root);
	put_at("202611220958", "dump.202611220958", 1000);
	put_at("202611221000", "dmesg.202611221000", 2005);
	put_at("202611221000", "dump.202611221000", 2060);
	put_beside("deadfall/20261122T100000Z-r", 2000, "");
	put_at("202611221100", "dump-incomplete", 3060);
	put_beside("deadfall/20261122T110000Z-r", 3000, "");
	put_beside("deadfall/20261122T120000Z-r", 4000, "");
	put_at("202611221300", "dump.202611221300.gz", 5060);
	put_beside("deadfall/20261122T130000Z-r", 5000, "");
	put_beside("deadfall/20261122T140000Z-r", 6000, ", \"capsule_only\": true");
	put_at("not-a-stamp", "dump.x", 4060);
	assert_int_equal(dumps_scan(beside, &l, &err), 0);
	assert_int_equal(l.count, 5);
	assert_string_equal(l.dumps[0].result, "complete");
	assert_non_null(strstr(l.dumps[0].vmcore, "/202611221000/dump.202611221000"));
	assert_int_equal(l.dumps[0].vmcore_bytes, 10);
	assert_string_equal(l.dumps[1].result, "partial");
	assert_non_null(strstr(l.dumps[1].problem, "did not finish"));
	assert_string_equal(l.dumps[1].vmcore, "");
	assert_string_equal(l.dumps[2].result, "partial");
	assert_string_equal(l.dumps[2].problem, "kdump-tools left no dump of this crash");
	assert_string_equal(l.dumps[3].result, "complete");
	assert_non_null(strstr(l.dumps[3].problem, "unpack it"));
	assert_string_equal(l.dumps[4].problem, "");
	dumps_free(&l);
}

static void dumps_are_listed_by_time(void **state)
{
	struct dump_list l;
	struct err err;

	put_status("20261122T100000Z-late", "late", 1795341600, "done");
	put("20261122T100000Z-late", "vmcore", "0123456789");
	put("20261122T100000Z-late", "capsule", "012");
	put_status("20261121T100000Z-early", "early", 1795255200, "failed");
	put("20261120T000000Z-unknown", "vmcore.incomplete", "xx");
	put("lost+found", "x", "");
	put(".deadfall-reserve", "x", "");
	assert_int_equal(dumps_scan(root, &l, &err), 0);
	assert_int_equal(l.count, 3);
	assert_string_equal(l.dumps[0].name, "20261120T000000Z-unknown");
	assert_string_equal(l.dumps[0].result, "unknown");
	assert_int_equal(l.dumps[0].vmcore_bytes, 0);
	assert_int_equal(l.dumps[0].bytes, 2);
	assert_true(l.dumps[0].rule_unknown);
	assert_string_equal(l.dumps[1].rule, "early");
	assert_string_equal(l.dumps[1].problem, "capsule failed");
	assert_string_equal(l.dumps[2].problem, "vmcore failed: no space");
	assert_int_equal(l.dumps[2].vmcore_bytes, 10);
	assert_int_equal(l.dumps[2].capsule_bytes, 3);
	assert_ptr_equal(dumps_find(&l, "20261121"), &l.dumps[1]);
	assert_null(dumps_find(&l, "2026112"));
	assert_null(dumps_find(&l, "nothing"));
	dumps_free(&l);
}

static void a_dump_is_deleted_and_nothing_else(void **state)
{
	struct dump odd = { .name = "../20261122T100000Z-x" };
	struct dump_list l;
	struct err err;
	char path[512];

	put_status("20261122T100000Z-a", "a", 1795341600, "done");
	put_status("20261122T110000Z-b", "b", 1795345200, "done");
	assert_int_equal(dumps_scan(root, &l, &err), 0);
	assert_int_equal(dumps_delete(root, &l.dumps[0], &err), 0);
	snprintf(path, sizeof(path), "%s/20261122T100000Z-a", root);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/20261122T110000Z-b/status.json", root);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(dumps_delete(root, &odd, &err), -1);
	strcpy(odd.name, "etc");
	assert_int_equal(dumps_delete(root, &odd, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	dumps_free(&l);
}

static void retention_keeps_the_newest(void **state)
{
	struct dump d[4] = { { .bytes = 100 }, { .bytes = 50 }, { .bytes = 30 }, { .bytes = 500 } };
	struct dump_list l = { d, 4 };
	bool doomed[4];

	dumps_choose(&l, 0, 0, doomed);
	assert_false(doomed[0] || doomed[1] || doomed[2] || doomed[3]);
	dumps_choose(&l, 2, 0, doomed);
	assert_true(doomed[0] && doomed[1] && !doomed[2] && !doomed[3]);
	dumps_choose(&l, 0, 580, doomed);
	assert_true(doomed[0] && !doomed[1] && !doomed[2]);
	dumps_choose(&l, 1, 10, doomed);
	assert_true(doomed[0] && doomed[1] && doomed[2] && !doomed[3]);
}

static void a_signature_knows_no_addresses(void **state)
{
	struct report_frame a[] = { { .symbol = "tool_fn+0x1", .tool = true }, { .symbol = "widget_free.isra.0+0x9/0x20" },
				    { .symbol = "0xffffffff81000000" }, { .symbol = "widget_close+0x1 [widget]" },
				    { .symbol = "__fput+0x3" }, { .symbol = "task_work_run+0x3" }, { .symbol = "deeper+0x3" } };
	struct report_frame b[] = { { .symbol = "widget_free+0x11/0x28" }, { .symbol = "widget_close+0x7 [widget]" },
				    { .symbol = "__fput+0x4" }, { .symbol = "task_work_run+0x5" } };
	struct report_event ea = { .fired = true, .kstack = a, .nkstack = 7 }, eb = { .fired = true, .kstack = b, .nkstack = 4 };
	struct report_match m = { .rule = "twice", .event = "free" };
	struct report ra = { .match = &m, .context = &ea, .ncontext = 1 }, rb = { .match = &m, .context = &eb, .ncontext = 1 };
	char x[SIGNATURE_SIZE], y[SIGNATURE_SIZE];

	signature_of_report(&ra, x, sizeof(x));
	signature_of_report(&rb, y, sizeof(y));
	assert_string_equal(x, y);
	assert_string_equal(x + 17, "twice/free widget_free < widget_close < __fput < task_work_run");
	m.event = "alloc";
	signature_of_report(&rb, y, sizeof(y));
	assert_memory_not_equal(x, y, 16);
}

static void without_a_rule_the_kernels_words_count(void **state)
{
	struct dmesg_line l[] = { { .text = "hello" }, { .text = "BUG: x\nRIP: 0010:sysrq_handle_crash+0x16/0x20" },
				  { .text = "Kernel panic - not syncing: CPU 12 at 0xffff81 gone" } };
	struct report r = { .dmesg = l, .ndmesg = 3 };
	char x[SIGNATURE_SIZE];

	signature_of_report(&r, x, sizeof(x));
	assert_string_equal(x + 17, "panic/CPU N at N gone sysrq_handle_crash");
	r.ndmesg = 1;
	signature_of_report(&r, x, sizeof(x));
	assert_string_equal(x, "");
}

/* Boots of a made-up machine: 100000 s apart. */
static struct panics_world boot(int n, long long uptime)
{
	static char path[128], id[16];

	snprintf(path, sizeof(path), "%s/state/panics.json", root);
	snprintf(id, sizeof(id), "boot-%d", n);
	return (struct panics_world){ .path = path, .dumps = root, .boot_id = id, .booted = 1795300000 + n * 100000LL,
				      .now = 1795300000 + n * 100000LL + uptime };
}

static struct panics_verdict check(struct panics_world w, const char *rule, unsigned int max, long long window,
				   bool automatic)
{
	struct panics_verdict v;
	struct err err;

	assert_int_equal(panics_check_in(&w, rule, max, window, automatic, &v, &err), 0);
	return v;
}

static void a_clean_rule_may_arm(void **state)
{
	struct panics_world w = boot(1, 100);
	struct err err;

	assert_true(check(w, "r", 1, 86400, true).allowed);
	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	assert_true(check(w, "r", 1, 86400, true).allowed);
	assert_int_equal(panics_disarmed_in(&w, "r", &err), 0);
	assert_true(check(boot(2, 1), "r", 1, 86400, true).allowed);
	assert_false(check(boot(2, 1), "r", 0, 86400, true).allowed);
}

static void a_panic_counts_once_and_for_its_window(void **state)
{
	struct panics_world w = boot(1, 1000);
	struct panics_verdict v;
	struct err err;

	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	assert_int_equal(panics_armed_in(&w, "other", &err), 0);
	put_status("20261123T000000Z-r", "r", w.booted + 2000, "done");
	w = boot(2, 10);
	v = check(w, "r", 1, 200000, false);
	assert_false(v.allowed);
	assert_int_equal(v.count, 1);
	assert_non_null(strstr(v.why, "max_panics allows 1"));
	assert_true(check(w, "r", 2, 200000, false).allowed);
	/* The dump names the culprit: the other rule that was armed did not do it. */
	assert_int_equal(check(w, "other", 1, 200000, false).count, 0);
	/* It still counts when the dump is deleted, and no longer when the window is over. */
	assert_int_equal(check(boot(3, 10), "r", 1, 300000, false).count, 1);
	assert_true(check(boot(3, 10), "r", 1, 86400, false).allowed);
	assert_int_equal(panics_forget_in(&w, "r", &err), 0);
	assert_true(check(boot(3, 10), "r", 1, 300000, false).allowed);
}

static void a_boot_that_ended_without_a_dump_counts_and_says_so(void **state)
{
	struct panics_world w = boot(1, 1000);
	struct panics_verdict v;
	struct err err;

	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	v = check(boot(2, 10), "r", 1, 86400, false);
	assert_false(v.allowed);
	assert_non_null(strstr(v.why, "no dump tells why"));
}

static void a_dump_that_does_not_know_its_rule_counts(void **state)
{
	struct panics_world w = boot(1, 1000);
	struct err err;

	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	put_status("20261123T000000Z-unknown", NULL, w.booted + 2000, "failed");
	assert_false(check(boot(2, 10), "r", 1, 200000, false).allowed);
}

static void a_crash_without_a_rule_does_not_count(void **state)
{
	struct panics_world w = boot(1, 1000);
	struct err err;

	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	put_status("20261123T000000Z-none", NULL, w.booted + 2000, "done");
	assert_true(check(boot(2, 10), "r", 1, 200000, false).allowed);
}

static void an_early_crash_does_not_arm_by_itself(void **state)
{
	struct panics_world w = boot(1, 20);
	struct panics_verdict v;
	struct err err;

	assert_int_equal(panics_armed_in(&w, "r", &err), 0);
	put_status("20261123T000000Z-r", "r", w.booted + 90, "done");
	v = check(boot(2, 10), "r", 5, 10, true);
	assert_false(v.allowed);
	assert_non_null(strstr(v.why, "90 s after boot"));
	assert_true(check(boot(2, 10), "r", 5, 10, false).allowed);
}

/* Nobody knows when a panic without a dump came: only whether the rule outlived the first minutes. */
static void an_early_crash_without_a_dump_does_not_arm_by_itself(void **state)
{
	struct panics_world w = boot(1, 20);
	struct panics_verdict v;
	struct err err;

	assert_int_equal(panics_armed_in(&w, "early", &err), 0);
	assert_int_equal(panics_armed_in(&w, "late", &err), 0);
	w = boot(1, PANICS_EARLY_SECONDS + 1);
	assert_int_equal(panics_late_in(&w, "late", &err), 0);
	assert_int_equal(panics_armed_in(&w, "armed-late", &err), 0);
	v = check(boot(2, 10), "early", 5, 10, true);
	assert_false(v.allowed);
	assert_non_null(strstr(v.why, "within 10 minutes of boot"));
	assert_true(check(boot(2, 10), "late", 5, 10, true).allowed);
	assert_true(check(boot(2, 10), "armed-late", 5, 10, true).allowed);
	assert_true(check(boot(2, 10), "early", 5, 10, false).allowed);
}

static struct selftest after_test(struct panics_world now, const char *setup)
{
	struct selftest t = { .result = SELFTEST_PENDING, .time = 1795400500, .boot_id = "boot-1" };
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/test.json", root);
	snprintf(t.dumps, sizeof(t.dumps), "%s", root);
	strcpy(t.setup, setup);
	assert_int_equal(selftest_write(path, &t, &err), 0);
	assert_int_equal(selftest_read(path, now.boot_id, now.now, &t, &err), 0);
	return t;
}

static void a_test_is_judged_after_the_reboot(void **state)
{
	struct selftest t;
	char text[700];

	assert_int_equal(after_test(boot(1, 510), "a").result, SELFTEST_PENDING);
	t = after_test(boot(1, 2000), "a");
	assert_int_equal(t.result, SELFTEST_FAILED);
	assert_string_equal(t.why, "the machine did not crash");
	t = after_test(boot(2, 10), "a");
	assert_int_equal(t.result, SELFTEST_FAILED);
	assert_non_null(strstr(t.why, "without a dump"));
	put_status("20261123T000000Z-none", NULL, 1795400510, "done");
	t = after_test(boot(2, 10), "a");
	assert_int_equal(t.result, SELFTEST_FAILED);
	assert_non_null(strstr(t.why, "of another crash"));
	put_status("20261122T000000Z-" SELFTEST_RULE, SELFTEST_RULE, 1795400505, "done");
	t = after_test(boot(2, 10), "a");
	assert_int_equal(t.result, SELFTEST_PASSED);
	selftest_describe(&t, "a", text, sizeof(text));
	assert_memory_equal(text, "passed on 2026-11-23 ", 20);
	selftest_describe(&t, "b", text, sizeof(text));
	assert_non_null(strstr(text, "changed since"));
}

static void no_test_is_no_error(void **state)
{
	struct selftest t;
	struct err err;

	assert_int_equal(selftest_read("/nonexistent/x.json", "b", 1, &t, &err), 0);
	assert_int_equal(t.result, SELFTEST_NONE);
	put("state", "test.json", "{");
	char path[128];

	snprintf(path, sizeof(path), "%s/state/test.json", root);
	assert_int_equal(selftest_read(path, "b", 1, &t, &err), -1);
	assert_int_equal(err.code, ERR_ENVIRONMENT);
}

static void a_damaged_ledger_is_said(void **state)
{
	struct panics_world w = boot(1, 20);
	struct panics_verdict v;
	struct err err;

	put("state", "panics.json", "{\"armed\": [");
	assert_int_equal(panics_check_in(&w, "r", 1, 1, false, &v, &err), -1);
	assert_int_equal(err.code, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.msg, "damaged"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dumps_of_kdump_tools_join_our_capsules),
		TEST(dumps_are_listed_by_time),
		TEST(a_dump_is_deleted_and_nothing_else),
		TEST(retention_keeps_the_newest),
		TEST(a_signature_knows_no_addresses),
		TEST(without_a_rule_the_kernels_words_count),
		TEST(a_clean_rule_may_arm),
		TEST(a_panic_counts_once_and_for_its_window),
		TEST(a_boot_that_ended_without_a_dump_counts_and_says_so),
		TEST(a_dump_that_does_not_know_its_rule_counts),
		TEST(a_crash_without_a_rule_does_not_count),
		TEST(an_early_crash_does_not_arm_by_itself),
		TEST(an_early_crash_without_a_dump_does_not_arm_by_itself),
		TEST(a_damaged_ledger_is_said),
		TEST(a_test_is_judged_after_the_reboot),
		TEST(no_test_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
