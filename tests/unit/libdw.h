/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdw.h - DWARF as a debugger reads it. libdw_of() goes through everything once: each entry must be well-formed, and
 * each reference must lead to an entry.
 */
#ifndef TESTS_UNIT_LIBDW_H
#define TESTS_UNIT_LIBDW_H

#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include "kdump/dwarf.h"

static inline bool libdw_target(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, DW_AT_type, &a) && dwarf_formref_die(&a, ret);
}

static inline void libdw_check(Dwarf_Die *die, int depth)
{
	Dwarf_Die child, target;
	int rc;

	assert_true(depth < 4);
	assert_int_not_equal(dwarf_tag(die), DW_TAG_invalid);
	if (dwarf_hasattr(die, DW_AT_type)) {
		assert_true(libdw_target(die, &target));
		assert_int_not_equal(dwarf_tag(&target), DW_TAG_invalid);
		assert_int_not_equal(dwarf_tag(&target), DW_TAG_member);
	}
	for (rc = dwarf_child(die, &child); rc == 0; rc = dwarf_siblingof(&child, &child))
		libdw_check(&child, depth + 1);
	assert_int_equal(rc, 1);
}

/* Calls fn for each unit's entry until it returns true. */
static inline bool libdw_units(Dwarf *dw, bool (*fn)(Dwarf_Die *unit, void *arg), void *arg)
{
	Dwarf_Off off = 0, next;
	size_t head;
	Dwarf_Die unit;
	int rc;

	while ((rc = dwarf_nextcu(dw, off, &next, &head, NULL, NULL, NULL)) == 0) {
		assert_non_null(dwarf_offdie(dw, off + head, &unit));
		if (fn(&unit, arg))
			return true;
		off = next;
	}
	assert_int_equal(rc, 1);
	return false;
}

static inline bool libdw_check_unit(Dwarf_Die *unit, void *arg)
{
	libdw_check(unit, 0);
	return false;
}

static inline Dwarf *libdw_open(int fd)
{
	Dwarf *dw = dwarf_begin(fd, DWARF_C_READ);

	if (!dw)
		fail_msg("libdw: %s", dwarf_errmsg(-1));
	libdw_units(dw, libdw_check_unit, NULL);
	return dw;
}

static inline void libdw_section(Elf *elf, struct buf *names, const char *name, const struct buf *data)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *e = elf_newdata(scn);
	Elf64_Shdr *sh = elf64_getshdr(scn);

	e->d_buf = data->data;
	e->d_size = data->len;
	sh->sh_type = SHT_PROGBITS;
	sh->sh_name = (Elf64_Word)buf_add(names, name, strlen(name) + 1);
}

/* The sections in an ELF file, opened; libdw_end() ends both. */
static inline Dwarf *libdw_of(struct dwarf *d)
{
	int fd = memfd_create("dwarf", 0);
	struct buf names = BUF_INIT;
	Elf64_Ehdr *eh;
	Elf_Scn *scn;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	eh = elf64_newehdr(elf);
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	buf_putc(&names, 0);
	libdw_section(elf, &names, ".debug_info", &d->info);
	libdw_section(elf, &names, ".debug_abbrev", &d->abbrev);
	libdw_section(elf, &names, ".debug_str", &d->str);
	buf_add(&names, ".shstrtab", 10);
	scn = elf_newscn(elf);
	elf64_getshdr(scn)->sh_type = SHT_STRTAB;
	elf64_getshdr(scn)->sh_name = (Elf64_Word)names.len - 10;
	*elf_newdata(scn) = (Elf_Data){ .d_buf = names.data, .d_size = names.len, .d_align = 1, .d_version = EV_CURRENT };
	eh->e_shstrndx = (Elf64_Half)elf_ndxscn(scn);
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	buf_deinit(&names);
	lseek(fd, 0, SEEK_SET);
	return libdw_open(fd);
}

static inline void libdw_end(Dwarf *dw, struct dwarf *d)
{
	dwarf_end(dw);
	dwarf_deinit(d);
}

struct libdw_want {
	int tag;
	const char *name;
	Dwarf_Die *ret;
};

