// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of functions: who is in it is found as bpf/hook.h looks, and nearly all are in it. */
#include "tests/unit/test.h"

#include "agent/places.h"
#include "lib/arena.h"

static const struct df_place *look(const struct places *p, uint64_t key)
{
	uint32_t at = (uint32_t)(key * p->at.seed >> p->at.shift);

	for (uint32_t i = 0; i < DF_PLACE_TRIES; i++) {
		if (p->elements[(at + i) & p->at.mask].key == key)
			return &p->elements[(at + i) & p->at.mask];
	}
	return NULL;
}

/* Functions 16 bytes apart at least, as compilers place them; every third has a return probe as well. */
static void check_table(uint32_t n, uint32_t left_out_max)
{
	struct arena *a = arena_create(NULL, NULL);
	struct info_hook hooks[] = { { .name = "kprobe" }, { .name = "usdt" }, { .name = "kretprobe" } };
	struct set_info info = { .hooks = hooks, .nhooks = 3 };
	struct hook_plan plans[3] = { { .n = n }, { .n = 0 }, { .n = n / 3 } };
	struct attach_plan plan = { .hooks = plans };
	struct function *functions = arena_array(a, n, sizeof(*functions));
	uint32_t missing = 0;
	uint64_t addr = 0xffffffff81000000;
	struct places p;

	plans[0].targets = arena_array(a, n, sizeof(*plans[0].targets));
	plans[2].targets = arena_array(a, n, sizeof(*plans[2].targets));
	for (uint32_t i = 0; i < n; i++) {
		addr += 16 * (1 + i * i % 37);
		functions[i].addr = addr;
		plans[0].targets[i] = (struct target){ .func = &functions[i], .cookie = i };
		if (i < n / 3)
			plans[2].targets[i] = (struct target){ .func = &functions[i], .cookie = n + i };
	}
	p = places_make(a, &info, &plan);
	for (uint32_t i = 0; i < n; i++) {
		const struct df_place *e = look(&p, DF_PLACE_KEY(DF_PLACE_KPROBE, functions[i].addr));
		const struct df_place *r = look(&p, DF_PLACE_KEY(DF_PLACE_KRETPROBE, functions[i].addr));

		missing += !e + (i < n / 3 && !r);
		assert_true(!e || e->bodies == i);
		assert_true(i < n / 3 || !r);
		assert_true(!r || r->bodies == n + i);
	}
	assert_int_equal(missing, p.at.left_out);
	assert_true(p.at.left_out <= left_out_max);
	assert_null(look(&p, DF_PLACE_KEY(DF_PLACE_SESSION, functions[0].addr)));
	arena_destroy(a);
}

static void test_places(void **state)
{
	check_table(1, 0);
	check_table(2, 0);
	check_table(100, 0);
	check_table(1000, 0);
	check_table(10000, 0);
	check_table(30000, 300);
}

static void test_no_functions(void **state)
{
	struct set_info info = { 0 };
	struct attach_plan plan = { 0 };
	struct arena *a = arena_create(NULL, NULL);

	assert_int_equal(places_make(a, &info, &plan).at.mask, 0);
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_places), cmocka_unit_test(test_no_functions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
