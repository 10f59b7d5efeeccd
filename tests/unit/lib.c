// SPDX-License-Identifier: GPL-2.0-or-later
/* lib/: errors, buffers, arena, cursor, nearest name. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/cursor.h"
#include "lib/err.h"
#include "lib/nearest.h"

#include <errno.h>
#include <string.h>

static void err_wraps_outermost_first(void **state)
{
	struct err err;

	assert_int_equal(err_sys(&err, ENOENT, "open"), -1);
	err_wrap(&err, "rule %d", 7);
	assert_string_equal(err.msg, "rule 7: open: No such file or directory");
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_int_equal(err.errnum, ENOENT);
}

static void err_keeps_the_inside_of_a_long_message_bounded(void **state)
{
	struct err err;
	char longer[3000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	err_set(&err, ERR_CORRUPT, "%s", longer);
	err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void buf_grows_and_terminates(void **state)
{
	struct buf b = BUF_INIT;

	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	assert_false(buf_failed(&b));
	assert_memory_equal(b.data, "0,1,2,3,", 8);
	assert_int_equal(strlen(b.data), b.len);
	buf_add(&b, "x", 1);
	buf_align(&b, 8);
	assert_int_equal(b.len % 8, 0);
	buf_deinit(&b);
}

static void buf_failure_is_sticky(void **state)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "abc");
	buf_add(&b, NULL, (size_t)-1 / 2);
	assert_true(buf_failed(&b));
	buf_puts(&b, "d");
	assert_int_equal(b.len, 3);
	assert_null(buf_steal(&b));
}

static void add_digit(void *arg)
{
	*(int *)arg = *(int *)arg * 10 + 1;
}

static void add_zero(void *arg)
{
	*(int *)arg *= 10;
}

static void arena_runs_what_was_deferred_last_first(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	int n = 0;

	arena_defer(a, add_zero, &n);
	arena_defer(a, add_digit, &n);
	arena_destroy(a);
	assert_int_equal(n, 10);
}

static void an_inner_arena_is_emptied_alone_and_goes_with_the_other(void **state)
{
	struct arena *a = arena_create(NULL, NULL), *inner = arena_inner(a);
	char *kept = arena_strdup(a, "kept");
	int n = 0;

	memset(arena_alloc(inner, 100000), 1, 100000);
	arena_reset(inner);
	assert_int_equal(arena_used(inner), 0);
	assert_int_equal(((char *)arena_alloc(inner, 8))[0], 0);
	assert_string_equal(kept, "kept");
	arena_defer(inner, add_digit, &n);
	arena_destroy(a);
	assert_int_equal(n, 1);
}

static void arena_grows_arrays(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	int *v = NULL;

	for (int i = 0; i < 5000; i++) {
		v = arena_grow(a, v, (size_t)i, sizeof(*v));
		v[i] = i;
	}
	for (int i = 0; i < 5000; i++)
		assert_int_equal(v[i], i);
	assert_string_equal(arena_printf(a, "%s-%d", "x", 3), "x-3");
	arena_destroy(a);
}

static void arena_reserves_what_is_to_come(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	int *v = arena_reserve(a, NULL, 0, 3, sizeof(*v)), *before = v;
	size_t used = arena_used(a);

	for (int i = 0; i < 3; i++)
		v[i] = i;
	v = arena_reserve(a, v, 3, 1, sizeof(*v));
	v[3] = 3;
	assert_ptr_equal(v, before);	/* four fit */
	assert_int_equal(arena_used(a), used);
	v = arena_reserve(a, v, 4, 0, sizeof(*v));
	assert_ptr_equal(v, before);
	v = arena_reserve(a, v, 4, 1, sizeof(*v));
	assert_ptr_not_equal(v, before);
	v[4] = 4;
	for (int i = 0; i < 5; i++)
		assert_int_equal(v[i], i);
	arena_destroy(a);
}

static void cursor_is_bounded(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 'h', 'i', 0, 'x' };
	struct cursor c = cursor_init(bytes, sizeof(bytes));

	assert_int_equal(cursor_u32(&c), 0x04030201);
	assert_int_equal(cursor_u8(&c), 5);
	assert_string_equal(cursor_str(&c), "hi");
	assert_null(cursor_str(&c));
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	c = cursor_init(bytes, sizeof(bytes));
	assert_false(cursor_seek(&c, 10));
	assert_int_equal(cursor_left(&c), 0);
}

static void nearest_finds_typos_only(void **state)
{
	struct nearest n = nearest_init("i_sz");

	nearest_offer(&n, "i_ino");
	nearest_offer(&n, "i_size");
	nearest_offer(&n, "i_mapping");
	assert_string_equal(nearest_best(&n), "i_size");
	n = nearest_init("is_err");
	nearest_offer(&n, "IS_ERR");
	assert_string_equal(nearest_best(&n), "IS_ERR");
	n = nearest_init("vfs_raed");
	nearest_offer(&n, "vfs_write");
	nearest_offer(&n, "vfs_read");
	assert_string_equal(nearest_best(&n), "vfs_read");
	n = nearest_init("len");
	nearest_offer(&n, "completely_else");
	assert_null(nearest_best(&n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_wraps_outermost_first),
		cmocka_unit_test(err_keeps_the_inside_of_a_long_message_bounded),
		cmocka_unit_test(buf_grows_and_terminates),
		cmocka_unit_test(buf_failure_is_sticky),
		cmocka_unit_test(arena_grows_arrays),
		cmocka_unit_test(arena_reserves_what_is_to_come),
		cmocka_unit_test(an_inner_arena_is_emptied_alone_and_goes_with_the_other),
		cmocka_unit_test(arena_runs_what_was_deferred_last_first),
		cmocka_unit_test(cursor_is_bounded),
		cmocka_unit_test(nearest_finds_typos_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
