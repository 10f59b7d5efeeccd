// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/objfile.h"

#include <bpf/btf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "rules/objbtf.h"

/* include/uapi/linux/bpf.h has no relocation types; these are LLVM's (BPFELFObjectWriter) and libbpf's. */
#define R_BPF_64_64 1
#define R_BPF_64_32 10

#define SECTIONS_MAX 64	/* two for each kind of program, and data */

/* One section on its way into the file; data must live until elf_update. */
struct section {
	const char *name;
	uint32_t name_off;	/* in .strtab */
	uint32_t type;
	uint64_t flags;
	uint32_t align, entsize, link, info;
	const void *data;
	size_t size;
};

struct writer {
	const struct obj *obj;
	struct section sections[SECTIONS_MAX];	/* [0] unused, [1] .strtab */
	uint32_t nsections;
	char *code_names[SECTIONS_MAX];		/* code sections, in the order of their numbers */
	uint32_t ncode;
	struct func_place *places;
	struct buf strtab;
	GElf_Sym *syms;
	uint32_t nsyms;
};

static uint32_t add_string(struct writer *w, const char *s)
{
	return (uint32_t)buf_add(&w->strtab, s, strlen(s) + 1);
}

static uint32_t add_section(struct writer *w, struct section s)
{
	w->sections[w->nsections] = s;
	return w->nsections++;
}

static void add_symbol(struct writer *w, const char *name, unsigned char bind, unsigned char type, uint32_t section,
		       uint64_t value, uint64_t size, unsigned char other)
{
	w->syms = arena_grow(w->obj->arena, w->syms, w->nsyms, sizeof(*w->syms));
	w->syms[w->nsyms++] = (GElf_Sym){ .st_name = name ? add_string(w, name) : 0,
					  .st_info = (unsigned char)GELF_ST_INFO(bind, type),
					  .st_other = other,
					  .st_shndx = (uint16_t)section,
					  .st_value = value,
					  .st_size = size };
}

static uint32_t find_symbol(const struct writer *w, const char *name)
{
	for (uint32_t i = 1; i < w->nsyms; i++) {
		if (!strcmp(buf_str(&w->strtab) + w->syms[i].st_name, name))
			return i;
	}
	return 0;
}

static const char *section_of(const struct obj *obj, const struct ir_func *f)
{
	return f->section + (obj->plain && *f->section == '?');
}

/* Number the code sections and place every function in one. */
static void place_functions(struct writer *w, size_t *sizes)
{
	for (uint32_t i = 0; i < w->obj->ncodes; i++) {
		const struct code *code = &w->obj->codes[i];
		const char *section = section_of(w->obj, code->func);
		uint32_t s;

		for (s = 0; s < w->ncode && strcmp(w->code_names[s], section) != 0; s++)
			;
		if (s == w->ncode)
			w->code_names[w->ncode++] = (char *)section;
		w->places[i].section = s;
		w->places[i].offset = (uint32_t)sizes[s];
		sizes[s] += code->n * sizeof(struct bpf_insn);
	}
}

static void add_code_sections(struct writer *w, const size_t *sizes)
{
	for (uint32_t s = 0; s < w->ncode; s++) {
		char *bytes = arena_alloc(w->obj->arena, sizes[s]);

		for (uint32_t i = 0; i < w->obj->ncodes; i++) {
			if (w->places[i].section == s)
				memcpy(bytes + w->places[i].offset, w->obj->codes[i].insns,
				       w->obj->codes[i].n * sizeof(struct bpf_insn));
		}
		/* code section s is ELF section 2 + s */
		add_section(w, (struct section){ .name = w->code_names[s],
						 .type = SHT_PROGBITS,
						 .flags = SHF_ALLOC | SHF_EXECINSTR,
						 .align = 8,
						 .data = bytes,
						 .size = sizes[s] });
	}
}

