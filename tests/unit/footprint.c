// SPDX-License-Identifier: GPL-2.0-or-later
/* What a checked rule keeps in memory: `check` of 1,000 rules has 32 MB, the kernel's types included. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "lib/buf.h"
#include "rules/compile.h"
#include "rules/generate.h"
#include "rules/memory_set.h"

#define KEPT_MAX 17000		/* bytes for a rule such as this one, its text included */

/* Bytes in the arena after n rules were checked as `check` does. */
static size_t used_by(int n)
{
	struct arena *a = arena_create(NULL, NULL);
	struct diags diags = diags_init(a);
	struct memory_spec spec = { .cpus = 2 };
	struct rule_set *set = NULL;
	struct buf text = BUF_INIT;
	struct kbtf *kbtf = NULL;
	struct memory m;
	struct err err;
	size_t used;

	for (int i = 0; i < n; i++)
		buf_printf(&text,
			   "---\ndeadfall: 1\nrule: r%d\nabout: A file is written by one and read by another.\n"
			   "params: {window: 10s}\nevents:\n  write:\n    probe: kprobe:vfs_write\n"
			   "    where: arg.count > %d && (arg.file->f_flags & 0x1000) == 0 && task.comm != \"deadfall\"\n"
			   "    key: arg.file->f_inode\n"
			   "    fields: {size: arg.file->f_inode->i_size, name: arg.file->f_dentry->d_iname}\n"
			   "    keep: [kstack]\n  read:\n    probe: kprobe:vfs_read\n"
			   "    where: '!IS_ERR(arg.file->f_inode) && task.uid != 0'\n    key: arg.file->f_inode\n"
			   "match: {sequence: [a: write, {b: read, where: task.tid != a.tid}], within: $window}\n"
			   "on_match: [panic: \"{key:p} written by {a.task}, read by {b.task}\"]\n", i, i);
	assert_int_equal(kbtf_open("tests/data/kernel.btf", &kbtf, &err), 0);
	compile_check_text(a, "t.yaml", text.data, text.len, kbtf, &diags, &set);
	assert_non_null(set);
	generate_check(a, set, &diags);
	memory_of_set(a, set, kbtf, 1ull << 32, &diags, &spec, &m);
	assert_int_equal(diags.n, 0);
	used = arena_used(a);
	kbtf_close(kbtf);
	arena_destroy(a);
	buf_deinit(&text);
	return used;
}

static void a_rule_keeps_little(void **state)
{
	size_t each = (used_by(192) - used_by(128)) / 64;

	if (each > KEPT_MAX)
		print_error("%zu bytes each\n", each);
	assert_in_range(each, 1, KEPT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_keeps_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
