/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set.h - `in $set`: members of all sets in one hash map, filled by the agent (agent/members.c), and a Bloom filter
 * in front of it for sets where that pays.
 */
#ifndef BPF_SET_H
#define BPF_SET_H

#include "bpf/runtime.h"

/* max_entries of 1 are set by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct df_member);
	__type(value, __u8);
} df_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1);
	__uint(map_extra, DF_BLOOM_HASHES);
	__type(value, struct df_member);
} df_bloom SEC(".maps");

/* Is the number in the set? filtered: ask the Bloom filter first; a constant of the set. */
__hidden __attribute__((noinline)) int df_in_set(__u64 value, __u32 set, __u32 filtered)
{
	struct df_member m = { .value = value, .set = set };

	if (filtered && bpf_map_peek_elem(&df_bloom, &m))
		return 0;
	return bpf_map_lookup_elem(&df_sets, &m) != NULL;
}

#endif
