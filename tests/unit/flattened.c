// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/flattened.c: dumps that went through a pipe. */
#include "tests/unit/test.h"

#include "kdump/flattened.h"
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void put_be64(struct buf *b, int64_t v)
{
	for (int i = 56; i >= 0; i -= 8)
		buf_putc(b, (char)((uint64_t)v >> i));
}

static void put_piece(struct buf *b, int64_t offset, const char *text)
{
	put_be64(b, offset);
	put_be64(b, (int64_t)strlen(text));
	buf_puts(b, text);
}

/* A file with a header and two pieces in the wrong order, the second over the first; closed by the end mark. */
static int make(size_t len, size_t *whole)
{
	struct buf b = BUF_INIT;
	int fd = memfd_create("flat", 0);

	buf_puts(&b, "makedumpfile");
	buf_add(&b, NULL, 4);
	put_be64(&b, 1);
	put_be64(&b, 1);
	buf_add(&b, NULL, 4096 - b.len);
	put_piece(&b, 100, "world");
	put_piece(&b, 98, "o w");
	put_piece(&b, 0, "hell");
	put_be64(&b, -1);
	put_be64(&b, -1);
	*whole = b.len;
	len = len ? len : b.len;
	assert_int_equal(write(fd, buf_str(&b), len), len);
	buf_deinit(&b);
	return fd;
}

static void pieces_go_to_their_places(void **state)
{
	size_t whole;
	int fd = make(0, &whole), out;
	char text[105] = "";
	struct err err;
	bool cut;

	assert_true(flattened_is(fd));
	out = flattened_restore(fd, &cut, &err);
	assert_true(out >= 0);
	assert_false(cut);
	assert_int_equal(pread(out, text, sizeof(text), 0), 105);
	assert_memory_equal(text, "hell\0", 5);
	assert_memory_equal(text + 98, "o world", 7);
	close(out);
	close(fd);
}

static void a_cut_file_gives_what_is_there(void **state)
{
	size_t whole, len = 4096;
	struct err err;
	bool cut;

	close(make(0, &whole));
	for (; len < whole; len++) {
		int fd = make(len, &whole), out;

		out = flattened_restore(fd, &cut, &err);
		assert_true(out >= 0);
		assert_true(cut);
		close(out);
		close(fd);
	}
}

static void nonsense_is_refused(void **state)
{
	size_t whole;
	int fd = make(0, &whole);
	struct err err;
	bool cut;

	assert_int_equal(pwrite(fd, "\x7f", 1, 4096), 1);
	assert_int_equal(flattened_restore(fd, &cut, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(pwrite(fd, "M", 1, 0), 1);
	assert_false(flattened_is(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_go_to_their_places),
		cmocka_unit_test(a_cut_file_gives_what_is_there),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
