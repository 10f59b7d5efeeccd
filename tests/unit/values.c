// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/values.c: values as text. */
#include "tests/unit/test.h"

#include "kdump/values.h"

static void formats(void **state)
{
	static const struct {
		struct report_value v;
		char format;
		const char *want;
	} cases[] = {
		{ { .type = VALUE_UINT, .num = 10 }, 0, "10" },
		{ { .type = VALUE_UINT, .num = 10 }, 'x', "0xa" },
		{ { .type = VALUE_UINT, .num = INT64_MAX }, 0, "9223372036854775807" },
		{ { .type = VALUE_UINT, .num = 0xffffffffc0000000 }, 0, "0xffffffffc0000000" },
		{ { .type = VALUE_PTR, .num = 10 }, 0, "0xa" },
		{ { .type = VALUE_PTR, .num = 10 }, 'd', "10" },
		{ { .type = VALUE_INT, .num = (uint64_t)-5 }, 0, "-5" },
		{ { .type = VALUE_INT, .num = (uint64_t)-5, .is_error = true }, 0, "-5 (-EIO)" },
		{ { .type = VALUE_INT, .num = 5, .is_error = true }, 0, "5" },
		{ { .type = VALUE_INT, .num = (uint64_t)-4000, .is_error = true }, 0, "-4000" },
		{ { .type = VALUE_INT, .num = (uint64_t)-5 }, 'e', "-EIO" },
		{ { .type = VALUE_INT, .num = (uint64_t)-5000 }, 'e', "-5000" },
		{ { .type = VALUE_INT, .num = 7 }, 'e', "7" },
		{ { .type = VALUE_UINT, .num = 0x0100007f }, 'i', "127.0.0.1" },
		{ { .type = VALUE_ENUM, .num = 3 }, 0, "3" },
		{ { .type = VALUE_ENUM, .num = 3, .text = "THREE" }, 0, "THREE" },
		{ { .type = VALUE_ENUM, .num = 3, .text = "THREE" }, 'd', "3" },
		{ { .type = VALUE_INT, .unknown = true }, 'e', "?" },
	};
	struct arena *a = arena_create(NULL, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(value_format(a, &cases[i].v, cases[i].format), cases[i].want);
	arena_destroy(a);
}

static void names_of_an_event(void **state)
{
	static const struct mf_field fields[] = { { .name = "len", .type = VALUE_UINT, .size = 4 } };
	const struct mf_event def = { .fields = (struct mf_field *)fields, .nfields = 1, .mask_word = -1 };
	uint64_t w[] = { 7 };
	const struct set_event e = { .pid = 12, .tid = 12, .cpu = 3, .ns = 139100951645, .w = w, .nwords = 1 };
	const struct set_event thread = { .pid = 12, .tid = 13 };
	struct arena *a = arena_create(NULL, NULL);

	assert_string_equal(value_of_name(a, &def, &e, "bash", "len", 0), "7");
	assert_string_equal(value_of_name(a, &def, &e, "bash", "task", 0), "bash[12]");
	assert_string_equal(value_of_name(a, NULL, &thread, "bash", "task", 0), "bash[12/13]");
	assert_string_equal(value_of_name(a, NULL, &e, "bash", "time", 0), "139.100951 s");
	assert_string_equal(value_of_name(a, NULL, &e, "bash", "now", 'd'), "139100951645");
	assert_string_equal(value_of_name(a, NULL, &e, "bash", "cpu", 'x'), "0x3");
	assert_null(value_of_name(a, NULL, &e, "bash", "len", 0));
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(names_of_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
