// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump/mem_kdumpfile.c, kernel_dump.c: dump files of every format and paging, made from text (dumpfile.h).
 */
#include "tests/unit/test.h"

#include "kdump/kernel.h"
#include "kdump/mem.h"
#include "tests/unit/dumpfile.h"

#define X86_BODY                                                      \
	"vmcoreinfo OSRELEASE 6.12.0-test\n"                           \
	"symbol T _stext 0xffffffff81000000\n"                         \
	"symbol T vfs_read 0xffffffff81000100\n"                       \
	"symbol T _etext 0xffffffff81001000\n"                         \
	"at 0xffffffff81000100 \"code of vfs_read\"\n"                 \
	"at 0xffff888000100ff8 q:0x1122334455667788 \"next page\"\n"   \
	"at 0xffffc90000001000 \"vmalloc\"\n"                          \
	"at 0xffff888000200000 \"left out\"\nabsent 0xffff888000200000\n" \
	"at 0xffff888000300000 \"damaged\"\ncorrupt 0xffff888000300000\n" \
	"at 0xffff888000400000 \"larger than a page\"\nhuge 0xffff888000400000\n"

static const char x86[] = "machine x86_64\n" X86_BODY;
static const char x86_kaslr[] = "machine x86_64\nkaslr 0x12000000\n" X86_BODY;
static const char x86_la57[] = "machine x86_64-la57\nkaslr 0x2000000\n" X86_BODY
			       "at 0xff11000000100000 \"five levels\"\n";
static const char arm64[] = "machine arm64\n"
			    "vmcoreinfo OSRELEASE 6.12.0-arm64\n"
			    "symbol T _stext 0xffff800080010000\nsymbol T vfs_read 0xffff800080010100\n"
			    "symbol T _etext 0xffff800080020000\n"
			    "at 0xffff800080010100 \"code of vfs_read\"\n"
			    "at 0xffff000000100ff8 q:0x1122334455667788 \"next page\"\n"
			    "at 0xffff800000001000 \"vmalloc\"\n"
			    "at 0xffff000000200000 \"left out\"\nabsent 0xffff000000200000\n"
			    "at 0xffff000000300000 \"damaged\"\ncorrupt 0xffff000000300000\n"
			    "at 0xffff000000400000 \"larger than a page\"\nhuge 0xffff000000400000\n";

/* A dump, opened. */
struct opened_dump {
	struct dumpfile *d;
	struct kernel *k;
	int fd;
};

static struct opened_dump open_dump(const char *text, enum df_format format, bool flatten, size_t keep)
{
	struct opened_dump o = { .d = dumpfile_create(text) };
	struct dump_info info;
	struct mem *mem;
	struct err err;
	char path[64];

	o.fd = dumpfile_write(o.d, format, flatten, keep, path);
	mem = mem_kdumpfile_open(path, &info, &err);
	if (mem)
		o.k = kernel_from_dump(mem, &info, &err);
	else if (!keep)
		fail_msg("%s", err.msg);
	return o;
}

static void close_dump(struct opened_dump *o)
{
	kernel_destroy(o->k);
	dumpfile_destroy(o->d);
	close(o->fd);
}

static void check_text(struct kernel *k, uint64_t addr, const char *want)
{
	char text[64] = "";
	struct err err = { 0 };

	if (kernel_read(k, addr, text, strlen(want), &err))
		fail_msg("0x%llx: %s", (unsigned long long)addr, err.msg);
	assert_string_equal(text, want);
}

static void check_failure(struct kernel *k, uint64_t addr, enum err_code want)
{
	struct err err = { 0 };
	char c;

	if (!kernel_read(k, addr, &c, 1, &err))
		fail_msg("0x%llx: read as 0x%x", (unsigned long long)addr, c);
	if (err.code != want)
		fail_msg("%s: code %d", err.msg, err.code);
}

