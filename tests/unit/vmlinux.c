// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump/vmlinux.c, compat.c: the namelist that is made from a dump, from a dump file made from text (dumpfile.h), read
 * back by libelf and libdw: symbols as linked, per-CPU ones, their sizes; contents; and each thing that a kernel moved
 * shown where old debuggers look for it, on a kernel that moved it and on one that did not.
 */
#include "tests/unit/test.h"
#include "tests/unit/dumpfile.h"
#include "tests/unit/libdw.h"

#include "kdump/compat.h"
#include "kdump/mem.h"
#include "kdump/vmlinux.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#define BTF_AT 0xffffffff81700000ull
#define SLIDE "0x12000000"

static const char text[] =
	"machine x86_64\n"
	"kaslr " SLIDE "\n"
	"vmcoreinfo OSRELEASE 6.12.0-test\n"
	"symbol A __per_cpu_start 0x0\n"
	"symbol d pcpu_hot 0x1000\n"
	"symbol D runqueues 0x2000\n"
	"symbol A __per_cpu_end 0x3000\n"
	"symbol T _text 0xffffffff81000000\n"
	"symbol T _stext 0xffffffff81000000\n"
	"symbol T io_schedule 0xffffffff81000100\n"
	"symbol t __pfx___schedule 0xffffffff810001f0\n"
	"symbol t __schedule 0xffffffff81000200\n"
	"symbol W weak_one 0xffffffff81000400\n"
	"symbol T _etext 0xffffffff81003000\n"
	"symbol R __start_rodata 0xffffffff81100000\n"
	"symbol R linux_banner 0xffffffff81100100\n"
	"symbol R __start_BTF 0xffffffff81700000\n"
	"symbol R __stop_BTF 0xffffffff8170%04x\n"
	"symbol R __end_rodata 0xffffffff81102000\n"
	"symbol D _sdata 0xffffffff81800000\n"
	"symbol D init_task 0xffffffff81800100\n"
	"symbol D modules 0xffffffff81800200\n"
	"symbol b tick_nsec 0xffffffff81800300\n"
	"symbol R __start_orc_unwind_ip 0xffffffff81801000\n"
	"symbol R __stop_orc_unwind_ip 0xffffffff81801010\n"
	"symbol R __start_orc_unwind 0xffffffff81802000\n"
	"symbol R __stop_orc_unwind 0xffffffff81802018\n"
	"symbol T _sinittext 0xffffffff81900000\n"
	"symbol T _einittext 0xffffffff81901000\n"
	"at 0xffffffff81000200 \"code of __schedule\"\n"
	"at 0xffffffff81001000 \"left out\"\nabsent 0xffffffff81001000\n"
	"at 0xffffffff81002000 \"behind it\"\n"
	"at 0xffffffff81100100 \"Linux version 6.12.0-test\" b:10 b:0\n"
	"at 0xffffffff81800300 q:4000000\n"
	"at 0xffffffff81801000 d:1 d:2 d:3 d:4\n"
	/* nothing known; the end; a call, by the stack pointer; registers, and a signal */
	"at 0xffffffff81802000 w:8 w:0 w:0x0000 w:8 w:0 w:0x0100 w:16 w:-16 w:0x0215 w:0 w:0 w:0x0b05\n";

struct made {
	struct dumpfile *d;
	struct kernel *k;
	int dump, file;
	Elf *elf;
	Dwarf *dw;
	struct vmlinux_stats stats;
};

static void add_member(struct btf *btf, const char *name, int type, uint32_t bytes)
{
	assert_int_equal(btf__add_field(btf, name, type, bytes * 8, 0), 0);
}

