// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/reason.c: messages of actions. */
#include "tests/unit/test.h"

#include "kdump/reason.h"

#include <string.h>

static const char *lookup(void *arg, const char *step, const char *name, char format)
{
	if (step && !strcmp(step, "a") && !strcmp(name, "task"))
		return "bash[12]";
	if (!step && !strcmp(name, "key"))
		return format == 'p' ? "0x10" : format == 'd' ? "16" : "key";
	return NULL;
}

static void fills_in(void **state)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{key} {key:p} {key:d}", "key 0x10 16" },
		{ "by {a.task}.", "by bash[12]." },
		{ "{nothing} {b.task} {}", "? ? ?" },
		{ "{{key}} {key", "{key} {key" },
		{ "}", "}" },
	};
	struct arena *a = arena_create(NULL, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(reason_format(a, cases[i].message, lookup, NULL), cases[i].want);
	arena_destroy(a);
}

static void long_names_are_not_followed(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	char message[600];

	memset(message, 'n', sizeof(message));
	message[0] = '{';
	message[sizeof(message) - 2] = '}';
	message[sizeof(message) - 1] = '\0';
	assert_string_equal(reason_format(a, message, lookup, NULL), "?");
	arena_destroy(a);
}

/* An automaton's steps are those before the event that fires: its own name means the earlier one, if there was one. */
static void steps_are_found(void **state)
{
	struct mf_step steps[] = { { .label = "submit" }, { .label = "complete" } };
	struct mf_rule rule = { .match = "automaton", .steps = steps, .nsteps = 2 };
	static const uint64_t first[] = { 5, 0 }, again[] = { 5, 7 };

	assert_int_equal(reason_step(&rule, first, 2, "submit", "complete", 9), 5);
	assert_int_equal(reason_step(&rule, first, 2, "complete", "complete", 9), 9);
	assert_int_equal(reason_step(&rule, again, 2, "complete", "complete", 9), 7);
	assert_int_equal(reason_step(&rule, first, 2, "other", "complete", 9), 0);
	rule.match = "lifecycle"; /* there an unknown free has no first one */
	assert_int_equal(reason_step(&rule, first, 2, "complete", "complete", 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in),
		cmocka_unit_test(long_names_are_not_followed),
		cmocka_unit_test(steps_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
