/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * armed.h - one set of this agent: from its object to armed in the kernel, what it tells while it is, and its end.
 */
#ifndef AGENT_ARMED_H
#define AGENT_ARMED_H

#include <signal.h>

#include "agent/brake.h"
#include "agent/load.h"
#include "agent/losses.h"
#include "agent/source_set.h"
#include "agent/symbols.h"
#include "agent/told.h"
#include "kdump/manifest.h"
#include "lib/buf.h"

struct kbtf;
struct ring_buffer;

/* What the user asked `run` for. */
struct run_options {
	struct sources src;
	char **sets;		/* --set */
	int nsets;
	uint32_t brake;		/* thousandths of a CPU, 0: none */
	bool dry_run, disarmed, force;
	bool at_boot;		/* nobody asked for it just now */
};

struct armed {
	const struct run_options *opts;
	enum df_act act;		/* what matches may do at most when it is armed */
	struct arena *a;
	struct buf object;
	struct set_info info;
	struct attach_plan plan;
	struct loaded loaded;
	struct manifest *mf;
	struct symbols syms;		/* read when a message names a function */
	struct ring_buffer *rings;	/* its notes */
	struct told told;		/* steps of the verdict that comes next */
	uint32_t *untold;		/* [info.nrules + 1]: verdicts that came without their event; the last: of which rule? */
	uint64_t notes_lost;		/* of df_ctl, as far as it was said ... */
	uint32_t crash_returned, gone;	/* ... or done */
	struct brake brake;
	struct losses losses;
	bool in_ledger;			/* the set was armed: its rules stand in the ledger of panics */
	unsigned int only_log;		/* rules that may not crash the machine (again), whatever the set's state */
	bool late;			/* it stands there as armed beyond the first minutes of this boot */
	uint64_t next_second_ns;	/* when what is done once a second is due */
	char state_path[256];
	char text[256];			/* "armed NAME: ..." */
};

/* What matches of these options may do at most, and how that is called: "armed ...". */
enum df_act armed_act(const struct run_options *o);
const char *armed_word(enum df_act act);

/*
 * Make ready: the object is read and its probes are looked up; nothing is loaded. act is what it will be armed as. The object is taken over; kbtf is
 * needed until the set is armed. With plan.nwaits nothing more can be done. The caller frees with armed_end, also after
 * an error.
 */
int armed_begin(struct armed *s, const struct run_options *o, enum df_act act, struct buf *object, struct kbtf *kbtf, struct err *err);

/*
 * From here on signals that ask to end (in *set) wait until the loop of `run` reads them: what is armed, and noted in the
 * ledger of panics, ends in order.
 */
void armed_hold_signals(sigset_t *set);

/*
 * Load, attach and arm. Parameters of --set are those of `all`, which has all rules that the user named. number tells the
 * sets of this process apart.
 */
int armed_arm(struct armed *s, const struct set_info *all, uint32_t number, struct err *err);

/* Has it an event that waits for a module? Then it waits again when the module goes. */
bool armed_may_wait(const struct armed *s);

/* Print what the set has to say; its descriptor, to wait for more. */
void armed_listen(struct armed *s);
int armed_fd(const struct armed *s);

/* To be called every ARMED_TICK_NS, with the time of CLOCK_MONOTONIC. */
#define ARMED_TICK_NS 100000000ULL
void armed_tick(struct armed *s, uint64_t now_ns);

void armed_end(struct armed *s);

/* notes.c: for libbpf, ctx is a struct armed. */
int armed_note(void *ctx, void *data, size_t size);

/* notes.c: what came since it was asked last and can be said in numbers only. */
void armed_untold(struct armed *s);

#endif
