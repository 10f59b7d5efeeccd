// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/layout.c: structs as the BTF in a dump describes them, also of a version that knew less than this one. */
#include "tests/unit/test.h"

#include "kdump/layout.h"

#include <bpf/btf.h>
#include <string.h>

struct decoded {
	uint64_t first, second, later;
};

/* struct s { int first; long second; } */
static struct ktypes *make_types(void)
{
	struct btf *b = btf__new_empty();
	struct ktypes *t;
	const void *data;
	uint32_t size;

	assert_int_equal(btf__add_int(b, "int", 4, BTF_INT_SIGNED), 1);
	assert_int_equal(btf__add_int(b, "long", 8, BTF_INT_SIGNED), 2);
	assert_int_equal(btf__add_struct(b, "s", 16), 3);
	assert_int_equal(btf__add_field(b, "first", 1, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "second", 2, 64, 0), 0);
	data = btf__raw_data(b, &size);
	t = ktypes_create(data, size, NULL);
	assert_non_null(t);
	btf__free(b);
	return t;
}

static void what_is_optional_may_be_absent(void **state)
{
	static const struct want wants[] = {
		WANT(struct decoded, first, "first"),
		WANT_OPTIONAL(struct decoded, later, "later"),
		WANT_OPTIONAL(struct decoded, second, "second"),
	};
	const uint8_t bytes[16] = { 7, [8] = 9 };
	struct ktypes *t = make_types();
	struct decoded d = { .later = 5 };
	struct layout l;

	assert_int_equal(layout_resolve(&l, t, "s", "", wants, 3, NULL), 0);
	layout_decode(&l, bytes, sizeof(bytes), &d);
	assert_int_equal(d.first, 7);
	assert_int_equal(d.second, 9);
	assert_int_equal(d.later, 0);
	assert_int_equal(layout_end(&l), 16);
	ktypes_destroy(t);
}

static void what_is_not_may_not(void **state)
{
	static const struct want wants[] = { WANT(struct decoded, later, "later") };
	struct ktypes *t = make_types();
	struct layout l;
	struct err err;

	assert_int_equal(layout_resolve(&l, t, "s", "", wants, 1, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_non_null(strstr(err.msg, "later"));
	assert_int_equal(layout_resolve(&l, t, "s", "", wants, 1, NULL), -1);
	ktypes_destroy(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_optional_may_be_absent),
		cmocka_unit_test(what_is_not_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
