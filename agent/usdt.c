// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/usdt.h"

#include <gelf.h>
#include <string.h>

#include "agent/usersym.h"
#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/cursor.h"

#define NT_STAPSDT 3
#define NOTES_MAX 100000

static uint64_t find_symbol(const char *name, void *arg)
{
	return usersym_address(arg, name);
}

static void parse_args(Elf *elf, const char *args, uint64_t pc, struct df_usdt_site *site)
{
	while (site->nargs < DF_USDT_ARGS) {
		size_t len;

		args += strspn(args, " ");
		len = strcspn(args, " ");
		if (!len)
			return;
		if (!usdt_operand(args, len, pc, find_symbol, elf, &site->args[site->nargs])) {
			/* unknown: reading it fails */
			site->args[site->nargs] = (struct df_usdt_arg){ .kind = DF_USDT_MEM, .reg = DF_USDT_NO_REG, .size = 8 };
		}
		site->nargs++;
		args += len;
	}
}

/* One note: pc, base, semaphore, then three strings. base tells how far prelink moved the program. */
static bool parse_note(struct arena *a, Elf *elf, const void *desc, size_t len, uint64_t base_addr, struct usdt_note *n)
{
	struct cursor c = cursor_init(desc, len);
	uint64_t pc = cursor_u64(&c), base = cursor_u64(&c), semaphore = cursor_u64(&c);
	const char *provider = cursor_str(&c), *name = cursor_str(&c), *args = cursor_str(&c);

	if (!args)
		return false;
	memset(n, 0, sizeof(*n));
	if (base_addr) {
		pc += base_addr - base;
		semaphore += semaphore ? base_addr - base : 0;
	}
	n->provider = arena_strdup(a, provider);
	n->name = arena_strdup(a, name);
	n->args = arena_strdup(a, args);
	n->offset = usersym_offset(elf, pc);
	n->semaphore = semaphore ? usersym_offset(elf, semaphore) : 0;
	parse_args(elf, args, pc, &n->site);
	return n->offset != 0;
}

static void parse_notes(struct arena *a, Elf *elf, Elf_Data *data, uint64_t base_addr, struct usdt_note **ret,
			uint32_t *n)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr nh;

	while ((at = gelf_getnote(data, at, &nh, &name_at, &desc_at)) > 0 && *n < NOTES_MAX) {
		const char *bytes = data->d_buf;
		struct usdt_note note;

		if (nh.n_type != NT_STAPSDT || nh.n_namesz != 8 || memcmp(bytes + name_at, "stapsdt", 8) != 0 ||
		    !parse_note(a, elf, bytes + desc_at, nh.n_descsz, base_addr, &note))
			continue;
		*ret = arena_grow(a, *ret, *n, sizeof(**ret));
		(*ret)[(*n)++] = note;
	}
}

static void read_sections(struct arena *a, Elf *elf, struct usdt_note **ret, uint32_t *n)
{
	Elf_Scn *scn = NULL, *notes = NULL;
	uint64_t base_addr = 0;
	size_t strndx;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &strndx))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, strndx, sh.sh_name) : NULL;

		if (name && !strcmp(name, ".note.stapsdt"))
			notes = scn;
		else if (name && !strcmp(name, ".stapsdt.base"))
			base_addr = sh.sh_addr;
	}
	if (notes && elf_getdata(notes, NULL))
		parse_notes(a, elf, elf_getdata(notes, NULL), base_addr, ret, n);
}

int usdt_read(struct arena *a, const char *path, struct usdt_note **ret, uint32_t *n, struct err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(usersym_end) Elf *elf = usersym_open(path, &fd, err);

	*ret = NULL;
	*n = 0;
	if (!elf)
		return -1;
	read_sections(a, elf, ret, n);
	if (!*n)
		return err_set(err, ERR_ABSENT, "%s has no USDT probes (section .note.stapsdt)", path);
	return 0;
}
