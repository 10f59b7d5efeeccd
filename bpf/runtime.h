/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.h - maps and helpers that the kernel-side files share. One object is built from runtime.bpf.c, which
 * includes the engines: BPF lists of one type must live in one object.
 *
 * Sizes: the compiler decides how many parts a key and how many words a payload has. It defines the constants
 * below (in read-only data, so that the verifier prunes code for larger sizes) and shortens the trailing arrays
 * of the types marked "resized" in this object's BTF before it links the set (rules/runtime.c). Hence these
 * arrays stand last in their structs, and no code may go over a bound before asking the constant.
 */
#ifndef BPF_RUNTIME_H
#define BPF_RUNTIME_H

#include "bpf/kernel.h"
#include "bpf/layout.h"

/*
 * Defined by the compiled set, in read-only data. Volatile, so that each is loaded where it is asked for, instead of all
 * being kept on the stack; the verifier knows their values all the same.
 */
extern const volatile __u32 df_cfg_key_parts;	/* 1 .. DF_KEY_PARTS */
extern const volatile __u32 df_cfg_words;	/* payload words of a node, a multiple of 4, at most DF_WORDS */
extern const volatile __u32 df_cfg_nmachines;
extern const volatile __u32 df_cfg_ncells;
extern const volatile __u32 df_cfg_ndecisions;
extern const volatile __u32 df_cfg_nparams;	/* elements of df_params, at least 1 */
extern const volatile __u32 df_cfg_nrules;

/*
 * Tables of the compiled set; their element counts are above. The linker compares types of externs member by member,
 * so structs are told to it as the words they are made of. These arrays, and the next two, are resized.
 */
extern const __u64 df_machine_words[];
extern const __u64 df_decision_words[];
extern const __u32 df_cells[];
#define df_machines ((const struct df_machine *)df_machine_words)
#define df_decisions ((const struct df_decision *)df_decision_words)
_Static_assert(sizeof(struct df_machine) % 8 == 0 && sizeof(struct df_decision) % 8 == 0, "tables of words");

/* What rules set: pairs of a flag's number and its value. */
extern const __u64 df_flag_sets[];
extern const volatile __u32 df_cfg_nflag_sets;	/* pairs, at least 1 */
extern const volatile __u32 df_cfg_nflags;	/* at least 1 */

/* Writable: rule parameters, flags, and by rule losses and evictions. */
extern __u64 df_params[];
extern __u64 df_flags[];
extern __u32 df_losses[];
extern __u32 df_evicted[];

/*
 * Generated: is guard number `guard` true for this event in this state? 1 yes, 0 no, -1 unknown.
 */
extern int df_guard(__u32 guard, void *rec, void *match);

/*
 * What the kernel has, set by the agent before loading: the verifier prunes calls of kfuncs that are not there. (The
 * address of a kfunc cannot be asked for before v6.3.)
 */
struct df_has {
	__u32 crash_kexec;
	__u32 bpf_panic;
	__u32 test_clock;	/* tests: time is what df_ctl.test_ns says */
	__u32 casts;		/* bpf_rdonly_cast */
	__u64 crash_image;	/* address of kexec_crash_image, NULL while no crash kernel is loaded; 0: not known */
};
extern const volatile struct df_has df_has;

/* Set by the agent before loading, too. */
extern const volatile struct df_places_at df_places_at;

/* struct df_key as the maps hold it. */
struct df_mkey {
	__u32 table;
	__u32 pad;
	__u64 part[DF_KEY_PARTS];	/* resized */
};

struct df_slot {
	__u32 held;			/* a program decides about it, or fills it */
	__u32 pad;
	struct df_mkey key;		/* resized; table 0: free */
};

struct df_node {
	struct bpf_list_node node;
	struct df_event e;
	__u64 w[DF_WORDS];		/* resized */
};

struct df_state {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct df_match m;
	struct bpf_list_head ring __contains(df_node, node);
	struct bpf_list_head pinned __contains(df_node, node);
	struct bpf_timer timer;		/* deadline */
	struct task_struct __kptr *task;	/* who is waited for: began the match whose deadline runs */
	struct df_mkey key;		/* resized */
};

struct df_state_ring {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct df_match m;
	struct bpf_timer timer;
	struct df_mkey key;		/* resized */
};

struct df_ring_node {
	struct df_event e;
	__u64 w[DF_WORDS];		/* resized */
};

/* A zeroed entry, in which a new key is made up before it goes into the hash. */
struct df_blank {
	__u64 w[(sizeof(struct df_state) + 7) / 8];
};

/* max_entries of 1 are set by the agent from the manifest. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct df_mkey);
	__type(value, struct df_state);
} df_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct df_mkey);
	__type(value, struct df_state_ring);
} df_keys_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_ring_node);
} df_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_slot);
} df_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} df_live SEC(".maps");

/* By machine. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_clock);
} df_clocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_stats);
} df_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_reach);
} df_reach SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_rec);
} df_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_blank);
} df_blank SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DF_FIRES + 1);
	__type(key, __u32);
	__type(value, struct df_fire);
} df_fires SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_rule);
} df_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DF_INDEX_SIZE);
	__type(key, __u32);
	__type(value, __u32);
} df_index SEC(".maps");

/* Which bodies run for a function that several events probe: see the cookie in hook.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} df_dispatch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_place);
} df_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_usdt_site);
} df_usdt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct df_frames);
} df_frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} df_out SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 16 * 1024);
} df_in SEC(".maps");

/* Modules that the set has probes in, which do not hold them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_module);
} df_modules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DF_MARKS);
	__type(key, __u32);
	__type(value, struct df_mark);
} df_marks SEC(".maps");

extern struct df_ctl df_ctl;

#endif
