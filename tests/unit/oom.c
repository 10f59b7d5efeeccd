// SPDX-License-Identifier: GPL-2.0-or-later
/* Every allocation of a compilation fails once: a clean error each time, nothing leaked. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/compile.h"
#include "rules/generate.h"
#include "tests/unit/oom.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char wrong[] =
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

/* Without errors: they become code. */
static const char right[] =
	"deadfall: 1\nrule: r\nparams: {n: 3}\n"
	"events:\n"
	"  a: {probe: kprobe:vfs_read, key: arg.file, fields: {name: arg.file->f_dentry->d_iname}, keep: [kstack]}\n"
	"  b: {probe: kretprobe:vfs_read, key: arg.file, where: 'any(c, task->comm, c == 7) || old(task->comm) == task.comm'}\n"
	"match: {sequence: [a, {b: b, where: 'a.name != task.comm && S_ISREG(arg.file->f_inode->i_mode)'}]}\n"
	"on_match: [panic: '{key:p}']\n"
	"---\n"
	"deadfall: 1\nrule: s\nevents: {e: {probe: kprobe:inode_put, key: arg.inode}}\n"
	"match: {population: {in: e, out: e}, over: 7}\non_match: [log: x]\n";

static void out_of_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* To code, if there are no errors. */
static void compile_text(struct arena *a, const char *text, size_t len, struct kbtf *kbtf)
{
	struct diags diags = diags_init(a);
	struct rule_set *set;

	compile_check_text(a, "t.yaml", text, len, kbtf, &diags, &set);
	if (text == wrong) {
		assert_true(diags.errors > 3);
		return;
	}
	assert_int_equal(diags.errors, 0);
	generate_check(a, set, &diags);
	assert_int_equal(diags.errors, 0);
}

/* Compile; true if memory was enough. An error of kbtf_open must say that it was not. */
static bool compile(const char *text, size_t len)
{
	struct arena *volatile a = NULL;
	struct kbtf *volatile kbtf = NULL;
	struct kbtf *opened = NULL;
	volatile bool ok = false;
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
			compile_text(a, text, len, kbtf);
			ok = true;
		}
	}
	arena_destroy(a);
	kbtf_close(kbtf);
	return ok;
}

static void every_allocation_may_fail(const char *text, size_t len)
{
	bool ok = false;
	long before;

	assert_true(compile(text, len));
	for (fail_at = 1; !ok; fail_at++) {
		allocations = 0;
		before = live;
		ok = compile(text, len);
		assert_int_equal(live, before);
		if (ok && allocations >= fail_at)
			ok = false;	/* that one was survived */
		assert_true(fail_at < 20000);
	}
	assert_true(fail_at > 50 || !live);
	fail_at = 0;
}

static void rules_with_errors(void **state)
{
	every_allocation_may_fail(wrong, sizeof(wrong) - 1);
}

static void rules_to_code(void **state)
{
	every_allocation_may_fail(right, sizeof(right) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_with_errors),
		cmocka_unit_test(rules_to_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
