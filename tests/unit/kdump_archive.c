// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/: cpio writer, compression, ELF cutting. */
#include "tests/unit/test.h"

#include "kdump/compress.h"
#include "kdump/cpio.h"
#include "kdump/files.h"
#include "kdump/process.h"
#include "kdump/program.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* Field n (0 is the inode) of the newc header at p. */
static unsigned int header_field(const char *p, int n)
{
	char hex[9];

	memcpy(hex, p + 6 + 8 * n, 8);
	hex[8] = 0;
	return (unsigned int)strtoul(hex, NULL, 16);
}

static void cpio_entries_are_aligned_and_parents_come_first(void **state)
{
	struct cpio c = CPIO_INIT;
	const char *p;

	cpio_file(&c, "/lib/x/a.so", 0755, "hello", 5);
	assert_true(cpio_has(&c, "lib"));
	assert_true(cpio_has(&c, "lib/x"));
	assert_true(cpio_has(&c, "lib/x/a.so"));
	assert_false(cpio_has(&c, "lib/x/a.s"));
	assert_false(cpio_has(&c, "ib/x"));
	cpio_finish(&c);
	assert_false(buf_failed(&c.out));
	assert_int_equal(c.out.len % 4, 0);
	p = c.out.data;
	assert_memory_equal(p, "070701", 6);
	assert_string_equal(p + 110, "lib");
	assert_int_equal(header_field(p, 1), S_IFDIR | 0755);
	p = memmem(c.out.data, c.out.len, "lib/x/a.so", 10);
	assert_non_null(p);
	assert_int_equal((p - c.out.data) % 4, 110 % 4);
	assert_int_equal(header_field(p - 110, 6), 5);
	assert_int_equal(header_field(p - 110, 11), strlen("lib/x/a.so") + 1);
	/* 110 + 11 bytes of name are padded to 124. */
	assert_memory_equal(p - 110 + 124, "hello\0\0\0", 8);
	cpio_deinit(&c);
}

static void cpio_takes_a_path_once(void **state)
{
	struct cpio c = CPIO_INIT;
	size_t len;

	cpio_file(&c, "a", 0644, "1", 1);
	len = c.out.len;
	cpio_file(&c, "a", 0644, "2", 1);
	cpio_dir(&c, "a", 0755);
	assert_int_equal(c.out.len, len);
	cpio_deinit(&c);
}

/* The other side of the format: what GNU cpio lists and unpacks. */
static void cpio_is_read_by_others(void **state)
{
	char dir[] = "/tmp/deadfall-cpio.XXXXXX", script[256];
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct process p = { .argv = argv, .limit = 30 };
	struct process_result r;
	struct cpio c = CPIO_INIT;
	char path[64];
	struct err err;

	if (!find_program("cpio", path, sizeof(path)))
		skip();
	assert_non_null(mkdtemp(dir));
	cpio_file(&c, "d/one", 0600, "11", 2);
	cpio_symlink(&c, "d/two", "one");
	cpio_finish(&c);
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(file_replace(path, c.out.data, c.out.len, 0600, &err), 0);
	snprintf(script, sizeof(script), "cd %s && cpio -idm --quiet <a && cat d/two && ls d && rm -r %s", dir, dir);
	assert_int_equal(process_run(&p, &r, &err), 0);
	assert_string_equal(r.output, "11one\ntwo\n");
	cpio_deinit(&c);
}

static void what_was_compressed_comes_out_again(void **state)
{
	struct buf text = BUF_INIT, packed = BUF_INIT, out = BUF_INIT;
	struct err err;

	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "line %d\n", i);
	assert_int_equal(compress_gzip(text.data, text.len, 1, &packed, &err), 0);
	assert_true(packed.len < text.len / 2);
	assert_int_equal(decompress(packed.data, packed.len, &out, &err), 0);
	assert_int_equal(out.len, text.len);
	assert_memory_equal(out.data, text.data, text.len);
	buf_deinit(&out);
	assert_int_equal(decompress(packed.data, packed.len - 9, &out, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	buf_deinit(&packed);
	buf_deinit(&out);

	size_t n = lzma_stream_buffer_bound(text.len), pos = 0;
	uint8_t *xz = malloc(n);

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text.data, text.len, xz, &pos, n),
			 LZMA_OK);
	assert_int_equal(decompress(xz, pos, &out, &err), 0);
	assert_int_equal(out.len, text.len);
	buf_deinit(&out);
	assert_int_equal(decompress(xz, pos / 2, &out, &err), -1);
	buf_deinit(&out);
	free(xz);

	n = ZSTD_compressBound(text.len);
	char *zst = malloc(n);

	n = ZSTD_compress(zst, n, text.data, text.len, 1);
	assert_int_equal(decompress(zst, n, &out, &err), 0);
	assert_int_equal(out.len, text.len);
	buf_deinit(&out);
	assert_int_equal(decompress(zst, n / 2, &out, &err), -1);
	buf_deinit(&out);
	free(zst);
	buf_deinit(&text);
}

