// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/subprog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

/* The functions of a program; NULL if the kernel does not say. The caller frees them. */
static struct bpf_func_info *functions_of(int fd, uint32_t *n, uint32_t *btf_id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	struct bpf_func_info *funcs;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || !info.nr_func_info || info.func_info_rec_size < sizeof(*funcs))
		return NULL;
	*n = info.nr_func_info;
	*btf_id = info.btf_id;
	funcs = calloc(*n, sizeof(*funcs));
	info = (struct bpf_prog_info){ .nr_func_info = *n, .func_info_rec_size = sizeof(*funcs),
				       .func_info = (uint64_t)(uintptr_t)funcs };
	if (!funcs || bpf_obj_get_info_by_fd(fd, &info, &len) || info.nr_func_info != *n) {
		free(funcs);
		return NULL;
	}
	return funcs;
}

bool prog_has_function(int fd, const char *name)
{
	uint32_t n, btf_id;
	struct bpf_func_info *funcs = functions_of(fd, &n, &btf_id);
	struct btf *btf = funcs ? btf__load_from_kernel_by_id(btf_id) : NULL;
	bool found = !btf;

	for (uint32_t i = 0; btf && i < n && !found; i++) {
		const struct btf_type *t = btf__type_by_id(btf, funcs[i].type_id);

		found = t && !strcmp(btf__name_by_offset(btf, t->name_off), name);
	}
	btf__free(btf);
	free(funcs);
	return found;
}