/* Types as a kernel has them that moved everything (moved) or nothing. */
static struct btf *kernel_types(bool moved)
{
	struct btf *btf = btf__new_empty();
	int i32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), u32 = btf__add_int(btf, "unsigned int", 4, 0);
	int u64 = btf__add_int(btf, "long unsigned int", 8, 0), pointer = btf__add_ptr(btf, 0), list, part, mem, upid;

	btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	list = btf__add_struct(btf, "list_head", 16);
	add_member(btf, "next", pointer, 0);
	btf__add_struct(btf, "task_struct", 128);
	add_member(btf, "pid", i32, 0);
	btf__add_struct(btf, "rq", 64);
	add_member(btf, "nr_running", u32, 0);
	btf__add_var(btf, "runqueues", BTF_VAR_GLOBAL_ALLOCATED, (int)btf__type_cnt(btf) - 1);
	btf__add_struct(btf, "orc_entry", 6);
	add_member(btf, "sp_offset", i32, 0);
	btf__add_field(btf, "type", u32, 40, moved ? 3 : 2);
	upid = btf__add_struct(btf, "upid", 16);
	add_member(btf, "nr", i32, 0);
	part = btf__add_array(btf, u32, upid, moved ? 0 : 1);
	btf__add_struct(btf, "pid", moved ? 32 : 48);
	add_member(btf, "numbers", part, 32);
	part = btf__add_struct(btf, NULL, 32);
	add_member(btf, "mm_count", i32, 0);
	if (!moved)
		btf__add_struct(btf, "mm_rss_stat", 8);
	if (!moved)
		add_member(btf, "count", u64, 0);
	btf__add_struct(btf, "mm_struct", 40);
	add_member(btf, NULL, part, 0);
	add_member(btf, "rss_stat", u64, 32);
	if (moved) {
		btf__add_struct(btf, "pcpu_hot", 64);
		add_member(btf, "current_task", pointer, 0);
		add_member(btf, "cpu_number", i32, 12);
		add_member(btf, "hardirq_stack_ptr", pointer, 32);
	}
	part = btf__add_struct(btf, "module_memory", 16);
	add_member(btf, "base", pointer, 0);
	add_member(btf, "size", u32, 8);
	mem = btf__add_array(btf, u32, part, 7);
	btf__add_struct(btf, "module", 256);
	add_member(btf, "state", i32, 0);
	add_member(btf, "list", list, 8);
	add_member(btf, "num_syms", u32, 24);
	add_member(btf, "num_gpl_syms", u32, 28);
	add_member(btf, moved ? "mem" : "core_layout", moved ? mem : part, 64);
	return btf;
}

static struct made make(bool moved)
{
	struct made m = { .file = memfd_create("vmlinux", 0) };
	struct btf *btf = kernel_types(moved);
	struct dump_info info;
	struct err err;
	char path[64], whole[sizeof(text) + 16];
	const void *raw;
	struct mem *mem;
	uint32_t size;

	raw = btf__raw_data(btf, &size);
	snprintf(whole, sizeof(whole), text, size);
	m.d = dumpfile_create(whole);
	df_put(m.d, BTF_AT, raw, size);
	btf__free(btf);
	m.dump = dumpfile_write(m.d, DF_ZLIB, false, 0, path);
	mem = mem_kdumpfile_open(path, &info, &err);
	m.k = mem ? kernel_from_dump(mem, &info, &err) : NULL;
	if (!m.k || vmlinux_write(m.k, m.file, &m.stats, &err))
		fail_msg("%s", err.msg);
	lseek(m.file, 0, SEEK_SET);
	m.dw = libdw_open(m.file);
	m.elf = dwarf_getelf(m.dw);
	return m;
}

static void unmake(struct made *m)
{
	dwarf_end(m->dw);
	close(m->file);
	close(m->dump);
	kernel_destroy(m->k);
	dumpfile_destroy(m->d);
}

static Elf_Scn *section(struct made *m, const char *name)
{
	Elf_Scn *scn = NULL;
	Elf64_Shdr *sh;
	size_t names;

	assert_int_equal(elf_getshdrstrndx(m->elf, &names), 0);
	while ((scn = elf_nextscn(m->elf, scn))) {
		sh = elf64_getshdr(scn);
		if (!strcmp(elf_strptr(m->elf, names, sh->sh_name), name))
			return scn;
	}
	return NULL;
}

static const uint8_t *bytes_at(struct made *m, const char *name, uint64_t addr)
{
	Elf_Scn *scn = section(m, name);

	assert_non_null(scn);
	return (const uint8_t *)elf_getdata(scn, NULL)->d_buf + (addr - elf64_getshdr(scn)->sh_addr);
}

