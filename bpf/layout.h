/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - what lies in kernel memory while a rule set is armed: the contract between generated code, the
 * BPF runtime, the agent, and the readers of a dump.
 *
 * A reader does not compile these offsets in: the maps of the runtime carry BTF, the dump carries that BTF, and
 * members are looked up by the names below. The *names* and meanings are the contract. C code that runs on the
 * machine that loaded the set (agent, runtime) uses the structs directly.
 *
 * Maps of one set (names as the kernel shows them; a dump is searched for df_index):
 *
 *	df_index	array, u32 -> u32: the ids of all maps of the set, written by the agent after loading.
 *			Entry 0 holds DF_INDEX_MAGIC, entry 1 the number n of ids, entries 2 .. n+1 the ids.
 *	.rodata.df_man*	the manifest: JSON text (docs/manifest.md), 0-terminated. The kernel cuts the name.
 *	.data.df_ctl	struct df_ctl
 *	.data.df_params	u64[]: rule parameters by number, durations in nanoseconds
 *	df_keys		hash, struct df_key -> struct df_state: live keys of all tables, history in BPF lists
 *	df_slots	array of struct df_slot (held, then the key): the eviction clock: every live key stands in one slot
 *	df_keys_ring	hash, struct df_key -> struct df_state_ring: the same on kernels without lists, with
 *	df_ring		array of struct df_ring_node (struct df_event e, then u64 w[]): a slot's nodes begin at
 *			df_match.first_node, first `last` of the ring, then `pins` pinned ones; a node belongs to
 *			the key only if its seq is not below df_match.created_seq (and not 0: being written)
 *	df_stats	per-CPU array, event number -> struct df_stats
 *	df_fires	array of struct df_fire, written by the verdict: the first DF_FIRES, then for each rule its last after them
 *	.data.df_flags	u64[]: the flags that rules set and read
 *	.data.df_losses	u32[]: losses by rule: events not seen or not recorded; the agent adds what probes missed
 *	.data.df_evicts	u32[]: by rule, keys evicted with the state of their match
 *	df_live		array, machine -> s64: live keys
 *	df_clocks	array, machine -> struct df_clock: whose turn it is to be evicted
 *	df_reach	array, df_machine.first_state + state -> struct df_reach
 *	df_rules	array, rule number -> struct df_rule: what each rule may do
 *	df_usdt		array of struct df_usdt_site, by the cookie of the site's uprobe
 *	df_dispatch	array of body numbers, for functions that several events probe
 *	df_places	hash table of functions, see struct df_place
 *	df_sets		hash, struct df_member -> u8: members of the rules' sets (bpf/set.h)
 *	df_bloom	Bloom filter of struct df_member
 *	df_text		per-CPU scratch of the runtime; no history
 *	df_out		BPF ring buffer to the agent: struct df_note
 *	df_in		user ring buffer of commands: struct df_cmd, applied by the program df_drain; where the kernel has it
 *	df_modules	array of struct df_module: modules that go, and put the set to sleep
 *	df_marks	array of DF_MARKS struct df_mark: what `deadfall mark` wrote, the newest at (df_ctl.marks - 1) %
 *			DF_MARKS
 *	df_delays, df_delay_locks	of `delay`: what a CPU may wait; no history
 *	df_scratch	per-CPU array of struct df_rec: one event on its way from a hook to its engine; no history
 *	df_frames	task storage, struct df_frames: what was evaluated at a function's entry for its return
 *
 * Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns).
 */
#ifndef BPF_LAYOUT_H
#define BPF_LAYOUT_H

#include <linux/types.h>

#define DF_VERSION 1
#define DF_INDEX_MAGIC 0xdeadfa11
#define DF_INDEX_SIZE 64

/* Limits of one record. The set's own sizes (key parts, payload words) are smaller and set by the compiler. */
#define DF_KEY_PARTS 8		/* u64 parts of a key */
#define DF_WORDS 192		/* u64 words of an event's payload: fields first, then the kernel stack ... */
#define DF_STACK_DEPTH 28	/* frames of a kernel stack unless the rule says otherwise */
#define DF_STEPS 8		/* events of a match that the verdict names */
#define DF_VALS 8		/* values of an event that guards and registers of its key may use */
#define DF_CHAIN 8		/* decisions of a cell */
#define DF_PROGS 16		/* programs of a set that have a record of their own ... */
#define DF_PROG_TIMER 15	/* ... the last is for deadlines */
#define DF_FIRES 16		/* verdicts kept, whatever rule they are of; of later ones each rule's last */
#define DF_COMM 16

