// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmlinux.c - the ELF file of a namelist.
 *
 * Addresses in it are those the kernel was linked for: debuggers add KERNELOFFSET of VMCOREINFO themselves. Sections
 * are ranges between the linker script's symbols. crash wants contents in most; they are as the dump has them (code
 * as patched at run time, pages that are missing as zeros). The per-CPU section is zero.
 */
#include "kdump/vmlinux.h"
#include "kdump/compat.h"
#include "kdump/dwarf.h"
#include "kdump/kernel_dump.h"
#include "kdump/modtypes.h"
#include "lib/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <gelf.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define VARS_MAX 4096
#define SECTIONS 11
#define CONTENTS_MAX (256u << 20)
#define CONTENTS_PART 65536

/* A section that symbols lie in. */
struct range {
	const char *name;
	const char *from, *to;	/* symbols */
	const char *or_to;	/* instead of `to` where that is missing */
	uint64_t flags;
	uint64_t start, end;	/* link addresses */
	size_t index;		/* in the file, 0: not there */
	bool contents;		/* the file has its bytes */
	uint8_t *bytes;
};

struct sym {
	uint64_t addr;		/* link address */
	uint32_t name, size;
	uint16_t section;
	uint8_t info;
};

struct writer {
	struct kernel *k;
	const struct kallsyms *symbols;
	const struct btf *btf;		/* the kernel's types */
	struct btf *all;		/* these, and those of modules */
	uint64_t slide;
	struct range ranges[SECTIONS];
	struct sym *syms;
	size_t nsyms, room;
	struct buf strtab, shstrtab;
	struct dwarf_var *vars;
	size_t nvars;
	char banner[512];
	Elf *elf;
};

/*
 * In the order of the file. The per-CPU section, whose address is 0, stands in the middle as in a real vmlinux: drgn
 * takes the first and last segment for the kernel's bounds. drgn unwinds by the sections .orc_*.
 */
static const struct range layout[] = {
	{ .name = ".text", .from = "_text", .to = "_etext", .flags = SHF_ALLOC | SHF_EXECINSTR, .contents = true },
	{ .name = ".rodata", .from = "__start_rodata", .to = "__end_rodata", .flags = SHF_ALLOC, .contents = true },
	{ .name = ".data", .from = "_sdata", .to = "__start_orc_unwind_ip", .or_to = "__init_begin",
	  .flags = SHF_ALLOC | SHF_WRITE, .contents = true },
	{ .name = ".orc_unwind_ip", .from = "__start_orc_unwind_ip", .to = "__stop_orc_unwind_ip",
	  .flags = SHF_ALLOC, .contents = true },
	{ .name = ".orc_unwind", .from = "__start_orc_unwind", .to = "__stop_orc_unwind", .flags = SHF_ALLOC,
	  .contents = true },
	{ .name = ".data.rest", .from = "__stop_orc_unwind", .to = "__init_begin", .flags = SHF_ALLOC | SHF_WRITE },
	{ .name = ".data..percpu", .from = "__per_cpu_start", .to = "__per_cpu_end",
	  .flags = SHF_ALLOC | SHF_WRITE, .contents = true },
	{ .name = ".init.text", .from = "_sinittext", .to = "_einittext", .flags = SHF_ALLOC | SHF_EXECINSTR },
	{ .name = ".init.data", .from = "_einittext", .to = "__init_end", .flags = SHF_ALLOC | SHF_WRITE },
	{ .name = ".bss", .from = "__init_end", .to = "_end", .flags = SHF_ALLOC | SHF_WRITE },
	{ .name = ".init.scratch", .from = "__init_scratch_begin", .to = "__init_scratch_end",
	  .flags = SHF_ALLOC | SHF_WRITE },
};

/* Per-CPU symbols are offsets, all others move with KASLR. */
static uint64_t link_address(const struct writer *w, uint64_t addr)
{
	return addr >> 63 ? addr - w->slide : addr;
}

