/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what a dump or capsule tells, ready to be shown: text in place of numbers, addresses as symbols.
 *
 * report_build() asks the kernel everything that any format shows; the printers (report_text.c, report_json.c) only
 * format. Everything lives in the arena given to report_build().
 */
#ifndef KDUMP_REPORT_H
#define KDUMP_REPORT_H

#include "kdump/cpus.h"
#include "kdump/dmesg.h"
#include "kdump/set.h"
#include "kdump/tasks.h"

#include <stdio.h>

/* A field's or key part's value. */
struct report_value {
	const char *name;
	enum value_type type;
	bool unknown;		/* could not be read when the event happened */
	bool is_error;		/* a return value: what is negative is an error number */
	uint64_t num;		/* numbers; sign-extended for VALUE_INT */
	const char *text;	/* VALUE_STR: the string; VALUE_ENUM: its name or NULL */
	const uint8_t *bytes;	/* VALUE_BYTES */
	size_t len;
	const char *symbol;	/* VALUE_PTR: what of the kernel or of a module is there ("poll+0x10 [widget]"), or NULL */
};

struct report_task {
	uint64_t pid, tid;
	const char *comm;
};

struct report_frame {
	uint64_t addr;
	const char *symbol;	/* "vfs_read+0x9"; the address when no symbol is known */
	const char *module;	/* "" for the kernel */
	bool tool;		/* the tracing machinery between the event and its handler, not the kernel's own path */
	const uint8_t *build_id;	/* user space: of its file, 20 bytes, or NULL */
	uint64_t offset;		/* ... and where in it */
	const char *path;		/* ... and that file, so far as it is known */
	bool guessed;		/* found by scanning the stack: may be left over from an older call */
};

/* A branch that the CPU remembered (LBR). */
struct report_branch {
	struct report_frame from, to;
};

struct report_event {
	const char *event;
	const char *step;	/* label of the match's step, or NULL */
	uint64_t seq, ns, cpu, gen;
	struct report_value *key;
	size_t nkey;
	struct report_task task;
	const char *func;	/* probed function, or NULL */
	struct report_value *fields;
	size_t nfields;
	struct report_frame *kstack, *ustack;
	size_t nkstack, nustack;
	struct report_branch *branches;	/* the last branches that were taken, the latest first */
	size_t nbranches;
	bool pinned, birth, death, fired, unknown;
};

struct report_live {
	struct report_value *key;
	size_t nkey;
	const char *rule;
	uint64_t table;		/* number of its table in the set */
	uint64_t gen, nevents;
	uint64_t age_ns;	/* since its last event; see has_age */
	bool has_age;
	const char *state;
	bool under_way;		/* a match has begun, and is not complete */
	uint64_t since_ns;	/* then: how long ago it began; 0: not known */
	struct report_task began;	/* ... and the task that began it; comm "": not known */
	int64_t count;		/* of automata that count */
	bool has_deadline;
	int64_t deadline_in_ns;	/* until the deadline; negative: it has passed */
	uint64_t matches;	/* completed on this key */
};

/* An owner whose ups and downs do not match. */
struct report_owner {
	struct report_value owner;
	int64_t count;		/* ups without their downs; -1: the event that fired is a down without its up */
	uint64_t last_ns;	/* its last event, where it is an up without a down; else 0 */
};

/* A table of keys with its automaton, and how many keys are in which state. */
struct report_automaton {
	const char *set, *rule;
	const char *part;	/* "owners", "groups", a further table's name; NULL: the rule's own table */
	uint64_t table;
	const char **states;
	uint64_t *keys;		/* by state */
	const struct set_reach *reach;	/* by state, or NULL */
	size_t nstates;
};

struct report_mark {
	uint64_t ns, seq;
	const char *text;
};

/* What a set as a whole went through. */
struct report_set {
	const char *name, *act;
	uint64_t braked;	/* thousandths of a CPU that its probes took when the brake let go of them; 0: no */
	uint64_t missed;	/* calls that the probes missed, so far as the kernel counts them */
	uint64_t notes_lost;	/* matches and other news that `run` was not told of */
	uint64_t crash_returned;	/* times that the call for the crash kernel came back */
	uint64_t fires;
};

struct report_loss {
	const char *event;
	const char *counter;
	uint64_t count;
	bool is_loss;		/* false: it tells that the probe worked (seen, hit, recorded, fired) */
};