static void add_function_symbols(struct writer *w)
{
	for (uint32_t i = 0; i < w->obj->ncodes; i++) {
		const struct code *code = &w->obj->codes[i];

		add_symbol(w, code->func->name, STB_GLOBAL, STT_FUNC, 2 + w->places[i].section, w->places[i].offset,
			   code->n * sizeof(struct bpf_insn), code->func->is_program ? STV_DEFAULT : STV_HIDDEN);
	}
	for (uint32_t i = 0; i < nextern_funcs; i++)
		add_symbol(w, extern_funcs[i].name, STB_GLOBAL, STT_NOTYPE, SHN_UNDEF, 0, 0, STV_DEFAULT);
	for (uint32_t i = 0; i < nextern_maps; i++)
		add_symbol(w, extern_maps[i].name, STB_GLOBAL, STT_NOTYPE, SHN_UNDEF, 0, 0, STV_DEFAULT);
}

static void add_data_sections(struct writer *w)
{
	const struct obj *obj = w->obj;
	uint32_t i, j, section;

	for (i = 0; i < obj->nvars; i = j) {
		struct buf bytes = BUF_INIT;
		bool writable = !strncmp(obj->vars[i].section, ".data", 5);

		for (j = i; j < obj->nvars && !strcmp(obj->vars[j].section, obj->vars[i].section); j++) {
			const struct obj_var *v = &obj->vars[j];
			uint32_t size = v->elem_size * (v->nelems ? v->nelems : 1);
			size_t at = buf_add(&bytes, v->data, size);

			add_symbol(w, v->name, STB_GLOBAL, STT_OBJECT, w->nsections, at, size, STV_DEFAULT);
		}
		section = add_section(w, (struct section){ .name = obj->vars[i].section,
							   .type = SHT_PROGBITS,
							   .flags = SHF_ALLOC | (writable ? SHF_WRITE : 0),
							   .align = 8,
							   .size = bytes.len });
		w->sections[section].data = arena_strndup(obj->arena, buf_str(&bytes), bytes.len);
		buf_deinit(&bytes);
	}
	/* of the maps that are defined elsewhere; empty, but the linker looks for it */
	add_section(w, (struct section){
			       .name = ".maps", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .align = 8 });
	add_section(w, (struct section){ .name = ".rodata.df_manifest",
					 .type = SHT_PROGBITS,
					 .flags = SHF_ALLOC,
					 .align = 1,
					 .data = obj->manifest,
					 .size = strlen(obj->manifest) + 1 });
}

/* Relocations of one code section: calls and addresses by symbol. */
static void add_relocations(struct writer *w, uint32_t code_section, uint32_t symtab)
{
	GElf_Rel *rels = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->obj->ncodes; i++) {
		const struct code *code = &w->obj->codes[i];

		if (w->places[i].section != code_section)
			continue;
		for (const struct mark *m = code->marks; m < code->marks + code->nmarks; m++) {
			bool is_call = code->insns[m->insn].code == (BPF_JMP | BPF_CALL);

			if (m->kind != MARK_SYMBOL && m->kind != MARK_FUNC_ADDR)
				continue;
			rels = arena_grow(w->obj->arena, rels, n, sizeof(*rels));
			rels[n++] = (GElf_Rel){
				.r_offset = w->places[i].offset + m->insn * sizeof(struct bpf_insn),
				.r_info = GELF_R_INFO((uint64_t)find_symbol(w, m->symbol),
						      is_call ? R_BPF_64_32 : R_BPF_64_64),
			};
		}
	}
	if (n)
		add_section(w, (struct section){ .name = arena_printf(w->obj->arena, ".rel%s",
								      w->code_names[code_section]),
						 .type = SHT_REL,
						 .flags = SHF_INFO_LINK,
						 .align = 8,
						 .entsize = sizeof(GElf_Rel),
						 .link = symtab,
						 .info = 2 + code_section,
						 .data = rels,
						 .size = n * sizeof(*rels) });
}

