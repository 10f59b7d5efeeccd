// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/object.h"

#include <gelf.h>
#include <linux/bpf.h>
#include <string.h>

#include "lib/cleanup.h"

static void cleanup_elf(Elf **elf)
{
	elf_end(*elf);
}

static Elf *open_object(const struct buf *object, struct err *err)
{
	Elf *elf;
	GElf_Ehdr eh;

	elf_version(EV_CURRENT);
	elf = elf_memory(object->data, object->len);
	if (!elf || !gelf_getehdr(elf, &eh) || eh.e_machine != EM_BPF || eh.e_type != ET_REL) {
		elf_end(elf);
		err_set(err, ERR_CORRUPT, "not a BPF object");
		return NULL;
	}
	return elf;
}

static Elf_Data *section_data(Elf *elf, size_t index, GElf_Shdr *sh)
{
	Elf_Scn *scn = elf_getscn(elf, index);

	return scn && gelf_getshdr(scn, sh) ? elf_getdata(scn, NULL) : NULL;
}

int object_manifest(const struct buf *object, const char **text, size_t *len, struct err *err)
{
	_cleanup_(cleanup_elf) Elf *elf = open_object(object, err);
	Elf_Scn *scn = NULL;
	size_t strndx;
	GElf_Shdr sh;

	if (!elf || elf_getshdrstrndx(elf, &strndx))
		return elf ? err_set(err, ERR_CORRUPT, "object without section names") : -1;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, strndx, sh.sh_name) : NULL;

		if (!name || strcmp(name, ".rodata.df_manifest") != 0)
			continue;
		if (sh.sh_offset > object->len || sh.sh_size > object->len - sh.sh_offset)
			return err_set(err, ERR_CORRUPT, "manifest lies outside the object");
		*text = object->data + sh.sh_offset;
		*len = sh.sh_size;
		return 0;
	}
	return err_set(err, ERR_CORRUPT, "not a compiled deadfall set: it has no manifest");
}

/* Where in the object's bytes a function's entry of the symbol table stands; 0: there is no such function. */
static size_t find_symbol(Elf *elf, const char *name, GElf_Sym *sym)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, sym); i++) {
			const char *symname = elf_strptr(elf, sh.sh_link, sym->st_name);

			if (symname && !strcmp(symname, name) && GELF_ST_TYPE(sym->st_info) == STT_FUNC)
				return sh.sh_offset + (size_t)i * sizeof(Elf64_Sym);
		}
	}
	return 0;
}

int object_swap_functions(struct buf *object, const char *first, const char *second, struct err *err)
{
	_cleanup_(cleanup_elf) Elf *elf = open_object(object, err);
	GElf_Sym a, b, new_a, new_b;
	size_t at_a, at_b;

	if (!elf)
		return -1;
	at_a = find_symbol(elf, first, &a);
	at_b = find_symbol(elf, second, &b);
	if (!at_a || !at_b || at_a + sizeof(a) > object->len || at_b + sizeof(b) > object->len || a.st_shndx != b.st_shndx)
		return err_set(err, ERR_CORRUPT, "the object was made by another version of deadfall: compile it again");
	new_a = a;
	new_a.st_value = b.st_value;
	new_a.st_size = b.st_size;
	new_b = b;
	new_b.st_value = a.st_value;
	new_b.st_size = a.st_size;
	memcpy(object->data + at_a, &new_a, sizeof(new_a));
	memcpy(object->data + at_b, &new_b, sizeof(new_b));
	return 0;
}

/* Where a function begins in the object's bytes, and how long it is; false if there is no such function. */
static bool find_function(Elf *elf, const char *name, size_t *offset, size_t *size)
{
	GElf_Shdr code;
	GElf_Sym sym;

	if (!find_symbol(elf, name, &sym) || !section_data(elf, sym.st_shndx, &code))
		return false;
	*offset = code.sh_offset + sym.st_value;
	*size = sym.st_size;
	return sym.st_value <= code.sh_size && sym.st_size <= code.sh_size - sym.st_value;
}

int object_patch_arg(struct buf *object, const char *func, uint32_t insn, uint32_t pos, struct err *err)
{
	/* struct pt_regs of x86-64: di, si, dx, cx, r8, r9 */
	static const int16_t regs[6] = { 112, 104, 96, 88, 72, 64 };
	_cleanup_(cleanup_elf) Elf *elf = open_object(object, err);
	struct bpf_insn in;
	size_t at, size;

	if (!elf)
		return -1;
	if (!find_function(elf, func, &at, &size) || insn >= size / sizeof(in) || at > object->len ||
	    size > object->len - at)
		return err_set(err, ERR_CORRUPT, "the manifest patches %s, which the object lacks", func);
	at += insn * sizeof(in);
	memcpy(&in, object->data + at, sizeof(in));
	switch (in.code) {
	case BPF_LDX | BPF_MEM | BPF_DW:	/* from its register in struct pt_regs */
		if (pos >= 6)
			return err_set(err, ERR_UNSUPPORTED,
				       "argument %u is on the stack on this kernel: compile the rule here", pos + 1);
		in.off = regs[pos];
		break;
	case BPF_ALU64 | BPF_MOV | BPF_K:	/* its number, for bpf_get_func_arg */
		in.imm = (int32_t)pos;
		break;
	case BPF_ALU64 | BPF_ADD | BPF_K:	/* its place in an array */
		in.imm = (int32_t)(8 * pos);
		break;
	default:
		return err_set(err, ERR_CORRUPT, "instruction %u of %s loads no argument", insn, func);
	}
	memcpy(object->data + at, &in, sizeof(in));
	return 0;
}