static bool symbol(struct made *m, const char *name, Elf64_Sym *ret)
{
	Elf_Scn *scn = section(m, ".symtab");
	const Elf_Data *data = elf_getdata(scn, NULL);
	const Elf64_Shdr *sh = elf64_getshdr(scn);

	for (size_t i = 0; i < data->d_size / sizeof(*ret); i++) {
		memcpy(ret, (const Elf64_Sym *)data->d_buf + i, sizeof(*ret));
		assert_int_equal(GELF_ST_BIND(ret->st_info) == STB_LOCAL, i < sh->sh_info);
		if (!strcmp(elf_strptr(m->elf, sh->sh_link, ret->st_name), name))
			return true;
	}
	return false;
}

static void check_symbol(struct made *m, const char *name, uint64_t value, uint64_t size, int bind, int type)
{
	Elf64_Sym s;

	if (!symbol(m, name, &s))
		fail_msg("no symbol %s", name);
	if (s.st_value != value || s.st_size != size)
		fail_msg("%s: 0x%lx, %lu bytes", name, s.st_value, s.st_size);
	assert_int_equal(GELF_ST_BIND(s.st_info), bind);
	assert_int_equal(GELF_ST_TYPE(s.st_info), type);
}

static void symbols_as_linked(void **state)
{
	struct made m = make(true);
	Elf64_Sym s;

	check_symbol(&m, "io_schedule", 0xffffffff81000100, 0x100, STB_GLOBAL, STT_FUNC);	/* up to a local one */
	check_symbol(&m, "__schedule", 0xffffffff81000200, 0x200, STB_LOCAL, STT_FUNC);
	check_symbol(&m, "weak_one", 0xffffffff81000400, 0x2c00, STB_WEAK, STT_FUNC);
	check_symbol(&m, "init_task", 0xffffffff81800100, 0x100, STB_GLOBAL, STT_OBJECT);
	check_symbol(&m, "runqueues", 0x2000, 0x1000, STB_GLOBAL, STT_OBJECT);
	assert_false(symbol(&m, "__pfx___schedule", &s));
	assert_true(symbol(&m, "runqueues", &s));
	assert_int_equal(s.st_shndx, elf_ndxscn(section(&m, ".data..percpu")));
	assert_int_equal(m.stats.symbols, 27);
	assert_int_equal(m.stats.globals, 8);
	unmake(&m);
}

static void contents_of_the_dump(void **state)
{
	static const uint8_t zeros[4096];
	struct made m = make(true);

	assert_memory_equal(bytes_at(&m, ".text", 0xffffffff81000200), "code of __schedule", 18);
	assert_memory_equal(bytes_at(&m, ".text", 0xffffffff81001000), zeros, 4096);	/* absent */
	assert_memory_equal(bytes_at(&m, ".text", 0xffffffff81002000), "behind it", 9);
	assert_string_equal((const char *)bytes_at(&m, ".banner", 0), "Linux version 6.12.0-test\n");
	assert_memory_equal(bytes_at(&m, ".orc_unwind_ip", 0xffffffff81801004), "\2\0\0\0", 4);
	assert_int_equal(elf64_getshdr(section(&m, ".init.text"))->sh_type, SHT_NOBITS);
	unmake(&m);
}

static void globals_of_known_type(void **state)
{
	struct made m = make(true);
	Dwarf_Die die;

	assert_true(libdw_find(m.dw, DW_TAG_variable, "init_task", &die));
	assert_int_equal(libdw_address(&die), 0xffffffff81800100);
	assert_string_equal(libdw_type(&die), "struct task_struct");
	assert_true(libdw_find(m.dw, DW_TAG_variable, "runqueues", &die));	/* BTF's own variable */
	assert_string_equal(libdw_type(&die), "struct rq");
	assert_false(libdw_find(m.dw, DW_TAG_variable, "tick_nsec", &die));	/* a symbol, and nobody knows its type */
	unmake(&m);
}

/* The member of a struct as a debugger sees it: its place, or -1. */
static int64_t place(struct made *m, const char *type, const char *name)
{
	Dwarf_Die die, member;

	assert_true(libdw_find(m->dw, DW_TAG_structure_type, type, &die));
	return libdw_child(&die, name, &member) ? (int64_t)libdw_number(&member, DW_AT_data_member_location) : -1;
}

static uint64_t size_of(struct made *m, const char *type)
{
	Dwarf_Die die;

	assert_true(libdw_find(m->dw, DW_TAG_structure_type, type, &die));
	return libdw_number(&die, DW_AT_byte_size);
}

