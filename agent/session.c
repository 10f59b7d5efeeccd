// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/session.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of union bpf_attr, what BPF_LINK_CREATE takes for kprobe_multi and sessions. */
struct link_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint32_t multi_flags, cnt;
	uint64_t syms, addrs, cookies;
	uint64_t rest[4];
};

int session_attach(int prog, const char **syms, const unsigned long *addrs, const uint64_t *cookies, uint32_t n)
{
	struct link_attr attr = { .prog_fd = (uint32_t)prog, .attach_type = TRACE_KPROBE_SESSION, .cnt = n,
				  .syms = (uintptr_t)syms, .addrs = (uintptr_t)addrs, .cookies = (uintptr_t)cookies };

	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}