/*
 * The key of a live entry. Tables share one hash: `table` tells them apart. In the maps, part[] has just as many
 * elements as the set's longest key; shorter keys are zero-filled.
 */
struct df_key {
	__u32 table;		/* rule number + 1; 0 is never a key */
	__u32 pad;
	__u64 part[DF_KEY_PARTS];
};

/* df_rec.flags, and kept in df_event.flags */
enum df_rec_flag {
	DF_BIRTH = 1 << 0,	/* begins a generation of its key */
	DF_DEATH = 1 << 1,	/* ends it */
	DF_PIN = 1 << 2,	/* goes to the pinned list: the ring cannot overwrite it */
	DF_UNKNOWN = 1 << 3,	/* a read in its condition failed: counts only where it prevents a fire */
	DF_STEP = 1 << 4,	/* (event) was a step of a match */
	DF_FIRED = 1 << 5,	/* (event) was the event of the verdict */
	DF_DEADLINE = 1 << 6,	/* (event) no event: a deadline passed; its stack is that of the task waited for */
	DF_OWN = 1 << 8,	/* counts also when the agent does it: else others' events would be without their pair */
	DF_ASK = 1 << 7,	/* no event: a question to the engine (bpf/ask.h) */
	DF_WAIT = 1 << 9,	/* no event: the engine is to wait (bpf/delay.h) */
};

/* A question of a hook: a table and what is asked of it; key parts or values follow. */
struct df_query {
	__u32 table;		/* as in df_key */
	__u32 guard;		/* condition + 1 of any_live(); 0: live() */
	__u32 max;		/* keys that any_live() looks at */
	__u32 bad;		/* mask of values that are unknown */
	__u64 w[];
};

/* What df_in_context answers: what the CPU was doing when the probe was hit. */
enum df_context { DF_IN_HARDIRQ, DF_IN_SOFTIRQ, DF_IN_SERVING_SOFTIRQ, DF_IN_TASK };

/* What any_live()'s condition may ask of a key, in the order of rules/check_loop.c. */
enum df_live_attr {
	DF_LIVE_AGE, DF_LIVE_IDLE, DF_LIVE_GENERATION, DF_LIVE_TID, DF_LIVE_PID, DF_LIVE_CPU, DF_LIVE_KEY, DF_LIVE_EVENTS,
};

#define DF_NO_COL 0xffff	/* df_rec.col: the event is only recorded in this table */

/*
 * One event on its way from a hook to its engine, in per-CPU scratch memory. Programs that the kernel runs one at a
 * time on a CPU (kprobe, tracepoint and perf event programs, behind bpf_prog_active) have the slot of their hook's
 * number; those that another of their kind may interrupt or preempt (tracing and uprobe programs) take the first of
 * DF_NESTED more that is free. Generated code fills all but what is marked; an event that is recorded in several
 * tables goes to the engine once for each, with another machine, column and key.
 */
#define DF_NESTED 8		/* What an event did to its key, for what follows (bpf/engine.h). */
struct df_effect {
	__u64 timer_ns;
	__u64 follow_key;
	__u32 node_flags;
	__u16 ops;
	__s8 alive;		/* +1: a key came to life, -1: one died */
	__u8 rest;		/* something of this is left to do after the lock; of most events nothing is */
	__u8 follow_col;
	__u8 follow;
	__u8 pin;
	__u8 from;		/* state before the event ... */
	__u8 entered;		/* ... and that after it + 1, if it is another and not the first */
	__u8 near;		/* enum df_test of the first decision that did not hold */
	__u8 cut;		/* the list may not grow further: the set's memory is used up */
	__u8 pad;
};

/* slots to take, from DF_PROGS on */

