// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls.c - what one call costs, in nanoseconds: the least of several runs. With QEMU's -icount shift=0 a nanosecond is
 * an instruction, and the least run is one that no timer interrupted.
 *
 * usage: calls WHAT [EMPTY]
 *	WHAT	syscall: getpgid(this process), whose function is __x64_sys_getpgid; syscall0: getpgid(0); site: this
 *		program's USDT probe bench:site
 *	EMPTY	kprobe_multi, fentry or uprobe: with a program of that kind there which does nothing
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/usdt.h"
#include "lib/arena.h"
#include "tests/bench/bench.h"

#define FUNCTION "__x64_sys_getpgid"
#define CALLS 2000
#define RUNS 8

/* The argument: what a rule reads is this. */
static long number;

static void call_syscall(void)
{
	syscall(SYS_getpgid, number);
}

static void __attribute__((noinline)) call_site(void)
{
	uint64_t value = 7;

	DTRACE_PROBE1(bench, site, value);
}

static int empty_kprobe_multi(void)
{
	const char *name = FUNCTION;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = &name, .kprobe_multi.cnt = 1);

	return bpf_link_create(load_empty(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0), 0, BPF_TRACE_KPROBE_MULTI,
			       &opts);
}

static int empty_fentry(void)
{
	int id = libbpf_find_vmlinux_btf_id(FUNCTION, BPF_TRACE_FENTRY);

	if (id < 0)
		errx(2, "no type of " FUNCTION);
	return bpf_link_create(load_empty(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, (uint32_t)id), 0, BPF_TRACE_FENTRY,
			       NULL);
}

/* A file's number. */
static uint32_t number_in(const char *path)
{
	FILE *f = fopen(path, "re");
	uint32_t n = 0;

	if (!f || fscanf(f, "%u", &n) != 1)
		err(2, "%s", path);
	fclose(f);
	return n;
}

/* At the instruction of the USDT probe. */
static int empty_uprobe(void)
{
	struct arena *a = arena_create(NULL, NULL);
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = number_in("/sys/bus/event_source/devices/uprobe/type"),
					.config1 = (uintptr_t)"/proc/self/exe" };
	struct usdt_note *notes;
	struct err e;
	uint32_t n;
	int fd;

	if (usdt_read(a, "/proc/self/exe", &notes, &n, &e))
		errx(2, "%s", e.msg);
	attr.config2 = notes[0].offset;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	arena_destroy(a);
	if (fd < 0)
		err(2, "uprobe");
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, load_empty(BPF_PROG_TYPE_KPROBE, 0, 0)))
		err(2, "attach");
	return fd;
}

/* The least of the runs, for one call. */
static double measure(void (*call)(void))
{
	uint64_t least = UINT64_MAX, start, took;

	for (int run = 0; run < RUNS; run++) {
		start = now_ns();
		for (int i = 0; i < CALLS; i++)
			call();
		took = now_ns() - start;
		if (run && took < least)	/* the first warms up, and fills lists */
			least = took;
	}
	return (double)least / CALLS;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*attach)(void);
	} programs[] = { { "kprobe_multi", empty_kprobe_multi }, { "fentry", empty_fentry }, { "uprobe", empty_uprobe } };

	if (argc < 2)
		errx(2, "usage: calls syscall|syscall0|site [kprobe_multi|fentry|uprobe]");
	if (strcmp(argv[1], "syscall0"))
		number = getpid();
	for (size_t i = 0; argc > 2 && i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (!strcmp(programs[i].name, argv[2]) && programs[i].attach() < 0)
			err(2, "attach %s", argv[2]);
	}
	printf("%.1f\n", measure(strcmp(argv[1], "site") ? call_syscall : call_site));
	return 0;
}