/* What every dump must give: symbols, code, data over a page border, vmalloc; what is absent or damaged. */
static void check_dump(const char *text, enum df_format format, bool flatten, bool damaged)
{
	struct opened_dump o = open_dump(text, format, flatten, 0);
	bool arm = o.d->arm64;
	uint64_t direct = arm ? 0xffff000000000000 : 0xffff888000000000, addr, v;
	struct ksym sym;
	char value[64];
	struct err err;

	assert_non_null(o.k);
	assert_int_equal(kernel_vmcoreinfo(o.k, "OSRELEASE", value, sizeof(value), &err), 0);
	if (kernel_symbol(o.k, "vfs_read", &addr, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(addr, df_address(o.d, arm ? 0xffff800080010100 : 0xffffffff81000100));
	assert_int_equal(kernel_symbolize(o.k, addr + 5, &sym, &err), 0);
	assert_string_equal(sym.name, "vfs_read");
	check_text(o.k, addr, "code of vfs_read");
	assert_int_equal(kernel_u64(o.k, direct + 0x100ff8, &v, &err), 0);
	assert_int_equal(v, 0x1122334455667788);
	check_text(o.k, direct + 0x101000, "next page");
	check_text(o.k, arm ? 0xffff800000001000 : 0xffffc90000001000, "vmalloc");
	check_failure(o.k, direct + 0x200000, ERR_ABSENT);
	check_failure(o.k, direct + 0x7000000, ERR_ABSENT);
	if (damaged)
		check_failure(o.k, direct + 0x300000, ERR_CORRUPT);
	if (format != DF_ELF)
		check_failure(o.k, direct + 0x400000, ERR_CORRUPT);
	close_dump(&o);
}

static void elf_of_every_paging(void **state)
{
	struct opened_dump o;

	check_dump(x86, DF_ELF, false, false);
	check_dump(x86_kaslr, DF_ELF, false, false);
	check_dump(x86_la57, DF_ELF, false, false);
	check_dump(arm64, DF_ELF, false, false);
	o = open_dump(x86_la57, DF_ELF, false, 0);
	check_text(o.k, 0xff11000000100000, "five levels");
	close_dump(&o);
}

static void every_compression(void **state)
{
	static const char *const texts[] = { x86, x86_kaslr, x86_la57, arm64 };

	for (size_t i = 0; i < 4; i++) {
		check_dump(texts[i], DF_RAW, false, false);
		check_dump(texts[i], DF_ZLIB, false, true);
		check_dump(texts[i], DF_ZSTD, false, true);
	}
}

/* Whether libkdumpfile was built with these is its packager's choice: the page is read, or said to be unsupported. */
static void optional_compressions(void **state)
{
	static const enum df_format formats[] = { DF_LZO, DF_SNAPPY };

	for (size_t i = 0; i < 2; i++) {
		struct opened_dump o = open_dump(x86, formats[i], false, 0);
		struct err err = { 0 };
		char c;

		assert_non_null(o.k);
		if (!kernel_read(o.k, 0xffffffff81000100, &c, 1, &err))
			check_dump(x86, formats[i], false, true);
		else if (err.code != ERR_UNSUPPORTED)
			fail_msg("%s", err.msg);
		close_dump(&o);
	}
}

static void flattened(void **state)
{
	check_dump(x86_kaslr, DF_ZLIB, true, true);
	check_dump(x86_la57, DF_RAW, true, false);
	check_dump(arm64, DF_ZSTD, true, true);
}

/* Cut anywhere: an error when it is opened or read, and what is there still reads. */
static void cut_short(void **state)
{
	static const enum df_format formats[] = { DF_ELF, DF_ZLIB };

	for (size_t f = 0; f < 2; f++) {
		for (size_t keep = 1; keep < 0x30000; keep += 0x1357) {
			struct opened_dump o = open_dump(x86_kaslr, formats[f], keep & 1, keep);
			struct ksym sym;
			uint64_t v;

			for (uint64_t at = 0; o.k && at < 0x400000; at += DF_PAGE)
				kernel_u64(o.k, 0xffff888000000000 + at, &v, NULL);
			if (o.k) {
				kernel_symbol(o.k, "vfs_read", &v, NULL);
				kernel_symbolize(o.k, 0xffffffff93000105, &sym, NULL);
			}
			close_dump(&o);
		}
	}
}

/* A header that asks for more memory than there can be: the file is what is wrong. */
static void a_size_without_measure(void **state)
{
	struct dumpfile *d = dumpfile_create(x86);
	uint64_t size = 0xefed9783a6eac0;
	struct dump_info info;
	struct err err;
	char path[64];
	int fd = dumpfile_write(d, DF_ZLIB, false, 0, path);

	assert_int_equal(pwrite(fd, &size, sizeof(size), DF_PAGE + 56), sizeof(size));	/* of the notes */
	assert_null(mem_kdumpfile_open(path, &info, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	close(fd);
	dumpfile_destroy(d);
}

static void noise_is_no_dump(void **state)
{
	char path[64], bytes[5000];
	int fd = memfd_create("noise", 0);
	struct dump_info info;
	struct err err;

	srand(1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)rand();
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_null(mem_kdumpfile_open(path, &info, &err));
	assert_int_equal(err.code, ERR_INVALID);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_of_every_paging), cmocka_unit_test(every_compression),
		cmocka_unit_test(optional_compressions), cmocka_unit_test(flattened),
		cmocka_unit_test(cut_short), cmocka_unit_test(noise_is_no_dump),
		cmocka_unit_test(a_size_without_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
