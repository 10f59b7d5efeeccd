// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/diff/types.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/file.h"

#include <fcntl.h>
#include <unistd.h>

#define ARGS_MAX 16

static int add_function(struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "arguments", BTF_KIND_STRUCT), proto, err = 0;
	__u32 types[ARGS_MAX], n;

	if (id < 0)
		return id;
	n = btf_vlen(btf__type_by_id(btf, (__u32)id));
	for (__u32 i = 0; i < n && i < ARGS_MAX; i++) {
		const struct btf_member *m = btf_members(btf__type_by_id(btf, (__u32)id)) + i;

		types[i] = m->type;
	}
	proto = btf__add_func_proto(btf, btf__find_by_name_kind(btf, "int", BTF_KIND_INT));
	for (__u32 i = 0; i < n && i < ARGS_MAX && !err; i++) {
		char name[32];

		/* t, then a, b, c ... as the struct has them */
		snprintf(name, sizeof(name), "%c", i ? 'a' + (int)i - 1 : 't');
		err = btf__add_func_param(btf, name, (int)types[i]);
	}
	return err || proto < 0 ? -1 : btf__add_func(btf, "subject", BTF_FUNC_STATIC, proto);
}

/* The running kernel's place of the task's name, which the runtime reads. */
static int add_task(struct btf *btf)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	int id = vmlinux ? btf__find_by_name_kind(vmlinux, "task_struct", BTF_KIND_STRUCT) : -1, comm, err = -1;
	const struct btf_type *task = id > 0 ? btf__type_by_id(vmlinux, (__u32)id) : NULL;

	comm = btf__add_array(btf, btf__find_by_name_kind(btf, "int", BTF_KIND_INT),
			      btf__find_by_name_kind(btf, "char", BTF_KIND_INT), 16);
	for (__u32 i = 0; task && i < btf_vlen(task); i++) {
		const struct btf_member *m = btf_members(task) + i;

		if (strcmp(btf__name_by_offset(vmlinux, m->name_off), "comm"))
			continue;
		btf__add_struct(btf, "task_struct", task->size);
		err = btf__add_field(btf, "comm", comm, btf_member_bit_offset(task, i), 0);
	}
	btf__free(vmlinux);
	return err;
}

int types_make(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	struct btf *btf = NULL;
	const void *raw = NULL;
	struct buf b = BUF_INIT;
	struct err err;
	__u32 size;
	int ret = -1;

	if (in >= 0 && !file_read_fd(in, &b, &err))
		btf = btf__new(b.data, (__u32)b.len);
	buf_deinit(&b);
	if (btf && add_function(btf) > 0 && !add_task(btf))
		raw = btf__raw_data(btf, &size);
	if (raw)
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out >= 0 && write(out, raw, size) == (ssize_t)size)
		ret = 0;
	if (out >= 0)
		close(out);
	btf__free(btf);
	return ret;
}
