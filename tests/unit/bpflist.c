// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/bpflist.c: lists of a dead kernel, whole, broken and circular, and of one that runs. */
#include "tests/unit/test.h"

#include "kdump/bpflist.h"
#include "tests/unit/image.h"

#define HEAD 0xffff800000000010ull
#define NODE(n) (0xffff800000001000ull + (n) * 0x1000ull)

/* Head and nodes 1..4, the nodes at offset 8 of their entries. */
static const char four[] = "at 0xffff800000000010 q:0xffff800000002008 q:0xffff800000005008\n"
			   "at 0xffff800000002008 q:0xffff800000003008 q:0xffff800000000010\n"
			   "at 0xffff800000003008 q:0xffff800000004008 q:0xffff800000002008\n"
			   "at 0xffff800000004008 q:0xffff800000005008 q:0xffff800000003008\n"
			   "at 0xffff800000005008 q:0xffff800000000010 q:0xffff800000004008\n";

struct seen {
	uint64_t entries[64];
	size_t n;
};

static void remember(void *arg, uint64_t entry)
{
	struct seen *s = arg;

	assert_true(s->n < 64);
	s->entries[s->n++] = entry;
}

static int walk(struct image *im, size_t max, struct seen *s, struct err *err)
{
	*s = (struct seen){ 0 };
	return bpflist_each(&im->kernel, HEAD, 8, max, remember, s, err);
}

static void whole_list_in_order(void **state)
{
	struct image *im = image_create(four);
	struct seen s;
	struct err err;

	assert_int_equal(walk(im, 64, &s, &err), 0);
	assert_int_equal(s.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(s.entries[i], NODE(i + 1));
	image_destroy(&im->kernel);
}

static void empty_and_unused_heads(void **state)
{
	struct image *im = image_create("at 0xffff800000000010 q:0 q:0\n");
	struct seen s;

	assert_int_equal(walk(im, 64, &s, NULL), 0);
	assert_int_equal(s.n, 0);
	image_add(im, "at 0xffff800000000010 q:0xffff800000000010 q:0xffff800000000010\n");
	assert_int_equal(walk(im, 64, &s, NULL), 0);
	assert_int_equal(s.n, 0);
	image_destroy(&im->kernel);
}

static void missing_page_is_passed_from_behind(void **state)
{
	struct image *im = image_create(four);
	struct seen s;
	struct err err;

	image_remove(im, NODE(2), 64);
	assert_int_equal(walk(im, 64, &s, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.entries[0], NODE(1));
	assert_int_equal(s.entries[1], NODE(2));
	assert_int_equal(s.entries[2], NODE(4));
	assert_int_equal(s.entries[3], NODE(3));
	image_destroy(&im->kernel);
}

static void circle_ends(void **state)
{
	struct image *im = image_create(four);
	struct seen s;
	struct err err;

	image_add(im, "at 0xffff800000004008 q:0xffff800000002008\n");
	assert_int_equal(walk(im, 64, &s, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.entries[3], NODE(4));
	image_destroy(&im->kernel);
}

static void wild_pointers_and_bounds(void **state)
{
	struct image *im = image_create(four);
	struct seen s;
	struct err err;

	assert_int_equal(walk(im, 3, &s, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(s.n, 3);
	image_add(im, "at 0xffff800000000010 q:0x1234\n");
	assert_int_equal(walk(im, 64, &s, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.entries[0], NODE(4));
	image_destroy(&im->kernel);
}

static void a_list_that_changed_is_read_again(void **state)
{
	struct image *im = image_create(four);
	struct seen s;
	struct err err;

	image_add(im, "at 0xffff800000003008 q:0\n");
	im->becomes = four;
	assert_int_equal(walk(im, 64, &s, &err), 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.entries[3], NODE(4));
	im->becomes = "at 0xffff800000003008 q:0\n";	/* always in the middle of a change */
	image_add(im, im->becomes);
	assert_int_equal(walk(im, 64, &s, &err), -1);
	assert_int_equal(s.n, 4);
	image_destroy(&im->kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_list_in_order),
		cmocka_unit_test(empty_and_unused_heads),
		cmocka_unit_test(missing_page_is_passed_from_behind),
		cmocka_unit_test(circle_ends),
		cmocka_unit_test(wild_pointers_and_bounds),
		cmocka_unit_test(a_list_that_changed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