static int find_ranges(struct writer *w, struct err *err)
{
	memcpy(w->ranges, layout, sizeof(layout));
	for (size_t i = 0; i < COUNT(w->ranges); i++) {
		struct range *r = &w->ranges[i];

		if (kernel_symbol(w->k, r->from, &r->start, NULL) ||
		    (kernel_symbol(w->k, r->to, &r->end, NULL) &&
		     (!r->or_to || kernel_symbol(w->k, r->or_to, &r->end, NULL))))
			r->start = r->end = 0;
		r->start = link_address(w, r->start);
		r->end = link_address(w, r->end);
	}
	if (w->ranges[0].end <= w->ranges[0].start)
		return err_set(err, ERR_ABSENT, "the kernel has no symbols _text and _etext");
	return 0;
}

/* The bytes of a section, page by page: what cannot be read is zero. */
static int read_contents(struct writer *w, struct range *r, struct err *err)
{
	uint64_t size = r->end - r->start, part;

	if (size > CONTENTS_MAX)
		return err_set(err, ERR_CORRUPT, "section %s of %llu bytes", r->name, (unsigned long long)size);
	r->bytes = calloc(1, size);
	if (!r->bytes)
		return err_nomem(err);
	for (uint64_t at = 0; at < size && r->start >> 63; at += part) {
		part = size - at < CONTENTS_PART ? size - at : CONTENTS_PART;
		if (!kernel_read(w->k, r->start + w->slide + at, r->bytes + at, part, NULL))
			continue;
		for (uint64_t page = at; page < at + part; page += 4096)
			kernel_read(w->k, r->start + w->slide + page, r->bytes + page,
				    at + part - page < 4096 ? at + part - page : 4096, NULL);
	}
	return 0;
}

/* The section of an address; its end belongs to it, since symbols mark it. */
static struct range *range_of(struct writer *w, uint64_t addr)
{
	for (size_t i = 0; i < COUNT(w->ranges); i++)
		if (w->ranges[i].end > w->ranges[i].start && addr >= w->ranges[i].start && addr < w->ranges[i].end)
			return &w->ranges[i];
	for (size_t i = 0; i < COUNT(w->ranges); i++)
		if (w->ranges[i].end > w->ranges[i].start && addr == w->ranges[i].end)
			return &w->ranges[i];
	return NULL;
}

static int add_sym(struct writer *w, const char *name, char type, uint64_t addr, struct err *err)
{
	struct range *r = range_of(w, addr);
	uint8_t bind = type >= 'a' ? STB_LOCAL : type == 'W' || type == 'V' ? STB_WEAK : STB_GLOBAL;
	struct sym *grown;

	/* crash takes what lies in no section for an absolute number, and then trips over the order of addresses. */
	if (!r && addr >> 63)
		return 0;
	if (w->nsyms == w->room) {
		grown = realloc(w->syms, (w->room * 2 + 4096) * sizeof(*grown));
		if (!grown)
			return err_nomem(err);
		w->syms = grown;
		w->room = w->room * 2 + 4096;
	}
	w->syms[w->nsyms++] = (struct sym){
		.addr = addr,
		.name = (uint32_t)buf_add(&w->strtab, name, strlen(name) + 1),
		.section = r ? (uint16_t)(r - w->ranges + 1) : SHN_ABS,
		.info = GELF_ST_INFO(bind, type == 't' || type == 'T' || type == 'W' ? STT_FUNC : STT_OBJECT),
	};
	return 0;
}

static int collect_symbols(struct writer *w, struct err *err)
{
	char name[KALLSYMS_NAME_MAX], type = 0;
	struct kmember m;
	uint64_t addr;

	buf_putc(&w->strtab, 0);
	for (size_t i = 0; i < kallsyms_count(w->symbols); i++) {
		addr = link_address(w, kallsyms_get(w->symbols, i, &type, name, sizeof(name)));
		/* Old debuggers trip over the padding before functions (v6.2, b341b20d648b). */
		if (strncmp(name, "__pfx_", 6) && add_sym(w, name, type, addr, err))
			return -1;
	}
	for (const struct compat_alias *a = compat_aliases; a->name; a++) {
		m.offset = 0;
		if (!kallsyms_find(w->symbols, a->name, &addr, NULL) ||
		    kallsyms_find(w->symbols, a->symbol, &addr, NULL) ||
		    (a->member && kernel_member(w->k, a->type, a->member, &m, NULL)))
			continue;
		if (add_sym(w, a->name, 'D', link_address(w, addr + m.offset), err))
			return -1;
	}
	return buf_failed(&w->strtab) ? err_nomem(err) : 0;
}

