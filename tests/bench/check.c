// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c - how long `deadfall check` takes and how much memory, the types (BTF) and the rest apart.
 *
 * usage: check N [FILE]: check N rules in one set, in this process, once; prints milliseconds: types, and the rest. With
 * FILE only writes the rules there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "rules/compile.h"
#include "rules/generate.h"

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Rules as people write them: two events, conditions, fields, a sequence. */
static void write_rules(struct buf *out, int n)
{
	for (int i = 0; i < n; i++)
		buf_printf(out,
			   "---\ndeadfall: 1\nrule: bench-%d\nabout: A file is written by one and read by another.\n"
			   "params: {window: 10s}\nevents:\n  write:\n    probe: kprobe:vfs_write\n"
			   "    where: arg.count > %d && (arg.file->f_flags & 0x1000) == 0 && task.comm != \"deadfall\"\n"
			   "    key: arg.file->f_inode\n"
			   "    fields: {size: arg.file->f_inode->i_size, name: str(arg.file->f_path.dentry->d_name.name)}\n"
			   "    keep: [kstack]\n  read:\n    probe: kprobe:vfs_read\n"
			   "    where: '!IS_ERR(arg.file->private_data) && task.uid != 0'\n    key: arg.file->f_inode\n"
			   "context: {last: 4, keys: 8}\n"
			   "match: {sequence: [a: write, {b: read, where: task.tid != a.tid}], within: $window}\n"
			   "on_match: [panic: \"{key:p} written by {a.task}, read by {b.task}\"]\n",
			   i, i);
}

static int write_file(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "w");
	int bad = !f || fwrite(text->data, 1, text->len, f) != text->len;

	return (f && fclose(f)) || bad;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_create(NULL, NULL);
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct buf text = BUF_INIT;
	struct kbtf *kbtf = NULL;
	struct err err = { 0 };
	struct kbtf_func func;
	double start, types, end;

	if (argc < 2) {
		fprintf(stderr, "usage: check N [FILE]\n");
		return 2;
	}
	write_rules(&text, atoi(argv[1]));
	if (argc > 2)
		return write_file(argv[2], &text);
	start = now_ms();
	if (kbtf_open(NULL, &kbtf, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 3;
	}
	kbtf_find_func(kbtf, NULL, "vfs_read", &func);	/* the index of names is made when it is first asked */
	types = now_ms();
	compile_check_text(a, "bench", text.data, text.len, kbtf, &diags, &set);
	if (set)
		generate_check(a, set, &diags);
	end = now_ms();
	diags_print(&diags, stderr, false);
	printf("%.3f %.3f\n", types - start, end - types);
	kbtf_close(kbtf);
	arena_destroy(a);
	buf_deinit(&text);
	return set && !diags.n ? 0 : 1;
}
