// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/usyms.h"
#include "lib/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <gelf.h>

#define FILES_MAX 64
#define SYMBOLS_MAX (1u << 20)

struct symbol {
	uint64_t addr, size;
	const char *name;
};

struct segment {
	uint64_t offset, vaddr, size;
};

/* One build-id that was asked for. */
struct file {
	uint8_t id[USYMS_ID];
	struct symbol *symbols;	/* functions */
	size_t nsymbols;
	struct segment *segments;
	size_t nsegments;
};

struct usyms {
	struct arena *arena;
	const char *root;
	struct file files[FILES_MAX];
	size_t nfiles;
};

struct usyms *usyms_create(struct arena *a, const char *root)
{
	struct usyms *u = arena_new(a, struct usyms);

	u->arena = a;
	u->root = root ? root : "";
	return u;
}

/* Does a note of this section say that the file is the one? */
static bool note_matches(Elf_Data *d, const uint8_t *id)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (d && at < d->d_size && (at = gelf_getnote(d, at, &note, &name, &desc)) > 0)
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp((char *)d->d_buf + name, "GNU", 4))
			return note.n_descsz <= USYMS_ID && !memcmp((char *)d->d_buf + desc, id, note.n_descsz);
	return false;
}

static bool is_the_file(Elf *elf, const uint8_t *id)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE && note_matches(elf_getdata(scn, NULL), id))
			return true;
	return false;
}

static void read_segments(struct usyms *u, struct file *f, Elf *elf)
{
	GElf_Phdr ph;
	size_t n;

	if (elf_getphdrnum(elf, &n) || f->nsegments)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		f->segments = arena_grow(u->arena, f->segments, f->nsegments, sizeof(*f->segments));
		f->segments[f->nsegments++] = (struct segment){ ph.p_offset, ph.p_vaddr, ph.p_memsz };
	}
}

static void read_symbols(struct usyms *u, struct file *f, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	const char *name;
	GElf_Sym sym;

	for (int i = 0; d && gelf_getsym(d, i, &sym); i++) {
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || !sym.st_value || f->nsymbols == SYMBOLS_MAX)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		f->symbols = arena_grow(u->arena, f->symbols, f->nsymbols, sizeof(*f->symbols));
		f->symbols[f->nsymbols++] = (struct symbol){ sym.st_value, sym.st_size, arena_strdup(u->arena, name) };
	}
}

/* Read a file if it is the one. */
static void load(struct usyms *u, struct file *f, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	Elf *elf;

	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && is_the_file(elf, f->id)) {
		read_segments(u, f, elf);
		while ((scn = elf_nextscn(elf, scn)))
			if (gelf_getshdr(scn, &sh) && (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM))
				read_symbols(u, f, elf, scn, &sh);
	}
	elf_end(elf);
}

static void find(struct usyms *u, struct file *f, const char *path)
{
	char debug[4096], id[2 * USYMS_ID + 1];

	for (size_t i = 0; i < USYMS_ID; i++)
		snprintf(id + 2 * i, 3, "%02x", f->id[i]);
	/* The file itself first: a debug file's own places of segments are not those of the file. */
	if (path) {
		snprintf(debug, sizeof(debug), "%s%s", u->root, path);
		load(u, f, debug);
	}
	snprintf(debug, sizeof(debug), "%s/usr/lib/debug/.build-id/%.2s/%s.debug", u->root, id, id + 2);
	load(u, f, debug);
}

static struct file *file_of(struct usyms *u, const uint8_t *id, const char *path)
{
	struct file *f;

	for (size_t i = 0; i < u->nfiles; i++)
		if (!memcmp(u->files[i].id, id, USYMS_ID))
			return &u->files[i];
	if (u->nfiles == FILES_MAX)
		return NULL;
	f = &u->files[u->nfiles++];
	memcpy(f->id, id, USYMS_ID);
	find(u, f, path);
	return f;
}

const char *usyms_at(struct usyms *u, const uint8_t id[USYMS_ID], const char *path, uint64_t offset, bool after_call)
{
	const struct file *f = file_of(u, id, path);
	const struct symbol *best = NULL;
	uint64_t addr = offset;

	for (size_t i = 0; f && i < f->nsegments; i++)
		if (offset >= f->segments[i].offset && offset - f->segments[i].offset < f->segments[i].size)
			addr = offset - f->segments[i].offset + f->segments[i].vaddr;
	for (size_t i = 0; f && i < f->nsymbols; i++)
		if (f->symbols[i].addr <= addr - after_call && (!best || f->symbols[i].addr > best->addr))
			best = &f->symbols[i];
	if (!best || (best->size && addr - after_call >= best->addr + best->size))
		return NULL;
	return arena_printf(u->arena, "%s+0x%llx", best->name, (unsigned long long)(addr - best->addr));
}