static void add_var(struct writer *w, const char *name, const char *type, uint32_t type_id, uint64_t addr)
{
	for (size_t i = 0; i < w->nvars; i++)
		if (!strcmp(w->vars[i].name, name))
			return;
	if (w->nvars < VARS_MAX)
		w->vars[w->nvars++] = (struct dwarf_var){ .name = name, .type = type, .type_id = type_id,
							  .addr = link_address(w, addr) };
}

/* Globals: those of the table, the aliases, and the per-CPU variables that BTF knows. */
static int collect_vars(struct writer *w, struct err *err)
{
	const struct btf_type *t;
	struct kmember m;
	const char *name;
	uint64_t addr;

	w->vars = calloc(VARS_MAX, sizeof(*w->vars));
	if (!w->vars)
		return err_nomem(err);
	for (const struct compat_global *g = compat_globals; g->name; g++)
		if (g->c_type && !kallsyms_find(w->symbols, g->name, &addr, NULL))
			add_var(w, g->name, g->c_type, 0, addr);
	for (const struct compat_alias *a = compat_aliases; a->name; a++)
		if (a->c_type && !kallsyms_find(w->symbols, a->symbol, &addr, NULL) &&
		    !kernel_member(w->k, a->type, a->member, &m, NULL))
			add_var(w, a->name, a->c_type, 0, addr + m.offset);
	for (uint32_t id = 1; id < btf__type_cnt(w->btf); id++) {
		t = btf__type_by_id(w->btf, id);
		if (!btf_is_var(t))
			continue;
		name = btf__str_by_offset(w->btf, t->name_off);
		if (name && !kallsyms_find(w->symbols, name, &addr, NULL))
			add_var(w, name, NULL, t->type, addr);
	}
	return 0;
}

/* "Linux version ..." as crash compares it with the dump's. */
static void read_banner(struct writer *w)
{
	uint64_t addr;

	if (kernel_symbol(w->k, "linux_banner", &addr, NULL) ||
	    kernel_read(w->k, addr, w->banner, sizeof(w->banner) - 1, NULL))
		w->banner[0] = '\0';
	for (char *p = w->banner; *p; p++)
		if (*p == '\n')
			p[1] = '\0';
}