/* A verdict, the main one or another. */
struct report_match {
	const char *rule, *kind, *event, *reason, *act;
	const struct mf_fault *detected;	/* of a lifecycle, or NULL */
	uint64_t ns, seq, cpu, gen;
	uint64_t losses;	/* events of the rule that were lost while the match went on */
	struct report_task task;
	struct report_value *key;
	size_t nkey;
};

/* The stack of a task when the kernel died. */
struct report_stack {
	struct report_task task;
	const char *state;		/* "crashed", "running", "blocked" */
	int cpu;			/* where it ran, or -1 */
	bool idle;
	enum unwind_arch arch;
	struct unwind_regs regs;	/* as the CPU stopped; count 0: not known */
	bool user;			/* it came from user mode, with user_regs (count 0: not all are known) */
	struct unwind_regs user_regs;
	struct report_frame *frames;
	const struct unwind_frame *places;	/* of the frames, one for each */
	size_t nframes;
	const char *end;		/* NULL: the stack is whole; else why it ends early */
};

/* A rule that was armed. */
struct report_rule {
	const char *set, *name, *about, *act;
	uint64_t live;		/* its live keys */
};

struct report {
	struct arena *arena;
	struct gaps gaps;
	const char *file;	/* where this was read from */
	const char *format;	/* "kdump-compressed", "capsule", ... */
	const char *release;	/* of the kernel */
	const char *crash_time;	/* seconds since the epoch as text (CRASHTIME of VMCOREINFO), or NULL */
	int64_t wall_offset_ns;	/* wall time = event time + this */
	bool has_wall;
	const struct report_match *match;	/* NULL: nothing fired, or not the rule that was asked for */
	const char *asked;			/* the rule whose verdict was asked for, or NULL */
	struct report_match *verdicts;		/* all of all sets */
	size_t nverdicts;
	struct report_rule *rules;
	size_t nrules;
	struct report_set *sets;
	size_t nsets;
	struct report_automaton *automata;
	size_t nautomata;
	struct report_mark *marks;		/* oldest first */
	size_t nmarks;
	const char *about, *source;		/* of the rule that fired */
	bool all_keys;				/* context has events of several keys */
	struct report_event *context;		/* oldest first */
	size_t ncontext;
	bool context_whole;
	size_t pins;				/* so many pinned events a key keeps beside the others; 0: not known */
	struct report_owner *owners;		/* of a balance that is out: those who do not match */
	size_t nowners;
	struct report_live *live;
	size_t nlive;
	struct report_loss *losses;		/* non-zero ones */
	size_t nlosses;
	struct cpus cpus;			/* what ran where at the crash */
	struct report_stack *stacks;		/* the crashed task, the other CPUs, then tasks blocked in D state */
	size_t nstacks;
	size_t nblocked;			/* tasks in D state; of these at most REPORT_BLOCKED have a stack */
	struct dmesg_line *dmesg;		/* the last messages, oldest first */
	size_t ndmesg;
	bool sets_known;			/* false: it is not known whether there were more sets, or verdicts */
};

#define REPORT_DMESG_LINES 100
#define REPORT_BLOCKED 64

/*
 * Build the report, with the events of the key that fired. Never fails: what could not be read is in gaps. file and
 * format are only repeated in the report.
 */
struct report *report_build(struct kernel *k, struct arena *a, const char *file, const char *format);

/* The same with the events of other keys. */
struct report *report_build_selected(struct kernel *k, struct arena *a, const struct set_select *select,
				     const char *file, const char *format);

/*
 * Give frames in user space the symbols of files here, recognized by their build-ids. root: a folder with the files of
 * the machine that crashed, NULL: this machine's own. Asks the kernel nothing.
 */
void report_symbolize_user(struct report *r, const char *root);

/* "0x10" or "0x10,5" as a selection of keys. False when it is no list of numbers. */
bool report_parse_key(const char *text, struct set_select *ret);

/* What was lost while the rules were armed: sentences, in the report's arena. Returns their number. */
size_t report_missing(const struct report *r, const char ***ret);

/*
 * Print. Errors of the stream are the caller's to check. full: every event, key and message that is known, not only
 * those that a first look needs.
 */
void report_print_text(const struct report *r, FILE *out, bool color, bool full);
int report_print_json(const struct report *r, FILE *out, struct err *err);
int report_print_html(const struct report *r, FILE *out, struct err *err);
int report_print_perfetto(const struct report *r, FILE *out, struct err *err);

#endif
