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

	err = err ?: refit_struct(btf, "df_state");
	err = err ?: refit_struct(btf, "df_state_ring");
	err = err ?: resize_struct(btf, "df_node", size->words);
	err = err ?: resize_struct(btf, "df_ring_node", size->words);
	err = err ?: resize_var(btf, "df_machine_words", size->nmachines * (uint32_t)sizeof(struct df_machine) / 8);
	err = err ?: resize_var(btf, "df_decision_words", size->ndecisions * (uint32_t)sizeof(struct df_decision) / 8);
	err = err ?: resize_var(btf, "df_cells", size->ncells);
	err = err ?: resize_var(btf, "df_losses", size->nrules);
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
