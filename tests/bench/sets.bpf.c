// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sets.bpf.c - lookups of numbers that are in no set, by the runtime's own function: without the Bloom filter in front,
 * with it, and what the loop and its random numbers cost by themselves. BPF_PROG_TEST_RUN runs them.
 */
#include "bpf/set.h"

#define LOOKUPS 64
#define ABSENT (1ULL << 40)	/* no member is so large (tests/bench/sets.c) */

static __always_inline __u64 absent(void)
{
	return ABSENT | (__u64)bpf_get_prandom_u32() << 8;
}

SEC("tc") int plain(void *ctx)
{
	int found = 0;

	for (int i = 0; i < LOOKUPS; i++)
		found += df_in_set(absent(), 1, 0);
	return found;
}

SEC("tc") int filtered(void *ctx)
{
	int found = 0;

	for (int i = 0; i < LOOKUPS; i++)
		found += df_in_set(absent(), 1, 1);
	return found;
}

SEC("tc") int nothing(void *ctx)
{
	__u64 sum = 0;

	for (int i = 0; i < LOOKUPS; i++)
		sum += absent();
	return sum == 1;
}

char _license[] SEC("license") = "GPL";
