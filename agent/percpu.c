// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/percpu.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <unistd.h>

/* What a program of this type is shown: no less than an Ethernet header. */
#define PACKET_SIZE 64
/* No kernel is built for more (arch/x86/Kconfig, NR_CPUS). */
#define CPUS_MAX 8192

static int run_here(int fd, struct err *err)
{
	static const char packet[PACKET_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	return bpf_prog_test_run_opts(fd, &opts) ? err_sys(err, errno, "run a program of the set") : 0;
}

int run_on_each_cpu(int fd, struct err *err)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	cpu_set_t *before = CPU_ALLOC(CPUS_MAX), *one = CPU_ALLOC(CPUS_MAX);
	int ret = 0;

	if (!before || !one || sched_getaffinity(0, size, before)) {
		ret = err_sys(err, errno, "ask for the CPUs");
		goto out;
	}
	for (size_t cpu = 0; cpu < (size_t)n && !ret; cpu++) {
		CPU_ZERO_S(size, one);
		CPU_SET_S(cpu, size, one);
		if (!sched_setaffinity(0, size, one))
			ret = run_here(fd, err);
	}
	if (sched_setaffinity(0, size, before) && !ret)
		ret = err_sys(err, errno, "go back to the CPUs that it may run on");
out:
	CPU_FREE(before);
	CPU_FREE(one);
	return ret;
}
