// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/modwatch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/files.h"
#include "lib/cleanup.h"

#define RING_SIZE 4096

/* bpf_ringbuf_output(map, &one, 8, 0) */
static int load_program(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8, .imm = 1 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "df_modules", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			     NULL);
}

/* They say nothing but that they are there. */
static int take_note(__attribute__((unused)) void *ctx, __attribute__((unused)) void *data,
		     __attribute__((unused)) size_t size)
{
	return 0;
}

int modwatch_open(struct modwatch *w, struct err *err)
{
	static const char *const names[2] = { "module_load", "module_free" };
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	*w = (struct modwatch){ .map = -1, .prog = -1, .links = { -1, -1 } };
	w->map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "df_modules", 0, 0, RING_SIZE, NULL);
	if (w->map < 0 || bpf_obj_get_info_by_fd(w->map, &info, &len))
		return err_sys(err, errno, "watch modules: create a ring buffer");
	w->map_id = info.id;
	w->prog = load_program(w->map);
	if (w->prog < 0)
		return err_sys(err, errno, "watch modules: load a program");
	for (int i = 0; i < 2; i++) {
		w->links[i] = bpf_raw_tracepoint_open(names[i], w->prog);
		if (w->links[i] < 0)
			return err_sys(err, errno, "watch modules: attach to %s", names[i]);
	}
	w->ring = ring_buffer__new(w->map, take_note, NULL, NULL);
	return w->ring ? 0 : err_sys(err, errno, "watch modules: open the ring buffer");
}

int modwatch_fd(const struct modwatch *w)
{
	return w->ring ? ring_buffer__epoll_fd(w->ring) : -1;
}

bool modwatch_changed(struct modwatch *w)
{
	return w->ring && ring_buffer__consume(w->ring) > 0;
}

void modwatch_close(struct modwatch *w)
{
	const int fds[] = { w->links[0], w->links[1], w->prog, w->map };

	ring_buffer__free(w->ring);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*w = (struct modwatch){ .map = -1, .prog = -1, .links = { -1, -1 } };
}

static uint64_t module_number(const char *name, const char *file)
{
	char path[160], text[32];

	snprintf(path, sizeof(path), "/sys/module/%s/%s", name, file);
	return file_line("", path, text, sizeof(text)) ? strtoull(text, NULL, 0) : 0;
}

uint32_t modules_loading(struct loading_module *ret, uint32_t max)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/modules", "re");
	char line[4096];
	uint32_t n = 0;

	while (f && n < max && fgets(line, sizeof(line), f)) {
		struct loading_module *m = &ret[n];

		if (!strstr(line, " Loading ") || sscanf(line, "%63s", m->name) != 1)
			continue;
		m->init_begin = module_number(m->name, "sections/.init.text");
		m->init_end = m->init_begin + module_number(m->name, "initsize");
		n++;
	}
	return n;
}

uint64_t module_identity(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	for (char *p = path; *p; p++) {
		if (*p == '-')
			*p = '_';
	}
	return stat(path, &st) ? 0 : st.st_ino;
}