struct df_rec {
	__u32 slot;		/* its own number in df_scratch, of a slot that was taken */
	__u32 busy;		/* it is taken */
	__u64 ns;		/* engine, the first time; hooks set it to 0 */
	__u64 seq;		/* engine, likewise */
	__u64 ip;		/* address of the probed function, or 0 */
	__u32 event;		/* number of the event in the set */
	__u32 machine;		/* whose key this is: index in df_machines */
	__u32 flags;
	__u32 gen;		/* engine */
	__u16 col;		/* the event's column there; col + 1 when unknown */
	__u16 nwords;		/* payload words in use */
	__u16 nframes;		/* kernel stack frames, at the end of the payload */
	__u16 stack_word;	/* where in the payload they begin */
	__u32 val_bad;		/* bit n: val[n] could not be read */
	__u32 losses;		/* engine: losses of the rule since the match began ... */
	__u32 base;		/* engine: ... and at its beginning, in the machine that the event went to last */
	__u32 recorded;		/* engine: counts the histories that the event went into */
	__u32 ops;		/* (DF_ASK) the answer */
	__u32 cpu;		/* engine */
	__u64 pid_tgid;		/* engine: the task to name: the current one, or the one that a deadline waited for */
	__u64 comm[DF_COMM / 8];
	__u64 val[DF_VALS];	/* values that guards and kept registers need */
	__u64 step[DF_STEPS];	/* engine: sequence numbers of the match's steps */
	__u64 pinned;		/* engine: where the key's pinned events are: their list's head, or the first in df_ring ... */
	__u64 at;		/* ... the one that is looked at */
	__u32 npinned;		/* ... and in df_ring their number */
	__u32 tells;		/* engine: steps that the agent is to be told of ... */
	__u32 told;		/* ... and how many it was */
	__u32 pad;
	struct df_effect effect;
	struct df_key key;
	__u64 w[DF_WORDS];
};

/*
 * What runs at a function: a table by address, in an array map. A link's cookie says the same, but for that the kernel
 * searches all functions of the link (some 28 instructions for each halving), and here one or two elements are looked
 * at, however many functions other rules probe. An element is searched from number (key * seed) >> shift on, at
 * DF_PLACE_TRIES places at most. Links have cookies only where functions found no place: the kernel sorts them.
 */
struct df_place {
	__u64 key;		/* DF_PLACE_KEY, 0: free */
	__u64 bodies;		/* the cookie */
};

#define DF_PLACE_TRIES 4
#define DF_PLACE_KEY(hook, address) ((__u64)(address) ^ (__u64)(hook) << 56)
enum df_place_hook { DF_PLACE_KPROBE = 1, DF_PLACE_KRETPROBE, DF_PLACE_SESSION };

/* Constants of the table; mask 0: there is none. */
struct df_places_at {
	__u64 seed;
	__u32 shift;
	__u32 mask;		/* elements - 1, all ones */
	__u32 left_out;		/* functions that found no place; 0: links need no cookies */
	__u32 pad;
};

/*
 * Sections of programs of which the agent says where they attach. The functions and the event in their names are there on
 * every kernel, so that other loaders can load them, too (deadfall compile --plain); tracing programs are not engines.
 */
#define DF_SEC_ENGINE "fentry/bpf_fentry_test1"
#define DF_SEC_FENTRY "fentry/bpf_fentry_test2"
#define DF_SEC_FEXIT "fexit/bpf_fentry_test2"
#define DF_SEC_RAWTP "tp_btf/sched_process_fork"

/*
 * A number that tells a text (its words, zeros behind it up to a whole word) or a stack from others: of texts that
 * differ, one pair in 2^64 has the same.
 */
#define DF_HASH_WORD(h, word) (((h) ^ (word)) * 0x9e3779b97f4a7c15ULL)
#define DF_HASH_END(h) ((h) ^ (h) >> 32)

/*
 * Matches are automata, one per live key. A *machine* is a table of a rule with its automaton: what an event does in
 * a state is a *cell*, which lists *decisions*: the first whose tests hold is taken. Cells stand at
 * first_cell + state * ncols + column and hold the index of their first decision + 1; 0: nothing happens.
 */
struct df_machine {
	__u32 rule;
	__u32 first_cell;
	__u16 ncols, nstates;
	__u16 deadline_col;	/* the column of "the deadline has passed" */
	__u16 deadline_event;	/* number of the event that a deadline's record shows */
	__u16 last;		/* events that the ring of a key holds */
	__u16 pins;		/* events that the pinned list of a key holds */
	__u32 slots;		/* keys the table may hold, a power of two ... */
	__u32 first_slot;	/* ... from this slot on */
	__u32 first_node;	/* df_ring: first node of the table */
	__u32 times;		/* a match must complete so often on a key before it fires */
	__u32 follow;		/* machine of DF_OP_FOLLOW + 1, 0: none */
	__u32 flags;		/* enum df_machine_flag */
	__u32 first_state;	/* in df_reach */
};

