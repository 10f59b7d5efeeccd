/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - kprobe sessions (v6.10), which libbpf 1.1 does not know: one program for entry and return. */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include <stdint.h>

/* BPF_TRACE_KPROBE_SESSION of include/uapi/linux/bpf.h */
#define TRACE_KPROBE_SESSION 56

/* Attach to n functions, by name or (syms NULL) by address; a link's descriptor, or negative with errno. */
int session_attach(int prog, const char **syms, const unsigned long *addrs, const uint64_t *cookies, uint32_t n);

#endif
