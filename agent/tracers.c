// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/tracers.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "agent/module_btf.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

static void read_links(struct arena *a, struct tracers *t)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_LINK_TYPE_TRACING)
			continue;
		t->items = arena_grow(a, t->items, t->n, sizeof(*t->items));
		t->items[t->n++] = (struct tracer){ info.tracing.target_obj_id, info.tracing.target_btf_id };
	}
	t->read = true;
}

static uint32_t btf_of(const char *module)
{
	_cleanup_close_ int fd = module_btf_open(module ? module : "vmlinux");
	struct bpf_btf_info info = { 0 };
	uint32_t len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) ? info.id : 0;
}

uint32_t tracers_at(struct arena *a, struct tracers *t, const struct kbtf_func *f)
{
	uint32_t n = 0;

	if (!t->read)
		read_links(a, t);
	if (!t->btf || t->module != f->module)
		t->btf = btf_of(f->module);
	t->module = f->module;
	for (uint32_t i = 0; t->btf && i < t->n; i++)
		n += t->items[i].btf == t->btf && t->items[i].func == f->id;
	return n;
}