static int write_elf(struct writer *w, int fd, struct err *err)
{
	Elf *elf;
	GElf_Ehdr eh;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!elf || !gelf_newehdr(elf, ELFCLASS64) || !gelf_getehdr(elf, &eh))
		goto fail;
	for (uint32_t i = 1; i < w->nsections; i++)
		w->sections[i].name_off = add_string(w, w->sections[i].name);
	w->sections[1].data = w->strtab.data;
	w->sections[1].size = w->strtab.len;
	for (uint32_t i = 1; i < w->nsections; i++) {
		const struct section *s = &w->sections[i];
		Elf_Scn *scn = elf_newscn(elf);
		Elf_Data *data = scn ? elf_newdata(scn) : NULL;
		GElf_Shdr sh;

		if (!data || !gelf_getshdr(scn, &sh))
			goto fail;
		data->d_buf = (void *)s->data;
		data->d_size = s->size;
		data->d_align = s->align;
		data->d_version = EV_CURRENT;
		data->d_type = s->type == SHT_REL ? ELF_T_REL : s->type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
		sh.sh_name = s->name_off;
		sh.sh_type = s->type;
		sh.sh_flags = s->flags;
		sh.sh_addralign = s->align;
		sh.sh_entsize = s->entsize;
		sh.sh_link = s->link;
		sh.sh_info = s->info;
		gelf_update_shdr(scn, &sh);
	}
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_type = ET_REL;
	eh.e_machine = EM_BPF;
	eh.e_version = EV_CURRENT;
	eh.e_shstrndx = 1;
	if (!gelf_update_ehdr(elf, &eh) || elf_update(elf, ELF_C_WRITE) < 0)
		goto fail;
	elf_end(elf);
	return 0;
fail:
	err_set(err, ERR_SYSTEM, "write ELF object: %s", elf_errmsg(-1));
	elf_end(elf);
	return -1;
}

static void add_sections(struct writer *w, const struct buf *ext)
{
	uint32_t raw_size = 0, symtab;
	const void *raw = btf__raw_data(w->obj->btf, &raw_size);

	add_section(w, (struct section){ .name = ".BTF", .type = SHT_PROGBITS, .align = 4, .data = raw, .size = raw_size });
	add_section(w, (struct section){
			       .name = ".BTF.ext", .type = SHT_PROGBITS, .align = 4, .data = ext->data, .size = ext->len });
	symtab = add_section(w, (struct section){ .name = ".symtab",
						  .type = SHT_SYMTAB,
						  .align = 8,
						  .entsize = sizeof(GElf_Sym),
						  .link = 1,
						  .info = 1,
						  .data = w->syms,
						  .size = w->nsyms * sizeof(*w->syms) });
	for (uint32_t s = 0; s < w->ncode; s++)
		add_relocations(w, s, symtab);
}

int obj_write(const struct obj *obj, struct buf *out, struct err *err)
{
	struct writer w = { .obj = obj, .nsections = 1, .strtab = BUF_INIT };
	_cleanup_close_ int fd = file_memory("object", NULL, 0, err);
	size_t sizes[SECTIONS_MAX] = { 0 };
	struct buf ext = BUF_INIT;
	int ret = -1;

	if (fd < 0)
		return -1;
	w.places = arena_array(obj->arena, obj->ncodes + 1, sizeof(*w.places));
	buf_putc(&w.strtab, '\0');
	add_symbol(&w, NULL, STB_LOCAL, STT_NOTYPE, SHN_UNDEF, 0, 0, STV_DEFAULT);
	add_section(&w, (struct section){ .name = ".strtab", .type = SHT_STRTAB, .align = 1 });
	place_functions(&w, sizes);
	add_code_sections(&w, sizes);
	add_function_symbols(&w);
	add_data_sections(&w);
	if (objbtf_emit(obj, w.places) < 0 || objbtf_ext(obj, w.places, w.code_names, w.ncode, &ext) < 0) {
		err_nomem(err);
		goto out;
	}
	add_sections(&w, &ext);
	if (write_elf(&w, fd, err))
		goto out;
	if (lseek(fd, 0, SEEK_SET) < 0)
		err_sys(err, errno, "seek");
	else
		ret = file_read_fd(fd, out, err);
out:
	buf_deinit(&ext);
	buf_deinit(&w.strtab);
	return ret;
}
