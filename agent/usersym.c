// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/usersym.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/nearest.h"

Elf *usersym_open(const char *path, int *fd, struct err *err)
{
	GElf_Ehdr eh;
	Elf *elf;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		err_set(err, ERR_ABSENT, "%s: %s", path, strerror(errno));
		return NULL;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(*fd, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &eh))
		err_set(err, ERR_CORRUPT, "%s: not an ELF file", path);
	else if (eh.e_machine != EM_X86_64)
		err_set(err, ERR_UNSUPPORTED, "%s: not an x86-64 program", path);
	else
		return elf;
	elf_end(elf);
	return NULL;
}

/* Call fn for every symbol that has an address, until it returns non-zero. */
static void each_symbol(Elf *elf, int (*fn)(const char *name, const GElf_Sym *sym, void *arg), void *arg)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || (sh.sh_type != SHT_SYMTAB && sh.sh_type != SHT_DYNSYM) ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++) {
			const char *name = elf_strptr(elf, sh.sh_link, sym.st_name);

			if (name && *name && sym.st_value && fn(name, &sym, arg))
				return;
		}
	}
}

struct search {
	const char *name;
	uint64_t addr;
};

static int is_wanted(const char *name, const GElf_Sym *sym, void *arg)
{
	struct search *s = arg;

	if (strcmp(name, s->name) != 0)
		return 0;
	s->addr = sym->st_value;
	return 1;
}

uint64_t usersym_address(Elf *elf, const char *name)
{
	struct search s = { .name = name };

	each_symbol(elf, is_wanted, &s);
	return s.addr;
}

uint64_t usersym_offset(Elf *elf, uint64_t addr)
{
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++) {
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && addr >= ph.p_vaddr &&
		    addr - ph.p_vaddr < ph.p_filesz)
			return addr - ph.p_vaddr + ph.p_offset;
	}
	return 0;
}

static int offer(const char *name, const GElf_Sym *sym, void *arg)
{
	if (GELF_ST_TYPE(sym->st_info) == STT_FUNC)
		nearest_offer(arg, name);
	return 0;
}

static int no_symbol(Elf *elf, const char *path, const char *name, struct err *err)
{
	struct nearest near = nearest_init(name);

	each_symbol(elf, offer, &near);
	return err_set(err, ERR_ABSENT, "%s has no function '%s'%s%s%s", path, name,
		       nearest_best(&near) ? "; did you mean '" : "", nearest_best(&near) ? nearest_best(&near) : "",
		       nearest_best(&near) ? "'?" : " (is it stripped?)");
}

int usersym_find(struct arena *a, const char *path, const char *where, uint64_t *offset, struct err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(usersym_end) Elf *elf = usersym_open(path, &fd, err);
	const char *plus = strchr(where, '+');
	char *name, *end = NULL;
	uint64_t addr, add = 0;

	if (!elf)
		return -1;
	if (plus) {
		add = strtoull(plus + 1, &end, 0);
		if (end == plus + 1 || *end)
			return err_set(err, ERR_INVALID, "'%s': '%s' is no offset", where, plus + 1);
	}
	name = plus ? arena_strndup(a, where, (size_t)(plus - where)) : arena_strdup(a, where);
	addr = strtoull(name, &end, 0);
	if (end == name || *end)
		addr = usersym_address(elf, name);
	if (!addr)
		return no_symbol(elf, path, name, err);
	*offset = usersym_offset(elf, addr + add);
	if (!*offset)
		return err_set(err, ERR_ABSENT, "%s: nothing is loaded at 0x%llx", path, (unsigned long long)(addr + add));
	return 0;
}
