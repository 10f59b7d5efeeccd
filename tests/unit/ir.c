// SPDX-License-Identifier: GPL-2.0-or-later
/* The code between rule and machine: what can never run is removed, since the verifier refuses it. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/ir.h"

static uint32_t count_insns(const struct ir_func *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		n += f->items[i].kind == IR_INSN || f->items[i].kind == IR_LDIMM64;
	return n;
}

/* A field whose read cannot fail: its failure branch has no jump to it, and neither has what only that one calls. */
static void unreachable_code_goes(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	struct ir_func *f = ir_func_new(a, "f", ".text", 1);
	uint32_t fail = ir_new_label(f), far = ir_new_label(f), done = ir_new_label(f);

	ir_movi(f, BPF_REG_1, 1);
	ir_jmp(f, done);
	ir_label(f, fail);
	ir_movi(f, BPF_REG_1, 2);
	ir_jcci(f, BPF_JEQ, BPF_REG_1, 0, far);
	ir_label(f, done);
	ir_movi(f, BPF_REG_0, 0);
	ir_exit(f);
	ir_label(f, far);
	ir_movi(f, BPF_REG_0, 1);
	ir_exit(f);
	ir_drop_dead(f);
	assert_int_equal(count_insns(f), 4);
	arena_destroy(a);
}

static void reachable_code_stays(void **state)
{
	struct arena *a = arena_create(NULL, NULL);
	struct ir_func *f = ir_func_new(a, "f", ".text", 1);
	uint32_t again = ir_new_label(f), out = ir_new_label(f);

	ir_label(f, again);
	ir_jcci(f, BPF_JEQ, BPF_REG_1, 0, out);
	ir_call(f, BPF_FUNC_ktime_get_ns);
	ir_jmp(f, again);
	ir_label(f, out);
	ir_exit(f);
	ir_drop_dead(f);
	assert_int_equal(count_insns(f), 4);
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreachable_code_goes),
		cmocka_unit_test(reachable_code_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
