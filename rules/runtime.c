// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/runtime.h"

#include <bpf/btf.h>
#include <errno.h>
#include <gelf.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bpf/layout.h"
#include "lib/cleanup.h"
#include "lib/file.h"

/* runtime_blob.S */
extern const char runtime_blob[], runtime_blob_end[];

/* An array type like `array` with another number of elements. */
static int array_of(struct btf *btf, uint32_t array, uint32_t nelems)
{
	const struct btf_array *a = btf_array(btf__type_by_id(btf, array));

	return btf__add_array(btf, (int)a->index_type, (int)a->type, nelems);
}

static struct btf_type *find_struct(struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id < 0 ? NULL : (struct btf_type *)btf__type_by_id(btf, (uint32_t)id);
}

/* Give the array that ends a struct `nelems` elements. */
static int resize_struct(struct btf *btf, const char *name, uint32_t nelems)
{
	struct btf_type *t = find_struct(btf, name);
	struct btf_member *m;
	int id;

	if (!t || !btf_vlen(t))
		return -ENOENT;
	id = array_of(btf, btf_members(t)[btf_vlen(t) - 1].type, nelems);
	if (id < 0)
		return id;
	t = find_struct(btf, name);	/* adding moved it */
	m = btf_members(t) + btf_vlen(t) - 1;
	m->type = (uint32_t)id;
	t->size = btf_member_bit_offset(t, (uint32_t)btf_vlen(t) - 1u) / 8 + (uint32_t)btf__resolve_size(btf, m->type);
	return 0;
}

/* The last member of a struct got smaller: the struct ends with it. */
static int refit_struct(struct btf *btf, const char *name)
{
	struct btf_type *t = find_struct(btf, name);
	uint32_t last;

	if (!t || !btf_vlen(t))
		return -ENOENT;
	last = (uint32_t)btf_vlen(t) - 1u;
	t->size = btf_member_bit_offset(t, last) / 8 + (uint32_t)btf__resolve_size(btf, btf_members(t)[last].type);
	return 0;
}

static int resize_var(struct btf *btf, const char *name, uint32_t nelems)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_VAR), array;

	if (id < 0)
		return id;
	array = array_of(btf, btf__type_by_id(btf, (uint32_t)id)->type, nelems);
	if (array < 0)
		return array;
	((struct btf_type *)btf__type_by_id(btf, (uint32_t)id))->type = (uint32_t)array;
	return 0;
}

static int resize_all(struct btf *btf, const struct runtime_size *size)
{
	int err = resize_struct(btf, "df_mkey", size->key_parts);

	err = err ?: refit_struct(btf, "df_slot");
	err = err ?: refit_struct(btf, "df_state");
	err = err ?: refit_struct(btf, "df_state_ring");
	err = err ?: resize_struct(btf, "df_node", size->words);
	err = err ?: resize_struct(btf, "df_ring_node", size->words);
	err = err ?: resize_var(btf, "df_machine_words", size->nmachines * (uint32_t)sizeof(struct df_machine) / 8);
	err = err ?: resize_var(btf, "df_decision_words", size->ndecisions * (uint32_t)sizeof(struct df_decision) / 8);
	err = err ?: resize_var(btf, "df_cells", size->ncells);
	err = err ?: resize_var(btf, "df_losses", size->nrules);
	err = err ?: resize_var(btf, "df_evicted", size->nrules);
	err = err ?: resize_var(btf, "df_flags", size->nflags);
	err = err ?: resize_var(btf, "df_flag_sets", 2 * size->nflag_sets);
	return err ?: resize_var(btf, "df_params", size->nparams);
}

static Elf_Data *find_btf(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t strndx;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &strndx))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			return NULL;
		name = elf_strptr(elf, strndx, sh.sh_name);
		if (name && !strcmp(name, ".BTF"))
			return elf_getdata(scn, NULL);
	}
	return NULL;
}

/* Copy a type and what it is made of: numbers, arrays, structs, and names for them. */
static int copy_type(struct btf *to, const struct btf *from, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(from, id);
	int members[64], ret, err = 0;

	if (btf_is_typedef(t))
		return copy_type(to, from, t->type);
	if (btf_is_array(t)) {
		ret = copy_type(to, from, btf_array(t)->type);
		err = copy_type(to, from, btf_array(t)->index_type);
		return ret < 0 || err < 0 ? -EINVAL : btf__add_array(to, err, ret, btf_array(t)->nelems);
	}
	if (btf_is_int(t))
		return btf__add_type(to, from, t);
	if (!btf_is_struct(t) || btf_vlen(t) > sizeof(members) / sizeof(members[0]))
		return -EINVAL;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		members[i] = copy_type(to, from, btf_members(t)[i].type);
		if (members[i] < 0)
			return members[i];
	}
	ret = btf__add_struct(to, btf__name_by_offset(from, t->name_off), t->size);
	for (uint32_t i = 0; i < btf_vlen(t) && ret >= 0 && !err; i++)
		err = btf__add_field(to, btf__name_by_offset(from, btf_members(t)[i].name_off), members[i],
				     btf_member_bit_offset(t, i), 0);
	return err ? err : ret;
}

static Elf *open_blob(void)
{
	elf_version(EV_CURRENT);
	return elf_memory((char *)runtime_blob, (size_t)(runtime_blob_end - runtime_blob));
}