static void what_moved_is_where_it_was(void **state)
{
	static const uint8_t orc[] = { 8, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 12, 16, 0, 240, 255, 0x15, 0, 0, 0, 0, 0, 5, 5 };
	struct made m = make(true);
	Dwarf_Die die;

	check_symbol(&m, "cpu_number", 0x100c, 0x14, STB_GLOBAL, STT_OBJECT);
	check_symbol(&m, "current_task", 0x1000, 12, STB_GLOBAL, STT_OBJECT);
	check_symbol(&m, "hardirq_stack_ptr", 0x1020, 0xfe0, STB_GLOBAL, STT_OBJECT);
	check_symbol(&m, "dd_init_queue", 0xffffffff81900000, 0x1000, STB_GLOBAL, STT_OBJECT);
	assert_true(libdw_find(m.dw, DW_TAG_variable, "cpu_number", &die));
	assert_int_equal(libdw_address(&die), 0x100c);
	assert_true(libdw_find(m.dw, DW_TAG_variable, "write_expire", &die));	/* 5 * HZ, of a tick of 4 ms */
	assert_int_equal(libdw_signed(&die, DW_AT_const_value), 1250);
	assert_int_equal(place(&m, "mm_struct", "rss_stat"), -1);
	assert_int_equal(place(&m, "mm_struct", "rss_stat_counters"), 32);
	assert_int_equal(size_of(&m, "pid"), 48);	/* one number is within it again */
	assert_int_equal(place(&m, "module", "module_core"), 64);
	assert_int_equal(place(&m, "module", "core_size"), 64 + 8);
	assert_int_equal(place(&m, "module", "module_init"), 64 + 16);
	assert_int_equal(place(&m, "module", "init_text_size"), 64 + 4 * 16 + 8);
	assert_int_equal(place(&m, "module", "num_exported"), 24);
	assert_int_equal(place(&m, "module", "num_syms"), 0);
	assert_memory_equal(bytes_at(&m, ".orc_unwind", 0xffffffff81802000), orc, sizeof(orc));
	assert_memory_equal(bytes_at(&m, ".orc_header", 0), compat_orc_header, sizeof(compat_orc_header));
	unmake(&m);
}

static void what_did_not_move_stays(void **state)
{
	struct made m = make(false);
	Elf64_Sym s;

	assert_false(symbol(&m, "cpu_number", &s));
	assert_int_equal(place(&m, "mm_struct", "rss_stat"), 32);
	assert_int_equal(size_of(&m, "pid"), 48);
	assert_int_equal(place(&m, "module", "module_core"), -1);
	assert_int_equal(place(&m, "module", "num_syms"), 24);
	assert_memory_equal(bytes_at(&m, ".orc_unwind", 0xffffffff8180200c), "\20\0\360\377\25\2", 6);
	assert_null(section(&m, ".orc_header"));
	unmake(&m);
}

/* Without types or symbols there is no namelist, and the error says what the dump lacks. */
static void a_dump_without_types(void **state)
{
	struct made m = { .file = memfd_create("vmlinux", 0) };
	struct dump_info info;
	struct err err = { 0 };
	char path[64];
	struct mem *mem;

	m.d = dumpfile_create("machine x86_64\nvmcoreinfo OSRELEASE 6.12.0-test\nsymbol T _text 0xffffffff81000000\n");
	m.dump = dumpfile_write(m.d, DF_ELF, false, 0, path);
	mem = mem_kdumpfile_open(path, &info, &err);
	m.k = mem ? kernel_from_dump(mem, &info, &err) : NULL;
	assert_non_null(m.k);
	assert_int_equal(vmlinux_write(m.k, m.file, &m.stats, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_non_null(strstr(err.msg, "__start_BTF"));
	close(m.file);
	close(m.dump);
	kernel_destroy(m.k);
	dumpfile_destroy(m.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_as_linked),
		cmocka_unit_test(contents_of_the_dump),
		cmocka_unit_test(globals_of_known_type),
		cmocka_unit_test(what_moved_is_where_it_was),
		cmocka_unit_test(what_did_not_move_stays),
		cmocka_unit_test(a_dump_without_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
