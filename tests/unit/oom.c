// SPDX-License-Identifier: GPL-2.0-or-later
/* Every allocation of a compilation fails once: a clean error each time, nothing leaked. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/compile.h"
#include "tests/unit/oom.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] =
	"deadfall: 1\nrule: r\nparams: {n: 3}\ntypes: |\n  struct t { u32 a; struct t *next; };\n"
	"events:\n"
	"  a: {probe: 'kprobe:{inode_*,!inode_odd}', keep: [kstack]}\n"
	"  b: {probe: kprobe:inode_put, key: arg.inode, where: 'arg.inode->i_size > $n && task.comm == \"x\" &&\n"
	"      ((struct t *)arg.inode->i_private)->next->a in [1, 2] && arg.inode->i_kind == PIDTYPE_TGID'}\n"
	"  c: {probe: 'tracepoint:fs:inode_dirty', key: arg.ino, fields: {i: arg.ino}}\n"
	"match: {sequence: [b, c]}\non_match: [panic: '{key:p}']\n"
	"---\n"
	"deadfall: 1\nrule: bad\nevents: {a: {probe: 'kprobe:inode_pt', where: arg.x > 3}, b: {probe: \"x\"}}\n"
	"match: {event: c}\non_match: [log: '{ky}']\n";

static void out_of_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* Compile; true if memory was enough. An error of kbtf_open must say that it was not. */
static bool compile(void)
{
	struct arena *volatile a = NULL;
	struct kbtf *volatile kbtf = NULL;
	struct kbtf *opened = NULL;
	volatile bool ok = false;
	struct rule_set *set;
	struct err err;
	jmp_buf oom;

	if (kbtf_open("tests/data/kernel.btf", &opened, &err)) {
		assert_int_equal(err.code, ERR_NOMEM);
		return false;
	}
	kbtf = opened;
	if (!setjmp(oom)) {
		a = arena_create(out_of_memory, &oom);
		if (a) {
			struct diags diags = diags_init(a);

			compile_check_text(a, "t.yaml", text, sizeof(text) - 1, kbtf, &diags, &set);
			assert_true(diags.errors > 3);
			ok = true;
		}
	}
	arena_destroy(a);
	kbtf_close(kbtf);
	return ok;
}

static void every_allocation_may_fail(void **state)
{
	bool ok = false;
	long before;

	assert_true(compile());
	for (fail_at = 1; !ok; fail_at++) {
		allocations = 0;
		before = live;
		ok = compile();
		assert_int_equal(live, before);
		if (ok && allocations >= fail_at)
			ok = false;	/* that one was survived */
		assert_true(fail_at < 20000);
	}
	assert_true(fail_at > 50 || !live);
	fail_at = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