enum df_machine_flag {
	DF_MACHINE_KEEPS = 1 << 0,	/* births and deaths do not touch it: its decisions say who is live */
	DF_MACHINE_OWNERS = 1 << 1,	/* its keys are those of the machine before, and an owner: generations are that one's */
};

enum df_test {
	DF_TEST_NONE,
	DF_TEST_WITHIN,		/* not more than parameter arg (ns) since the match began */
	DF_TEST_LATER,		/* more than that */
	DF_TEST_COUNT_GE,	/* the key's count is at least parameter arg */
	DF_TEST_COUNT_LE,	/* at most (signed) */
	DF_TEST_SAME,		/* val[arg] is what register arg keeps; neither is unknown */
	DF_TEST_DIFFERS,	/* val[arg] is not; neither is unknown */
	DF_TEST_BEFORE,		/* register arg keeps less than val[arg] */
	DF_TEST_LIVE_GE,	/* live keys of the machine, before this event, are at least parameter arg */
	DF_TEST_KNOWN,		/* val[arg] could be read */
	DF_TEST_GUARD,		/* generated code says yes */
};

enum df_op {
	DF_OP_START = 1 << 0,	/* the match begins here: remember the time, forget the steps */
	DF_OP_FIRE = 1 << 1,	/* the match is complete */
	DF_OP_UP = 1 << 2,	/* count + 1 */
	DF_OP_DOWN = 1 << 3,	/* count - 1 */
	DF_OP_ZERO = 1 << 4,	/* count = 0, before the two above */
	DF_OP_TIMER = 1 << 5,	/* deadline: parameter `timer` (ns) from now */
	DF_OP_STOP = 1 << 6,	/* no deadline any more */
	DF_OP_FOLLOW = 1 << 7,	/* then the same event for the follow machine, its key register 0, column follow_col */
	DF_OP_LIVE = 1 << 8,	/* the key counts as live */
	DF_OP_DEAD = 1 << 9,	/* it does no more */
	DF_OP_WHOLE = 1 << 10,	/* with FIRE: any loss since the set was armed makes the match doubtful */
	DF_OP_AGAIN = 1 << 11,	/* with FIRE: and the next match begins here, this event is its first step */
};

/*
 * One decision. Tests see the state as it was before the event.
 */
struct df_decision {
	__u8 next;		/* state */
	__u8 step;		/* step number + 1: remember the event as this step and pin it */
	__u8 test[2];		/* enum df_test, both must hold */
	__u16 arg[2];
	__u16 ops;
	__u16 timer;
	__u8 keep;		/* bit n: register n keeps val[n] */
	__u8 more;		/* if the tests fail, the next decision in the array is asked */
	__u8 follow_col;
	__u8 awaited;		/* the match waits for it: if it is the first and the tests fail, that is a near miss */
};

/* Why something was not recorded, per event. Readers show every non-zero counter. */
struct df_stats {
	__u64 seen;		/* the probe ran and the event was looked at */
	__u64 hit;		/* its condition held */
	__u64 unknown;		/* its condition was unknown (a read failed) */
	__u64 key_unknown;	/* its key could not be read: not recorded */
	__u64 field_unknown;	/* a field could not be read: recorded without it */
	__u64 recorded;		/* stands (or stood) in a key's history */
	__u64 nmi;		/* came in NMI context, where no lock may be taken: not recorded */
	__u64 full;		/* no room for a new key: not recorded */
	__u64 nomem;		/* no memory for a list node: state advanced, event not in the history */
	__u64 raced;		/* its key was evicted meanwhile: not recorded */
	__u64 evicted;		/* keys of the table evicted to make room for this event's key ... */
	__u64 fired;		/* completed a match */
	__u64 own;		/* came from the agent itself: not recorded */
	__u64 busy;		/* more than DF_NESTED probes within each other on one CPU: not recorded */
	/* its condition was false because of its n-th part, of those that && joins; the last stands for all that follow */
	__u64 failed0, failed1, failed2, failed3, failed4, failed5, failed6, failed7;
	__u64 delayed;		/* waited, as its `delay` says ... */
	__u64 delay_ns;		/* ... so long in all */
	__u64 delay_irqs;	/* did not wait, since interrupts were off, */
	__u64 delay_often;	/* since this CPU had waited too much already, */
	__u64 delay_dry;	/* since it is a dry run */
	__u64 cut;		/* recorded in the place of an older event, before the history was full: see DF_FLOOR */
	__u64 unfinished;	/* ... of them such as had a match under way, or were alive */
};