static int by_address(const void *x, const void *y)
{
	const struct sym *a = x, *b = y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* A symbol reaches to the next one of its section that begins elsewhere, be it local or global. */
static void find_sizes(struct writer *w)
{
	uint64_t next[SECTIONS + 1] = { 0 }, start[SECTIONS + 1] = { 0 };
	size_t place;

	qsort(w->syms, w->nsyms, sizeof(*w->syms), by_address);
	for (size_t i = w->nsyms; i-- > 0;) {
		struct sym *s = &w->syms[i];

		if (s->section == SHN_ABS)
			continue;
		place = s->section;
		if (start[place] != s->addr) {
			next[place] = start[place];
			start[place] = s->addr;
		}
		s->size = next[place] && next[place] - s->addr < 0x100000 ? (uint32_t)(next[place] - s->addr) : 0;
	}
}

/* Locals come before globals, as ELF demands. */
static Elf64_Sym *build_symtab(struct writer *w, uint32_t *first_global, struct err *err)
{
	Elf64_Sym *tab = calloc(w->nsyms + 1, sizeof(*tab));
	size_t n = 1;

	if (!tab) {
		err_nomem(err);
		return NULL;
	}
	find_sizes(w);
	for (int global = 0; global < 2; global++) {
		*first_global = (uint32_t)n;
		for (size_t i = 0; i < w->nsyms; i++) {
			const struct sym *s = &w->syms[i];

			if ((GELF_ST_BIND(s->info) != STB_LOCAL) != global)
				continue;
			tab[n++] = (Elf64_Sym){
				.st_name = s->name,
				.st_info = s->info,
				.st_shndx = s->section == SHN_ABS ? SHN_ABS :
								    (Elf64_Half)w->ranges[s->section - 1].index,
				.st_value = s->addr,
				.st_size = s->size,
			};
		}
	}
	return tab;
}

/* One section; its contents must live until the file is written. */
static size_t add_section(struct writer *w, const char *name, uint32_t type, uint64_t flags, uint64_t addr,
			  const void *data, size_t size, struct err *err)
{
	Elf_Scn *scn = elf_newscn(w->elf);
	Elf64_Shdr *sh = scn ? elf64_getshdr(scn) : NULL;
	Elf_Data *d = sh ? elf_newdata(scn) : NULL;

	if (!d) {
		err_set(err, ERR_NOMEM, "%s: %s", name, elf_errmsg(-1));
		return 0;
	}
	d->d_align = type == SHT_SYMTAB ? 8 : 1;
	d->d_buf = (void *)(uintptr_t)data;
	d->d_size = size;
	d->d_type = type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
	sh->sh_name = (Elf64_Word)buf_add(&w->shstrtab, name, strlen(name) + 1);
	sh->sh_type = type;
	sh->sh_flags = flags;
	sh->sh_addr = addr;
	sh->sh_entsize = type == SHT_SYMTAB ? sizeof(Elf64_Sym) : 0;
	return elf_ndxscn(scn);
}

static int convert_orc(struct writer *w, struct err *err)
{
	for (size_t i = 0; i < COUNT(w->ranges); i++) {
		struct range *r = &w->ranges[i];

		if (!r->bytes || strcmp(r->name, ".orc_unwind"))
			continue;
		for (uint64_t at = 0; at + COMPAT_ORC_ENTRY <= r->end - r->start; at += COMPAT_ORC_ENTRY)
			compat_orc_entry(r->bytes + at);
	}
	return add_section(w, ".orc_header", SHT_PROGBITS, 0, 0, compat_orc_header, sizeof(compat_orc_header), err) ? 0 : -1;
}

/* A segment for each section: drgn takes the kernel's address range from them. Called when places are known. */
static void fill_segments(struct writer *w)
{
	Elf64_Phdr *ph = elf64_getphdr(w->elf);
	const Elf64_Shdr *sh;

	for (size_t i = 0; i < SECTIONS; i++) {
		sh = w->ranges[i].index ? elf64_getshdr(elf_getscn(w->elf, w->ranges[i].index)) : NULL;
		ph[i].p_type = sh ? PT_LOAD : PT_NULL;
		if (!sh)
			continue;
		ph[i].p_flags = PF_R | (sh->sh_flags & SHF_WRITE ? PF_W : 0) | (sh->sh_flags & SHF_EXECINSTR ? PF_X : 0);
		ph[i].p_offset = sh->sh_offset;
		ph[i].p_vaddr = ph[i].p_paddr = sh->sh_addr;
		ph[i].p_filesz = sh->sh_type == SHT_NOBITS ? 0 : sh->sh_size;
		ph[i].p_memsz = sh->sh_size;
		ph[i].p_align = 1;
	}
}

static int begin_elf(struct writer *w, int fd, struct err *err)
{
	Elf64_Ehdr *eh;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, ERR_UNSUPPORTED, "libelf: %s", elf_errmsg(-1));
	w->elf = elf_begin(fd, ELF_C_WRITE, NULL);
	eh = w->elf ? elf64_newehdr(w->elf) : NULL;
	if (!eh || !elf64_newphdr(w->elf, SECTIONS))
		return err_set(err, ERR_NOMEM, "libelf: %s", elf_errmsg(-1));
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_entry = w->ranges[0].start;
	buf_putc(&w->shstrtab, 0);
	return 0;
}

