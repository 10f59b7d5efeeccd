/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set.h - the rule sets that were armed in a dead kernel, as plain data.
 *
 * What lies in kernel memory is described in bpf/layout.h; this decodes it: the set's manifest, its control block,
 * verdicts, counters, live keys, and the history of one key. Everything lives in one arena.
 */
#ifndef KDUMP_SET_H
#define KDUMP_SET_H

#include "kdump/bpfmaps.h"
#include "kdump/gaps.h"
#include "kdump/manifest.h"

/* Numbers are uint64_t whatever their size in the kernel: see layout.h. */
struct set_ctl {
	uint64_t version, armed, frozen, fires, seq, started_ns, wall_offset_ns, crash_returned, fired;
	uint64_t marks, braked, missed, notes_lost;
};

struct set_key {
	uint64_t table;
	uint64_t part[8];	/* those beyond the set's longest key are 0 */
};

struct set_fire {
	uint64_t index;			/* in df_fires */
	uint64_t valid, rule, event, act, ns, seq, pid, tid, cpu, gen, nsteps, losses;
	uint64_t step[8];
	char comm[17];
	struct set_key key;
};

/* A live key and the state of its automaton. */
struct set_live {
	uint64_t first_ns, last_ns, gen, born, state, nring, npinned, dead, first_node, created_seq;
	uint64_t deadline_ns, count, alive, matches, pid, tid;
	char comm[17];		/* of the task that began the match */
	struct set_key key;
	uint64_t value;		/* address of its entry in the kernel */
};

/* One recorded event. */
struct set_event {
	uint64_t seq, ns, ip, pid, tid, event, gen, flags, cpu, nwords, nframes, stack_word;
	char comm[17];
	bool pinned;
	bool selected;		/* of a key that was asked for; else of a verdict's, whose message needs it */
	struct set_key key;
	uint64_t *w;		/* nwords of payload */
};

/* One counter of one event, summed over CPUs. */
struct set_counter {
	const char *name;	/* member of struct df_stats */
	uint64_t count;
};

/* A remark that `deadfall mark` put among the events. */
struct set_mark {
	uint64_t ns, seq;
	char text[81];
};

struct df_set {
	const char *name;
	uint32_t id;			/* of its df_index map */
	struct bpfmap *maps;		/* of this set */
	size_t nmaps;
	struct manifest *mf;		/* NULL: unreadable */
	struct set_ctl ctl;
	struct set_fire *fires;		/* valid ones, in order */
	size_t nfires;
	const struct set_fire *verdict;	/* the one that counts, or NULL */
	struct set_counter **counters;	/* [mf->nevents][ncounters], rows may be NULL */
	size_t ncounters;
	struct set_live *live;
	size_t nlive;
	struct set_mark *marks;		/* oldest first */
	size_t nmarks;
	struct set_event *history;	/* of the selected keys and those of the last verdicts, by seq */
	size_t nhistory;
	bool history_whole;		/* the lists of the selected keys were read to their ends */
};

struct df_sets {
	struct df_set *sets;
	size_t count;
	bool known;			/* all sets were found, and all their verdicts read */
};

/* Whose events are wanted. */
struct set_select {
	enum { SELECT_VERDICT, SELECT_KEY, SELECT_ALL } which;
	uint64_t part[8];	/* SELECT_KEY: keys that begin with these parts */
	size_t nparts;
	const char *rule;	/* whose verdict is wanted: its last one; NULL: the one that counts */
};

/*
 * Read all sets. What cannot be read is noted in gaps, and the rest is read. Returns -1 only when the list of BPF
 * maps itself is out of reach (then the gap says why).
 */
int sets_read(struct kernel *k, struct arena *a, const struct set_select *select, struct gaps *gaps,
	      struct df_sets *ret);

/* The set's map with that name, or NULL. */
const struct bpfmap *set_map(const struct df_set *s, const char *name);

/* The table that a key belongs to, and its rule; NULL: there is none with that number. */
const struct mf_machine *set_machine(const struct df_set *s, const struct set_key *key);
const struct mf_rule *set_rule_of_key(const struct df_set *s, const struct set_key *key);

/* Compare by table and parts. */
bool set_key_equal(const struct set_key *x, const struct set_key *y);

#endif
