/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench.h - what the benches share: the time, and a program that does nothing, to compare with. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <bpf/bpf.h>
#include <err.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* { return 0; } Its descriptor. */
static inline int load_empty(enum bpf_prog_type type, enum bpf_attach_type attach, uint32_t btf_id)
{
	const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .attach_btf_id = btf_id);
	int fd = bpf_prog_load(type, "empty", "GPL", code, 2, &opts);

	if (fd < 0)
		err(2, "load");
	return fd;
}

#endif
