/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h - a set in the kernel: hooks and engines loaded, maps set up, links attached.
 *
 * The object is opened twice. List maps belong to the BTF of one bpf_object, and engines need the file descriptors
 * of the hook programs they attach to: so the hooks are loaded first, with all plain maps, then the engines with the
 * list maps, sharing the plain ones.
 */
#ifndef AGENT_LOAD_H
#define AGENT_LOAD_H

#include "agent/places.h"
#include "agent/probed.h"
#include "agent/resolve.h"
#include "agent/setinfo.h"
#include "bpf/layout.h"
#include "lib/buf.h"
#include "lib/err.h"

struct bpf_object;
struct bpf_link;

/* A tracing program for one function; its body tells the hook. */
struct tracing_prog {
	int fd;				/* -1: not loaded */
	bool is_copy;			/* not libbpf's: ours to close */
	uint32_t body;
};

struct loaded {
	const struct set_info *info;
	struct bpf_object *hooks, *engines;
	struct bpf_link **links;
	uint32_t nlinks;
	int *link_fds;			/* links made without libbpf */
	uint32_t nlink_fds;
	struct places places;
	uint64_t *late;			/* constants that this kernel decides, by word */
	struct tracing_prog *progs;	/* tracing programs, by plan->progs */
	uint32_t nprogs;
	struct probed_module *modules;	/* those that are not held */
	uint32_t nmodules;
	struct df_ctl *ctl;		/* mapped */
	bool lists;			/* which engine */
	uint64_t idle_hooks;		/* bits: no event of the hook can be a hit on this machine, says the verifier */
	uint32_t functions;		/* attached to, all hooks together */
};

/*
 * Load the set (the object is changed to suit this kernel); nothing is attached to the kernel yet. On a verifier's
 * refusal err names the rule's line.
 * The caller frees *ret with loaded_destroy, also after an error.
 */
int set_load(struct arena *a, struct set_info *info, struct buf *object, const struct attach_plan *plan,
	     struct loaded *ret, struct err *err);

/*
 * Attach engines, then hooks. Nothing is recorded before the last is there: else an event that prevents a match could
 * go unseen. Nothing fires before set_arm.
 */
int set_attach(struct arena *a, struct loaded *s, const struct attach_plan *plan, struct err *err);

/* Let the set sleep, or wake it. */
void set_freeze(struct loaded *s, enum df_frozen why);

/* What matches may do, from now on. */
void set_arm(struct loaded *s, enum df_act act);

/* What one rule may do at most. */
int set_rule_act(struct loaded *s, uint32_t rule, enum df_act act, uint64_t not_before, struct err *err);

/* Give parameter number `index` another value. */
int set_param(struct loaded *s, uint32_t index, uint64_t value, struct err *err);

/* Id of the program that applies commands; 0: this kernel has no user ring buffer. */
uint32_t set_drain_id(const struct loaded *s);

/* Descriptor of a map of the set, or negative. */
int set_map_fd(const struct loaded *s, const char *name);

/* Let go of all probes; maps and programs stay. */
void set_detach(struct loaded *s);

/* Detach and unload. */
void loaded_destroy(struct loaded *s);

#endif