static int add_sections(struct writer *w, const struct dwarf *d, Elf64_Sym **tab, struct err *err)
{
	size_t strtab, symtab, shstrtab;
	uint32_t first_global;

	/* First in the file: crash takes the first string that looks like a banner. */
	if (!add_section(w, ".banner", SHT_PROGBITS, 0, 0, w->banner, strlen(w->banner) + 1, err))
		return -1;
	for (size_t i = 0; i < COUNT(w->ranges); i++) {
		struct range *r = &w->ranges[i];

		if (r->end <= r->start)
			continue;
		if (r->contents && read_contents(w, r, err))
			return -1;
		r->index = add_section(w, r->name, r->contents ? SHT_PROGBITS : SHT_NOBITS, r->flags, r->start,
				       r->bytes, r->end - r->start, err);
		if (!r->index)
			return -1;
	}
	if (compat_orc_changed(w->k) && convert_orc(w, err))
		return -1;
	*tab = build_symtab(w, &first_global, err);
	if (!*tab || !add_section(w, ".debug_info", SHT_PROGBITS, 0, 0, d->info.data, d->info.len, err) ||
	    !add_section(w, ".debug_abbrev", SHT_PROGBITS, 0, 0, d->abbrev.data, d->abbrev.len, err) ||
	    !add_section(w, ".debug_str", SHT_PROGBITS, 0, 0, d->str.data, d->str.len, err))
		return -1;
	strtab = add_section(w, ".strtab", SHT_STRTAB, 0, 0, w->strtab.data, w->strtab.len, err);
	symtab = add_section(w, ".symtab", SHT_SYMTAB, 0, 0, *tab, (w->nsyms + 1) * sizeof(**tab), err);
	buf_puts(&w->shstrtab, ".shstrtab");
	buf_putc(&w->shstrtab, 0);
	if (!strtab || !symtab || buf_failed(&w->shstrtab))
		return -1;
	w->shstrtab.len -= strlen(".shstrtab") + 1;
	shstrtab = add_section(w, ".shstrtab", SHT_STRTAB, 0, 0, NULL, 0, err);
	if (!shstrtab)
		return -1;
	elf_getdata(elf_getscn(w->elf, shstrtab), NULL)->d_buf = w->shstrtab.data;
	elf_getdata(elf_getscn(w->elf, shstrtab), NULL)->d_size = w->shstrtab.len;
	elf64_getshdr(elf_getscn(w->elf, symtab))->sh_link = (Elf64_Word)strtab;
	elf64_getshdr(elf_getscn(w->elf, symtab))->sh_info = first_global;
	elf64_getehdr(w->elf)->e_shstrndx = (Elf64_Half)shstrtab;
	return 0;
}

static int write_elf(struct writer *w, int fd, const struct dwarf *d, struct err *err)
{
	Elf64_Sym *tab = NULL;
	int rc = begin_elf(w, fd, err);

	rc = rc ? rc : add_sections(w, d, &tab, err);
	if (!rc && elf_update(w->elf, ELF_C_NULL) >= 0)
		fill_segments(w);
	if (!rc && elf_update(w->elf, ELF_C_WRITE) < 0)
		rc = err_set(err, ERR_SYSTEM, "namelist: %s", elf_errmsg(-1));
	elf_end(w->elf);
	free(tab);
	return rc;
}

static int open_writer(struct writer *w, struct err *err)
{
	const struct ktypes *types = kernel_dump_types(w->k, err);
	char value[40];

	w->symbols = types ? kernel_dump_symbols(w->k, err) : NULL;
	if (!w->symbols)
		return -1;
	w->btf = ktypes_btf(types);
	if (!kernel_vmcoreinfo(w->k, "KERNELOFFSET", value, sizeof(value), NULL))
		w->slide = strtoull(value, NULL, 16);
	read_banner(w);
	return find_ranges(w, err) || collect_symbols(w, err) || collect_vars(w, err) ? -1 : 0;
}

int vmlinux_write(struct kernel *k, int fd, struct vmlinux_stats *stats, struct err *err)
{
	struct dwarf_patch patches[COMPAT_PATCHES_MAX];
	struct writer w = { .k = k };
	struct dwarf_input in;
	struct dwarf d = { 0 };
	int rc;

	rc = open_writer(&w, err);
	w.all = rc ? NULL : modtypes_merge(k, w.btf, &stats->modules_left_out, err);
	rc = w.all ? 0 : -1;
	if (!rc) {
		compat_patches(k, patches);
		in = (struct dwarf_input){ w.all, w.vars, w.nvars, patches, compat_thread_size(k), compat_hz(k) };
		in.scoped.addr = link_address(&w, in.scoped.addr);
		rc = dwarf_make(&in, &d, &stats->left_out, err);
	}
	rc = rc ? rc : write_elf(&w, fd, &d, err);
	stats->symbols = w.nsyms;
	stats->types = w.all ? btf__type_cnt(w.all) : 0;
	stats->globals = w.nvars - stats->left_out;
	dwarf_deinit(&d);
	btf__free(w.all);
	buf_deinit(&w.strtab);
	buf_deinit(&w.shstrtab);
	for (size_t i = 0; i < COUNT(w.ranges); i++)
		free(w.ranges[i].bytes);
	free(w.syms);
	free(w.vars);
	return rc;
}
