// SPDX-License-Identifier: GPL-2.0-or-later
/* Every allocation of a report and of a capsule fails once: an error or less in it, never a crash; nothing leaked. */
#include "tests/unit/test.h"

#include "kdump/capsule.h"
#include "kdump/report_diff.h"
#include "tests/unit/oom.h"
#include "tests/unit/set_image.h"

#include <fcntl.h>

static void out_of_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* Build and print in every format; true if memory was enough for all. */
static bool print_all(struct kernel *k, struct arena *a, FILE *null)
{
	struct report *r = report_build(k, a, "file", "format");
	struct report_diff *d = report_diff(r, r);
	bool ok;

	report_print_text(r, null, false, true);
	report_diff_print_text(d, null, false);
	ok = !report_print_json(r, null, NULL);
	ok = !report_print_perfetto(r, null, NULL) && ok;
	ok = !report_print_html(r, null, NULL) && ok;
	return !report_diff_print_json(d, null, NULL) && ok;
}

static bool report_once(struct image *im, FILE *null)
{
	struct arena *volatile a = NULL;
	volatile bool ok = false;
	jmp_buf oom;

	if (!setjmp(oom)) {
		a = arena_create(out_of_memory, &oom);
		if (a)
			ok = print_all(&im->kernel, a, null);
	}
	arena_destroy(a);
	return ok;
}

/* Record a capsule, then read it. */
static bool capsule_once(struct image *im, FILE *null)
{
	struct arena *volatile a = NULL;
	struct kernel *volatile rec = NULL;
	volatile bool ok = false;
	int fd = open("/dev/null", O_WRONLY);
	struct err err;
	jmp_buf oom;

	if (!setjmp(oom)) {
		a = arena_create(out_of_memory, &oom);
		rec = a ? capsule_record(&im->kernel, fd, false, &err) : NULL;
		if (rec) {
			report_build(rec, a, "file", "format");
			ok = true;
		}
	}
	if (rec && capsule_finish(rec, &err))
		ok = false;
	kernel_destroy(rec);
	arena_destroy(a);
	close(fd);
	return ok;
}

static void check(bool (*once)(struct image *im, FILE *null))
{
	static char buffer[65536];
	struct image *im = set_image(true);
	FILE *null = fopen("/dev/null", "w");
	bool ok = false;
	long before;

	/* of its own, so that stdio allocates none */
	setvbuf(null, buffer, _IOFBF, sizeof(buffer));
	assert_true(once(im, null));
	for (fail_at = 1; !ok; fail_at++) {
		allocations = 0;
		before = live;
		ok = once(im, null) && allocations < fail_at;
		assert_int_equal(live, before);
		assert_true(fail_at < 100000);
	}
	assert_true(fail_at > 20 || !live);
	fail_at = 0;
	fclose(null);
	image_destroy(&im->kernel);
}

static void every_allocation_of_a_report(void **state)
{
	check(report_once);
}

static void every_allocation_of_a_capsule(void **state)
{
	check(capsule_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_report),
		cmocka_unit_test(every_allocation_of_a_capsule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