#define DF_CLAUSES 8

/* The clock of a table's keys (bpf/keys.h). */
struct df_clock {
	__u32 hand;		/* turns about the table's slots */
	__u32 saved;		/* steps that a search may take beyond its own: others took so many less */
};

/* Waits (bpf/delay.h): the longest with interrupts off, and what a CPU may save up for bursts. */
#define DF_DELAY_IRQS_OFF_NS 100000
#define DF_DELAY_CREDIT_NS 100000000ULL

/* How far keys came, by state: why a match has not happened. Counts are of all CPUs, and of all keys. */
struct df_reach {
	__u64 entered;		/* times that a key came into the state */
	__u64 entered_ns;	/* last time ... */
	__u64 late;		/* in the state the awaited event came, but outside of its time */
	__u64 refused;		/* ... or its condition over earlier steps did not hold */
	__u64 near_ns;		/* last time of one of these two */
	struct df_key entered_key, near_key;	/* ... and who it was */
};

/*
 * Values of a function's entry, kept until its return: per thread, a frame for each call that is under way. `id`
 * tells the calls apart: it is an address that no other live call of the thread has (bpf/saved.h).
 */
#define DF_SAVED 8		/* values of one event */
#define DF_FRAMES 16		/* calls under way in one thread */

struct df_frame {
	__u64 id;		/* 0: free */
	__u32 event;
	__u32 known;		/* bit n: value n could be read */
	__u64 v[DF_SAVED];
};

struct df_frames {
	__u32 full;		/* entries that found no room, and took the place of others */
	__u32 pad;
	struct df_frame f[DF_FRAMES];
};

/*
 * Why nothing is recorded. While some of a set's probes are there and others are not, an event that would have
 * prevented a match goes unseen: so a set sleeps until all are attached, and again before the first is taken away, also
 * when its agent is killed, or when a module goes that they are in.
 */
enum df_frozen {
	DF_FROZEN_NOT,
	DF_FROZEN_CRASH,	/* a verdict crashes the machine */
	DF_FROZEN_PARTIAL,	/* probes are being attached or detached, or went with their module */
};

/* Control, one per set; mapped writable by the agent. */
struct df_ctl {
	__u32 version;		/* DF_VERSION */
	__u32 armed;		/* DF_ACT_*: what a match may do at most */
	__u32 frozen;		/* DF_FROZEN_*; non-zero: nothing is recorded, and nothing fires */
	__u32 fires;		/* verdicts so far */
	__u64 seq;		/* events recorded so far, the order of all of them */
	__u64 started_ns;	/* when the set was attached */
	__s64 wall_offset_ns;	/* CLOCK_REALTIME - CLOCK_MONOTONIC at that time */
	__u32 tgid;		/* the agent, excluded from its own traps; 0: nobody */
	__u32 gone;		/* element of df_modules + 1 that was unloaded: the set sleeps; 0: none */
	__u32 crash_returned;	/* times crash_kexec came back */
	__u32 fired;		/* df_fires index + 1 of the verdict that crashed the machine; 0: none */
	char set[32];		/* name of the set */
	__u64 cmd_done;		/* sequence number of the last command that was applied or refused */
	__u64 cmd_refused;	/* sequence number of the last command that was refused */
	__u32 marks;		/* marks so far */
	__u32 braked;		/* the brake let go of the set's probes: thousandths of a CPU that they took; 0: no */
	char reason[128];	/* why the machine was crashed, for its log: "NAME: ..." */
	__u64 untold;		/* events of earlier steps that logs should have told of, and could not */
	__u64 missed;		/* calls that the probes missed, so far as the kernel counts them; all are in df_losses */
	__u64 test_ns;		/* the time, in tests that set it */
	__s64 nodes_left;	/* list nodes that histories may still take beyond DF_FLOOR */
	__u64 notes_lost;	/* notes that found no room in df_out: the agent does not know of them */
};