/* The entry right below this one with the name; NULL: the first that has none. */
static inline bool libdw_child(Dwarf_Die *die, const char *name, Dwarf_Die *ret)
{
	const char *have;

	if (dwarf_child(die, ret))
		return false;
	do {
		have = dwarf_diename(ret);
		if (name ? have && !strcmp(have, name) : !have)
			return true;
	} while (!dwarf_siblingof(ret, ret));
	return false;
}

static inline bool libdw_find_in(Dwarf_Die *unit, void *arg)
{
	struct libdw_want *w = arg;
	const char *name;

	if (dwarf_child(unit, w->ret))
		return false;
	do {
		name = dwarf_diename(w->ret);
		if (dwarf_tag(w->ret) == w->tag && name && !strcmp(name, w->name))
			return true;
	} while (!dwarf_siblingof(w->ret, w->ret));
	return false;
}

/* The first entry of a unit with this tag and name. */
static inline bool libdw_find(Dwarf *dw, int tag, const char *name, Dwarf_Die *ret)
{
	struct libdw_want w = { tag, name, ret };

	return libdw_units(dw, libdw_find_in, &w);
}

static inline uint64_t libdw_number(Dwarf_Die *die, unsigned int attr)
{
	Dwarf_Attribute a;
	Dwarf_Word v = 0;
	bool flag;

	assert_non_null(dwarf_attr(die, attr, &a));
	if (!dwarf_formflag(&a, &flag))
		return flag;
	assert_int_equal(dwarf_formudata(&a, &v), 0);
	return v;
}

static inline int64_t libdw_signed(Dwarf_Die *die, unsigned int attr)
{
	Dwarf_Attribute a;
	Dwarf_Sword v = 0;

	assert_non_null(dwarf_attr(die, attr, &a));
	assert_int_equal(dwarf_formsdata(&a, &v), 0);
	return v;
}

/* Where a variable is. */
static inline uint64_t libdw_address(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t n;

	assert_non_null(dwarf_attr(die, DW_AT_location, &a));
	assert_int_equal(dwarf_getlocation(&a, &ops, &n), 0);
	assert_true(n == 1 && ops[0].atom == DW_OP_addr);
	return ops[0].number;
}

static inline void libdw_print(Dwarf_Die *die, struct buf *b);

static inline void libdw_print_parameters(Dwarf_Die *die, struct buf *b)
{
	const char *sep = " (";
	Dwarf_Die p, t;
	int rc;

	for (rc = dwarf_child(die, &p); rc == 0; rc = dwarf_siblingof(&p, &p), sep = ", ") {
		buf_puts(b, sep);
		if (dwarf_tag(&p) == DW_TAG_unspecified_parameters)
			buf_puts(b, "...");
		else if (libdw_target(&p, &t))
			libdw_print(&t, b);
	}
	buf_puts(b, ")");
}

/* A type as C has it, nearly: modifiers before, pointers and arrays behind. */
static inline void libdw_print(Dwarf_Die *die, struct buf *b)
{
	int tag = dwarf_tag(die);
	const char *name = dwarf_diename(die);
	Dwarf_Die t, range;
	bool known = libdw_target(die, &t);

	buf_puts(b, tag == DW_TAG_const_type ? "const " : tag == DW_TAG_volatile_type ? "volatile " :
		tag == DW_TAG_structure_type ? "struct " : tag == DW_TAG_union_type ? "union " : "");
	if (name)
		buf_puts(b, name);
	else if (known)
		libdw_print(&t, b);
	else if (tag != DW_TAG_structure_type && tag != DW_TAG_union_type)
		buf_puts(b, "void");
	if (tag == DW_TAG_pointer_type)
		buf_puts(b, buf_str(b)[b->len - 1] == '*' ? "*" : " *");
	if (tag == DW_TAG_subroutine_type)
		libdw_print_parameters(die, b);
	if (tag == DW_TAG_array_type && !dwarf_child(die, &range))
		buf_printf(b, "[%llu]", (unsigned long long)libdw_number(&range, DW_AT_count));
}

/* The type that an entry has; valid until the next call. */
static inline const char *libdw_type(Dwarf_Die *die)
{
	static char text[256];
	struct buf b = BUF_INIT;
	Dwarf_Die t;

	assert_true(libdw_target(die, &t));
	libdw_print(&t, &b);
	snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_deinit(&b);
	return text;
}

#endif
