/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu.h - a BPF program run on each CPU. The kernel runs a program of type sched_cls when it is asked to
 * (net/bpf/test_run.c, v4.12), on the CPU of who asks: so this thread visits them all.
 */
#ifndef AGENT_PERCPU_H
#define AGENT_PERCPU_H

#include "lib/err.h"

/*
 * Run program `fd` once on each CPU; left out are those that are offline or outside this process's cpuset. Afterwards the
 * thread may run where it might before.
 */
int run_on_each_cpu(int fd, struct err *err);

#endif
