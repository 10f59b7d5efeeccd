// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attach.c - how long it takes to attach to many functions, in nanoseconds: a command that arms a set with one
 * kprobe_multi link, and beside it a bare BPF_LINK_CREATE by the same addresses.
 *
 * usage: attach COMMAND...
 * Lines "NAME NUMBER":
 *	functions	that the link probes
 *	bare		BPF_LINK_CREATE by their addresses, of a program that does nothing: the least of several
 *	link		the command's own BPF_LINK_CREATE
 *	step		the command's attaching as a whole: from its first link, after its programs are loaded, to the end of its last
 *	armed		from the start of the command until it says "armed"
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define MANY 1000
#define RUNS 3

/* Of struct bpf_link_info as v6.6 has it, for kprobe_multi. */
union multi_info {
	struct bpf_link_info info;
	struct {
		uint32_t type, id, prog_id, pad;
		uint64_t addrs;
		uint32_t count, flags;
		uint64_t missed;
	};
};

/* Addresses of the link with many functions that is there; *n: how many. */
static unsigned long *addresses(uint32_t *n)
{
	for (uint32_t id = 0; !bpf_link_get_next_id(id, &id);) {
		union multi_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		unsigned long *addrs;

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info.info, &len) || info.type != BPF_LINK_TYPE_KPROBE_MULTI ||
		    info.count < MANY) {
			close(fd);
			continue;
		}
		*n = info.count;
		addrs = calloc(*n, sizeof(*addrs));
		memset(&info, 0, sizeof(info));
		info.addrs = (uintptr_t)addrs;
		info.count = *n;
		len = sizeof(info);
		if (!addrs || bpf_obj_get_info_by_fd(fd, &info.info, &len))
			err(2, "addresses of the link");
		close(fd);
		return addrs;
	}
	errx(2, "no link probes many functions");
}

static uint64_t bare(const unsigned long *addrs, uint32_t n)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.addrs = addrs, .kprobe_multi.cnt = n);
	int prog = load_empty(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0);
	uint64_t least = UINT64_MAX, start, took;

	for (int run = 0; run < RUNS; run++) {
		int link;

		start = now_ns();
		link = bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &opts);
		took = now_ns() - start;
		if (link < 0)
			err(2, "attach to %u functions", n);
		close(link);
		if (took < least)
			least = took;
	}
	close(prog);
	return least;
}

/* What is known of a command that runs. */
struct watched {
	pid_t pid;
	uint64_t first;		/* its first link since it loaded a program last, 0: none */
	uint64_t entered;	/* the system call that it is in */
	uint64_t link, step;
	bool links, loads, many;	/* that call makes a link, loads a program, probes many functions */
};

static bool is_many(pid_t pid, uint64_t attr)
{
	uint32_t head[6] = { 0 };	/* of union bpf_attr: prog_fd, target_fd, attach_type, flags; flags, cnt */
	struct iovec here = { head, sizeof(head) }, there = { (void *)(uintptr_t)attr, sizeof(head) };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(head) && head[2] == BPF_TRACE_KPROBE_MULTI &&
	       head[5] >= MANY;
}

/* Does a write say that the set is armed? */
static bool says_armed(pid_t pid, uint64_t text, uint64_t len)
{
	char said[5];
	struct iovec here = { said, sizeof(said) }, there = { (void *)(uintptr_t)text, sizeof(said) };

	return len >= sizeof(said) && process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(said) &&
	       !memcmp(said, "armed", sizeof(said));
}

/* One stop at a system call's entry or exit; true when the set is armed. */
static bool look(struct watched *w)
{
	struct __ptrace_syscall_info info;
	bool is_bpf;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, w->pid, sizeof(info), &info) < 0)
		err(2, "ptrace");
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (w->loads)
			w->first = 0;
		if (w->links)
			w->step = now_ns() - w->first;
		if (w->many)
			w->link = now_ns() - w->entered;
		w->links = w->loads = w->many = false;
		return false;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (info.entry.nr == SYS_write)
		return says_armed(w->pid, info.entry.args[1], info.entry.args[2]);
	is_bpf = info.entry.nr == SYS_bpf;
	w->loads = is_bpf && info.entry.args[0] == BPF_PROG_LOAD;
	w->many = is_bpf && info.entry.args[0] == BPF_LINK_CREATE && is_many(w->pid, info.entry.args[1]);
	w->links = is_bpf && (info.entry.args[0] == BPF_LINK_CREATE || info.entry.args[0] == BPF_RAW_TRACEPOINT_OPEN);
	w->entered = now_ns();
	if (w->links && !w->first)
		w->first = w->entered;
	return false;
}

static pid_t start(char **argv, bool traced, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	if (out >= 0 && (dup2(out, 1) < 0 || dup2(out, 2) < 0))
		err(2, "dup2");
	if (traced && (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP)))
		err(2, "ptrace");
	execvp(argv[0], argv);
	err(2, "%s", argv[0]);
}

static void stop(pid_t pid)
{
	kill(pid, SIGINT);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Runs the command until it is armed, looking at its system calls; it runs on. */
static struct watched watch(char **argv)
{
	struct watched w = { .pid = start(argv, true, -1) };
	int status;

	if (waitpid(w.pid, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, w.pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		err(2, "ptrace");
	for (int sig = 0;;) {
		if (ptrace(PTRACE_SYSCALL, w.pid, 0, sig) < 0 || waitpid(w.pid, &status, 0) < 0)
			err(2, "ptrace");
		if (!WIFSTOPPED(status))
			errx(2, "%s ended", argv[0]);
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			sig = 0;
			if (look(&w))
				break;
		} else if (sig == SIGTRAP) {
			sig = 0;
		}
	}
	if (ptrace(PTRACE_DETACH, w.pid, 0, 0) < 0)
		err(2, "ptrace");
	return w;
}

/* The time until the command says "armed". */
static uint64_t until_armed(char **argv)
{
	uint64_t began = now_ns(), took = 0;
	char line[512];
	int fds[2];
	FILE *said;
	pid_t pid;

	if (pipe(fds))
		err(2, "pipe");
	pid = start(argv, false, fds[1]);
	close(fds[1]);
	said = fdopen(fds[0], "r");
	while (!took && said && fgets(line, sizeof(line), said)) {
		if (!strncmp(line, "armed", 5))
			took = now_ns() - began;
		else
			printf("# %s", line);
	}
	stop(pid);
	fclose(said);
	if (!took)
		errx(2, "%s is not armed", argv[0]);
	return took;
}

int main(int argc, char **argv)
{
	unsigned long *addrs;
	struct watched w;
	uint64_t armed;
	uint32_t n;

	if (argc < 2)
		errx(2, "usage: attach COMMAND...");
	armed = until_armed(argv + 1);
	w = watch(argv + 1);
	addrs = addresses(&n);
	stop(w.pid);
	printf("functions %u\nbare %llu\nlink %llu\nstep %llu\narmed %llu\n", n, (unsigned long long)bare(addrs, n),
	       (unsigned long long)w.link, (unsigned long long)w.step, (unsigned long long)armed);
	free(addrs);
	return 0;
}