static void plain_bytes_pass_through(void **state)
{
	struct buf out = BUF_INIT;

	assert_int_equal(decompress("\177ELF", 4, &out, NULL), 0);
	assert_int_equal(out.len, 4);
	buf_deinit(&out);
}

static int hang(void *arg)
{
	pause();
	return 0;
}

static int fail_loudly(void *arg)
{
	printf("first\nsecond\nthird\r\nthe reason\n\n");
	return 7;
}

static void a_child_that_hangs_is_killed(void **state)
{
	struct process p = { .call = hang, .limit = 1 };
	struct process_result r;
	char why[100];

	assert_int_equal(process_run(&p, &r, NULL), 0);
	assert_true(r.timed_out);
	assert_false(r.stuck);
	assert_false(process_ok(&r));
	assert_true(r.seconds < 3);
	process_explain(&r, why, sizeof(why));
	assert_string_equal(why, "stopped after 1 s");
}

static void a_failing_child_is_explained_by_its_last_lines(void **state)
{
	struct process p = { .call = fail_loudly, .limit = 10 };
	struct process_result r;
	char why[100];

	assert_int_equal(process_run(&p, &r, NULL), 0);
	assert_int_equal(r.status, 7);
	process_explain(&r, why, sizeof(why));
	assert_string_equal(why, "exit status 7: second; third; the reason");
}

static void long_output_keeps_its_end(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", "seq 1 20000", NULL };
	struct process p = { .argv = argv, .limit = 30 };
	struct process_result r;

	assert_int_equal(process_run(&p, &r, NULL), 0);
	assert_int_equal(r.output_len, sizeof(r.output) - 1);
	assert_string_equal(r.output + r.output_len - 12, "19999\n20000\n");
}

/* This very program: cut, it still runs, and is smaller. */
static void a_cut_program_still_runs(void **state)
{
	char path[] = "/tmp/deadfall-cut.XXXXXX", interpreter[256];
	const char *argv[] = { path, "--list-nothing", NULL };
	struct process p = { .argv = argv, .limit = 30 };
	struct process_result r;
	struct buf elf = BUF_INIT;
	size_t whole;
	struct err err;

	close(mkstemp(path));
	assert_int_equal(read_under("", "/bin/true", &elf, &err), 0);
	whole = elf.len;
	assert_int_equal(program_interpreter(&elf, interpreter, sizeof(interpreter), &err), 0);
	assert_int_equal(interpreter[0], '/');
	program_cut(&elf);
	assert_true(elf.len < whole);
	assert_int_equal(file_replace(path, elf.data, elf.len, 0700, &err), 0);
	assert_int_equal(process_run(&p, &r, &err), 0);
	assert_int_equal(r.status, 0);
	unlink(path);
	buf_deinit(&elf);
}

static void damaged_elf_is_left_alone(void **state)
{
	struct buf elf = BUF_INIT;
	char interpreter[256];
	struct err err;

	assert_int_equal(read_under("", "/bin/true", &elf, &err), 0);
	elf.len = 70;
	program_cut(&elf);
	assert_int_equal(elf.len, 70);
	assert_int_equal(program_interpreter(&elf, interpreter, sizeof(interpreter), &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	buf_deinit(&elf);
}

static void a_program_brings_its_libraries(void **state)
{
	struct cpio c = CPIO_INIT;
	struct err err;

	assert_int_equal(program_add(&c, "/bin/ls", "ls", &err), 0);
	assert_true(cpio_has(&c, "bin/ls"));
	assert_true(cpio_has(&c, "lib/libc.so.6"));
	assert_true(cpio_has(&c, "lib64/ld-linux-x86-64.so.2"));
	cpio_deinit(&c);
	assert_int_equal(program_add(&c, "/etc/passwd", "x", &err), -1);
	cpio_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpio_entries_are_aligned_and_parents_come_first),
		cmocka_unit_test(cpio_takes_a_path_once),
		cmocka_unit_test(cpio_is_read_by_others),
		cmocka_unit_test(what_was_compressed_comes_out_again),
		cmocka_unit_test(plain_bytes_pass_through),
		cmocka_unit_test(a_child_that_hangs_is_killed),
		cmocka_unit_test(a_failing_child_is_explained_by_its_last_lines),
		cmocka_unit_test(long_output_keeps_its_end),
		cmocka_unit_test(a_cut_program_still_runs),
		cmocka_unit_test(damaged_elf_is_left_alone),
		cmocka_unit_test(a_program_brings_its_libraries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