int runtime_struct(struct btf *btf, const char *name)
{
	Elf *elf = open_blob();
	Elf_Data *data = elf ? find_btf(elf) : NULL;
	struct btf *own = data ? btf__new(data->d_buf, (uint32_t)data->d_size) : NULL;
	int id = own ? btf__find_by_name_kind(own, name, BTF_KIND_STRUCT) : -ENOENT;

	if (id >= 0)
		id = copy_type(btf, own, (uint32_t)id);
	btf__free(own);
	elf_end(elf);
	return id;
}

uint32_t runtime_symbol(const char *name)
{
	Elf *elf = open_blob();
	Elf_Scn *scn = NULL;
	uint32_t ret = 0;
	GElf_Shdr sh;
	GElf_Sym sym;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++) {
			const char *symbol = elf_strptr(elf, sh.sh_link, sym.st_name);

			if (symbol && !strcmp(symbol, name) && GELF_ST_TYPE(sym.st_info) == STT_OBJECT)
				ret = (uint32_t)sym.st_value;
		}
	}
	elf_end(elf);
	return ret;
}

static bool is_used(const struct runtime_size *size, const char *section)
{
	if (size->plain)
		return true;
	for (uint32_t i = 0; i < size->nhooks; i++) {
		if (!strcmp(size->hooks[i], section))
			return true;
	}
	return false;
}

/* One part of .BTF.ext: a record's size, then for each section its name (in .BTF), a count and the records. */
static void unmark_ext_part(const struct runtime_size *size, const struct btf *btf, char *part, uint32_t len)
{
	uint32_t record, at = 4, head[2];

	if (len < 4)
		return;
	memcpy(&record, part, 4);
	while (at + sizeof(head) <= len) {
		const char *name;

		memcpy(head, part + at, sizeof(head));
		name = btf__str_by_offset(btf, head[0]);
		if (name && name[0] == '?' && is_used(size, name + 1)) {
			head[0]++;
			memcpy(part + at, head, sizeof(head));
		}
		at += (uint32_t)sizeof(head) + head[1] * record;
	}
}

static void unmark_ext(Elf_Scn *scn, const struct runtime_size *size, const struct btf *btf)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	/* magic and flags, the header's length, then offset and length of functions, lines, relocations */
	uint32_t head[8], i;

	if (!data || data->d_size < sizeof(head))
		return;
	memcpy(head, data->d_buf, sizeof(head));
	for (i = 2; i < 8; i += 2) {
		uint64_t off = (uint64_t)head[1] + head[i];

		if (off + head[i + 1] <= data->d_size)
			unmark_ext_part(size, btf, (char *)data->d_buf + off, head[i + 1]);
	}
	elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
}

/*
 * Programs in a section "?name" are loaded only by who asks for them: the engines, by the agent. Hooks that the set uses
 * lose the mark, so that any loader loads them. The linker wants the relocations of "name" in ".relname": that name loses
 * its '?', and the code's own name becomes the end of it.
 */
static void unmark_hooks(Elf *elf, const struct runtime_size *size, const struct btf *btf)
{
	Elf_Scn *scn = NULL, *code;
	Elf_Data *names;
	size_t strndx;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &strndx) || !(names = elf_getdata(elf_getscn(elf, strndx), NULL)))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, strndx, sh.sh_name) : NULL;
		size_t rel = sh.sh_name;

		if (name && !strcmp(name, ".BTF.ext"))
			unmark_ext(scn, size, btf);
		if (!name || sh.sh_type != SHT_REL || strncmp(name, ".rel?", 5) != 0 || !is_used(size, name + 5))
			continue;
		code = elf_getscn(elf, sh.sh_info);
		if (!code || !gelf_getshdr(code, &sh) || rel >= names->d_size)
			continue;
		sh.sh_name = (GElf_Word)(rel + 4);
		gelf_update_shdr(code, &sh);
		elf_flagshdr(code, ELF_C_SET, ELF_F_DIRTY);
		memmove((char *)names->d_buf + rel + 4, (char *)names->d_buf + rel + 5, strlen(name + 5) + 1);
		elf_flagdata(names, ELF_C_SET, ELF_F_DIRTY);
	}
}

static int resize_elf(int fd, const struct runtime_size *size, struct err *err)
{
	Elf_Data *data;
	struct btf *btf = NULL;
	uint32_t raw_size;
	const void *raw;
	int e = -EINVAL, ret = -1;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_RDWR, NULL);
	data = elf ? find_btf(elf) : NULL;
	if (data)
		btf = btf__new(data->d_buf, (uint32_t)data->d_size);
	if (btf)
		e = resize_all(btf, size);
	raw = e ? NULL : btf__raw_data(btf, &raw_size);
	if (!raw) {
		err_set(err, ERR_CORRUPT, "the BPF runtime in this program lacks a type it should have (%s)", strerror(-e));
		goto out;
	}
	unmark_hooks(elf, size, btf);
	data->d_buf = (void *)raw;
	data->d_size = raw_size;
	elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
	if (elf_update(elf, ELF_C_WRITE) < 0)
		err_set(err, ERR_SYSTEM, "resize BPF runtime: %s", elf_errmsg(-1));
	else
		ret = 0;
out:
	elf_end(elf);
	btf__free(btf);
	return ret;
}

int runtime_sized(const struct runtime_size *size, struct buf *out, struct err *err)
{
	_cleanup_close_ int fd = file_memory("runtime", runtime_blob, (size_t)(runtime_blob_end - runtime_blob), err);

	if (fd < 0 || resize_elf(fd, size, err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "seek");
	return file_read_fd(fd, out, err);
}
