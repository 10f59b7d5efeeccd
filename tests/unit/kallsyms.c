// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/kallsyms.c, kdump/vmcoreinfo.c: symbols of a dead kernel from untrusted bytes. */
#include "tests/unit/test.h"

#include "kdump/kallsyms.h"
#include "kdump/vmcoreinfo.h"
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

/* One symbol of a table made for a test; the name with its type letter in front. */
struct sym {
	const char *name;
	int32_t offset;
};

/* Token i is the letter i, but 0x80 stands for "vfs_": a table as scripts/kallsyms.c writes it. */
static struct kallsyms_raw make(const struct sym *syms, uint32_t n, uint64_t base)
{
	struct kallsyms_raw raw = { .num = n, .relative_base = base };
	struct buf names = BUF_INIT, tokens = BUF_INIT;

	for (int i = 0; i < 256; i++) {
		raw.token_index[i] = (uint16_t)tokens.len;
		if (i == 0x80)
			buf_puts(&tokens, "vfs_");
		else
			buf_putc(&tokens, (char)(i ? i : '?'));
		buf_putc(&tokens, 0);
	}
	raw.offsets = malloc(4 * n);
	for (uint32_t i = 0; i < n; i++) {
		size_t len = strlen(syms[i].name);

		if (len > 127) {
			buf_putc(&names, (char)(0x80 | (len & 0x7f)));
			buf_putc(&names, (char)(len >> 7));
		} else {
			buf_putc(&names, (char)len);
		}
		buf_puts(&names, syms[i].name);
		raw.offsets[i] = syms[i].offset;
	}
	raw.names_len = names.len;
	raw.names = (uint8_t *)buf_steal(&names);
	raw.token_table_len = tokens.len;
	raw.token_table = buf_steal(&tokens);
	return raw;
}

static char longest[300];

static void finds_names_and_addresses(void **state)
{
	const struct sym syms[] = {
		{ "Acpu_number", 0x20 }, { "T_stext", -1 }, { "T\200read", -0x101 }, { "talias", -0x101 },
		{ longest, -0x201 },
	};
	struct kallsyms_raw raw;
	struct kallsyms *s;
	struct err err;
	char name[KALLSYMS_NAME_MAX], type;
	uint64_t addr;

	memset(longest, 'x', sizeof(longest) - 1);
	raw = make(syms, 5, 0xffffffff81000000);
	s = kallsyms_create(&raw, &err);
	assert_non_null(s);
	assert_int_equal(kallsyms_find(s, "vfs_read", &addr, &err), 0);
	assert_int_equal(addr, 0xffffffff81000100);
	assert_int_equal(kallsyms_find(s, "cpu_number", &addr, &err), 0);
	assert_int_equal(addr, 0x20);
	assert_int_equal(kallsyms_find(s, longest + 1, &addr, &err), 0);
	assert_int_equal(addr, 0xffffffff81000200);
	assert_int_equal(kallsyms_find(s, "vfs_rea", &addr, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_int_equal(kallsyms_at(s, 0xffffffff810001ff, name, sizeof(name), &addr, &err), 0);
	assert_string_equal(name, "vfs_read");
	assert_int_equal(addr, 0xffffffff81000100);
	assert_int_equal(kallsyms_at(s, 0x1f, name, sizeof(name), &addr, &err), -1);
	kallsyms_get(s, 2, &type, name, 4);
	assert_string_equal(name, "vfs");
	assert_int_equal(type, 'T');
	kallsyms_destroy(s);
}

static void without_negative_offsets_all_are_relative(void **state)
{
	const struct sym syms[] = { { "T_stext", 0 }, { "Tb", 0x10 } };
	struct kallsyms_raw raw = make(syms, 2, 0xffffffff81000000);
	struct kallsyms *s = kallsyms_create(&raw, NULL);
	uint64_t addr;

	assert_int_equal(kallsyms_find(s, "b", &addr, NULL), 0);
	assert_int_equal(addr, 0xffffffff81000010);
	kallsyms_destroy(s);
}

static void refuses_tables_that_do_not_fit(void **state)
{
	const struct sym syms[] = { { "T_stext", 0 }, { "Tbbbb", 0x10 } };
	struct kallsyms_raw raw;
	struct err err;

	raw = make(syms, 2, 0);
	raw.names_len -= 2;
	assert_null(kallsyms_create(&raw, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	raw = make(syms, 2, 0);
	raw.token_index[9] = 0xffff;
	assert_null(kallsyms_create(&raw, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	raw = make(syms, 2, 0);
	raw.token_table[raw.token_table_len - 1] = 'x';
	assert_null(kallsyms_create(&raw, &err));
	raw = make(syms, 2, 0);
	raw.names[0] = 0;
	assert_null(kallsyms_create(&raw, &err));
}

static void survives_any_bytes(void **state)
{
	const struct sym syms[] = { { "T_stext", 0 }, { "T\200read", 0x10 }, { "tc", -0x20 } };
	char name[64], type;
	uint64_t addr;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct kallsyms_raw raw = make(syms, 3, 0x1000);
		struct kallsyms *s;

		raw.names[(size_t)rand() % raw.names_len] ^= (uint8_t)rand();
		raw.token_table[(size_t)rand() % raw.token_table_len] ^= (char)rand();
		raw.token_index[rand() % 256] = (uint16_t)(rand() % 700);
		raw.offsets[rand() % 3] = (int32_t)rand();
		s = kallsyms_create(&raw, NULL);
		if (!s)
			continue;
		kallsyms_find(s, "vfs_read", &addr, NULL);
		kallsyms_at(s, (uint64_t)rand(), name, sizeof(name), &addr, NULL);
		kallsyms_get(s, 1, &type, name, sizeof(name));
		kallsyms_destroy(s);
	}
}

static void vmcoreinfo_is_read_by_line(void **state)
{
	static const char text[] = "OSRELEASE=6.12.1\nSYMBOL(_stext)=ffffffff81000000\nSYMBOL(bad)=12x\n"
				   "XOSRELEASE=no\nEMPTY=\nLAST=end";
	char value[8];
	struct err err;
	uint64_t addr;

	assert_int_equal(vmcoreinfo_get(text, "OSRELEASE", value, sizeof(value), &err), 0);
	assert_string_equal(value, "6.12.1");
	assert_int_equal(vmcoreinfo_get(text, "EMPTY", value, sizeof(value), &err), 0);
	assert_string_equal(value, "");
	assert_int_equal(vmcoreinfo_get(text, "LAST", value, sizeof(value), &err), 0);
	assert_string_equal(value, "end");
	assert_int_equal(vmcoreinfo_get(text, "SYMBOL(_stext)", value, sizeof(value), &err), 0);
	assert_string_equal(value, "fffffff");
	assert_int_equal(vmcoreinfo_get(text, "RELEASE", value, sizeof(value), &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_int_equal(vmcoreinfo_symbol(text, "_stext", &addr, &err), 0);
	assert_int_equal(addr, 0xffffffff81000000);
	assert_int_equal(vmcoreinfo_symbol(text, "bad", &addr, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_names_and_addresses),
		cmocka_unit_test(without_negative_offsets_all_are_relative),
		cmocka_unit_test(refuses_tables_that_do_not_fit),
		cmocka_unit_test(survives_any_bytes),
		cmocka_unit_test(vmcoreinfo_is_read_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
