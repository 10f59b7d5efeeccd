// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/detected.c: what a verdict of a lifecycle is about, by what the manifest says and the verdict remembers. */
#include "tests/unit/test.h"

#include "kdump/detected.h"

#include <string.h>

static const char lifecycle[] =
	"{\"deadfall\": 1, \"rules\": [{\"name\": \"r\", \"match\": {\"kind\": \"lifecycle\", \"detect\": ["
	"{\"fault\": \"double_free\", \"words\": \"freed again\", \"events\": [1, 3], \"freed\": \"before\"},"
	"{\"fault\": \"unknown_free\", \"words\": \"never allocated\", \"events\": [1, 3], \"freed\": \"now\"},"
	"{\"fault\": \"use_after_free\", \"words\": \"used\", \"events\": [2], \"freed\": \"before\"},"
	"{\"fault\": \"stale_use\", \"words\": \"stale\", \"events\": [2], \"freed\": \"never\"}]}}]}";

static struct arena *arena;

static const struct mf_rule *rule_of(const char *text)
{
	struct manifest *m;

	assert_int_equal(manifest_parse(arena, text, strlen(text), &m, NULL), 0);
	assert_int_equal(m->nrules, 1);
	return m->rules;
}

static void tells_them_apart(void **state)
{
	static const struct {
		uint64_t event, seq, step[2];
		const char *want;
	} cases[] = {
		{ 1, 9, { 3, 5 }, "double_free" },
		{ 3, 9, { 0, 5 }, "double_free" },	/* the first was of what was never allocated */
		{ 1, 9, { 0, 9 }, "unknown_free" },
		{ 1, 9, { 3, 9 }, "unknown_free" },	/* the alloc is of an earlier generation */
		{ 2, 9, { 3, 5 }, "use_after_free" },
		{ 2, 9, { 0, 5 }, "use_after_free" },
		{ 2, 9, { 3, 0 }, "stale_use" },
		/* what no verdict of the kernel says */
		{ 1, 9, { 3, 0 }, NULL },
		{ 2, 9, { 3, 9 }, NULL },
		{ 0, 9, { 3, 5 }, NULL },
		{ UINT64_MAX, 0, { 0, 0 }, NULL },
	};
	const struct mf_rule *r = rule_of(lifecycle);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mf_fault *f = detected(r, cases[i].event, cases[i].seq, cases[i].step);

		if (cases[i].want)
			assert_string_equal(f ? f->name : "nothing", cases[i].want);
		else
			assert_null(f);
	}
}

/* Of other kinds, of an older version, and of a torn manifest nothing is said. */
static void says_nothing_else(void **state)
{
	static const char *const texts[] = {
		"{\"rules\": [{\"match\": {\"kind\": \"sequence\"}}]}",
		"{\"rules\": [{\"match\": {\"kind\": \"lifecycle\"}}]}",
		"{\"rules\": [{\"match\": {\"detect\": {\"fault\": \"double_free\"}}}]}",
		"{\"rules\": [{\"match\": {\"detect\": [7, null, [], \"double_free\"]}}]}",
		"{\"rules\": [{\"match\": {\"detect\": [{\"events\": \"1\", \"freed\": 5}, {\"events\": [[], \"1\"]}]}}]}",
	};
	static const uint64_t step[2] = { 3, 5 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_null(detected(rule_of(texts[i]), 1, 9, step));
}

static int begin(void **state)
{
	arena = arena_create(NULL, NULL);
	return arena ? 0 : -1;
}

static int end(void **state)
{
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_them_apart),
		cmocka_unit_test(says_nothing_else),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