/*
 * Memory. Every key may have so many nodes in each of its two lists; all beyond come out of df_ctl.nodes_left, which the
 * agent sets to what the set's budget leaves. A list that gets none turns its own oldest node into the newest, as if it
 * were full. So all lists together never have more nodes than the budget has room for, and no event is without a place.
 */
#define DF_FLOOR 2

/*
 * Entries of the hash of keys: a key stands in it only while it has a slot, but for those that are just being removed.
 * Above DF_KEYS_PREALLOC slots entries are allocated when they are needed.
 */
#define DF_KEYS(slots) ((slots) + 64)
#define DF_KEYS_PREALLOC 65536

/*
 * A command to the kernel side. They are applied in order; one writer at a time (a lock on the set's file in
 * /run/deadfall/sets), which numbers them on from df_ctl.cmd_done.
 */
enum df_cmd_kind {
	DF_CMD_ARM = 1,		/* df_ctl.armed = value */
	DF_CMD_PARAM,		/* df_params[index] = value */
	DF_CMD_MARK,		/* text into df_marks */
	DF_CMD_ADD,		/* value is a member of set number index; done by the writer, never in the buffer */
	DF_CMD_REMOVE,		/* it is none any more; likewise */
};

#define DF_MARKS 64
#define DF_MARK_TEXT 80

struct df_cmd {
	__u64 seq;
	__u32 kind;
	__u32 index;
	__u64 value;
	char text[DF_MARK_TEXT];	/* 0-terminated */
};

/* A module whose probes end when it is unloaded; the name is zero-filled. */
#define DF_MODULES 32
#define DF_MODULE_NAME 56

struct df_module {
	__u64 name[DF_MODULE_NAME / 8];
};

/* A remark of the user's in the course of events. */
struct df_mark {
	__u64 ns;
	__u64 seq;		/* events recorded before it: its place among them */
	char text[DF_MARK_TEXT];
};

/* What a rule may do, and what it did; the agent writes act and not_before. */
struct df_rule {
	__u32 act;		/* DF_ACT_*, at most this */
	__u32 fires;		/* matches completed */
	__u64 not_before;	/* matches before this time are only logged (guard: after) */
	__u64 cooldown_ns;	/* after a verdict matches are only counted for so long */
	__u64 last_ns;		/* time of the last verdict */
	__u64 last_seq;		/* event that completed a match last: it does so once, in whatever table */
	__u32 every;		/* only every n-th match counts */
	__u32 on_loss;		/* enum df_on_loss */
	char name[48];		/* 0-terminated */
	__u32 signal;		/* sent to the running task, 0: none */
	__u32 stop;		/* the first verdict is the last */
	__u32 first_flag;	/* flags that a verdict sets: in df_flag_sets, from here on ... */
	__u32 nflags;		/* ... so many */
	__u32 needs_dump;	/* where no crash kernel is loaded a match is only logged */
	__u32 tells;		/* steps that its message speaks of: bit n is step n */
};

/* Flags that one rule may set. */
#define DF_FLAGS_SET 8

/* What becomes of a match during which events of the rule were lost. */
enum df_on_loss { DF_LOSS_SUPPRESS, DF_LOSS_LOG, DF_LOSS_FIRE };

/* A note to the agent. */
enum df_note_kind {
	DF_NOTE_FIRE = 1,	/* a verdict: index in df_fires */
	DF_NOTE_CRASH_RETURNED,	/* crash_kexec came back: take the next rung */
	DF_NOTE_MARK,		/* a mark: index in df_marks */
	DF_NOTE_ARMED,		/* a command armed or disarmed the set: index is DF_ACT_* */
	DF_NOTE_PARAM,		/* a command set parameter number index */
	DF_NOTE_STEP,		/* an earlier step of the verdict that comes next */
	DF_NOTE_GONE,		/* module number index was unloaded: the set sleeps */
};

struct df_note {
	__u32 kind;
	__u32 index;
};

enum df_act {
	DF_ACT_NONE = 0,	/* record only; (verdict) suppressed: it may rest on events that were lost */
	DF_ACT_LOG = 1,		/* verdicts are written down, the machine runs on (dry run) */
	DF_ACT_PANIC = 2,
};

/* DF_NOTE_FIRE, with the event that fired: what the rule's message says of it (bpf/verdict.h). */
struct df_said {
	struct df_note note;
	__u32 rule;
	__u32 act;		/* DF_ACT_* */
	struct df_rec rec;
};

/* A verdict. */
struct df_fire {
	__u32 valid;		/* written last */
	__u32 rule;
	__u32 event;
	__u32 act;		/* DF_ACT_*: what was done */
	__u64 ns;
	__u64 seq;		/* of the event that fired */
	__u32 pid, tid;		/* process and thread id, as seen in the initial namespaces */
	__u32 cpu;
	__u32 gen;
	char comm[DF_COMM];
	__u32 nsteps;
	__u32 losses;		/* of the rule while the match was going on: events may be missing */
	__u64 step[DF_STEPS];	/* seq of each step of the match, 0: none */
	struct df_key key;
};

/*
 * A USDT site: where its arguments are when it is hit, from the operands in its ELF note, and which bodies run. The
 * cookie of the site's uprobe is its index in df_usdt.
 */
#define DF_USDT_ARGS 12

enum df_usdt_kind {
	DF_USDT_CONST,		/* value */
	DF_USDT_REG,		/* register `reg` */
	DF_USDT_MEM,		/* user memory at reg + index * scale + value */
	DF_USDT_IP,		/* user memory at the site's address + value (%rip-relative operands) */
};

struct df_usdt_arg {
	__s64 value;
	__u16 reg, index;	/* offsets in struct pt_regs; index DF_USDT_NO_REG: none */
	__u8 kind, scale;
	__u8 size, is_signed;	/* 1, 2, 4, 8 bytes */
};
#define DF_USDT_NO_REG 0xffff

struct df_usdt_site {
	__u64 cookie;		/* bodies, see bpf/hook.h */
	__u32 nargs, pad;
	struct df_usdt_arg args[DF_USDT_ARGS];
};

/* A member of a set that rules ask by `in $set`. */
struct df_member {
	__u64 value;
	__u32 set;		/* number of the set */
	__u32 pad;
};

#define DF_BLOOM_HASHES 3
#define DF_BLOOM_MIN 20000	/* members from which on the filter is asked first: it pays (tests/bench/sets.sh) */

/* What every recorded event has, in a list node or a ring slot. */
struct df_event {
	__u64 seq;
	__u64 ns;
	__u64 ip;
	__u32 pid, tid;
	__u32 event;
	__u32 gen;
	__u32 flags;
	__u16 cpu;
	__u16 nwords;
	__u16 nframes;
	__u16 stack_word;
	__u32 pad;
	char comm[DF_COMM];
};

/* The automaton of one key, the same with and without lists. */
struct df_match {
	__u64 first_ns;		/* when the match began */
	__u64 last_ns;		/* last event of this key */
	__u64 deadline_ns;	/* 0: none running */
	__s64 count;
	__u32 gen;
	__u32 born;		/* generations begun */
	__u16 state;
	__u16 nring;
	__u16 npinned;
	__u8 dead;		/* being removed: hands off */
	__u8 used;		/* had more than its first event since the clock hand passed */
	__u8 alive;		/* its generation has begun and not ended */
	__u8 ended;		/* that of a key without a birth has ended: by a death, not followed by another event */
	__u16 keep_bad;		/* bit n: keep[n] is unknown */
	__u32 version;		/* counts changes: decided on one state, applied to the same */
	__u32 machine;
	__u32 slot;
	__u32 first_node;	/* rings: the key's first node in df_ring */
	__u32 losses;		/* df_losses of the rule when the match or the generation began; before: all count */
	__u32 matches;		/* completed on this key */
	__u32 events;		/* of this generation */
	__u32 tid, pid;		/* task of the event that began the match, or its last deadline: as bpf_get_current_pid_tgid has them */
	char comm[DF_COMM];
	__u64 created_seq;	/* df_ctl.seq when the entry was made */
	__u64 born_ns;		/* first event of this generation */
	__u32 last_tid, last_pid;	/* of the last event */
	__u32 last_cpu;
	__u32 pad;
	__u64 step[DF_STEPS];
	__u64 keep[DF_VALS];
};

/* DF_NOTE_STEP */
struct df_told {
	struct df_note note;
	struct df_event e;
	__u64 w[DF_WORDS];	/* of which e.nwords say something */
};

#endif
