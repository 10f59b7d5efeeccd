/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.h - a checked rule: plain data, no functions.
 *
 * read.c fills it from the tree (expressions parsed, unchecked), check.c resolves and types it. Everything lives
 * in the compilation's arena. A rule set is what one run or one compiled object arms together.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "rules/expr.h"

struct node;

enum probe_kind {
	PROBE_KPROBE,		/* function entry */
	PROBE_KRETPROBE,	/* function return */
	PROBE_SESSION,
	PROBE_FENTRY,
	PROBE_FEXIT,
	PROBE_TRACEPOINT,
	PROBE_RAWTP,
	PROBE_UPROBE,
	PROBE_URETPROBE,
	PROBE_USDT,
	PROBE_INTERVAL,
	PROBE_PROFILE,
	PROBE_KINDS
};

/* One function (or site) that a probe resolved to on the kernel whose types were checked against. */
struct probe_func {
	const char *name;
	const char *module;		/* NULL: vmlinux */
	const struct btf *btf;		/* where its prototype is; NULL: no BTF (no named arguments) */
	uint32_t proto_id;
	uint8_t *argpos;		/* [event->nargs]: position of each used argument, 0-based */
	uint32_t body;			/* number of the event's body that has these positions */
};

struct probe {
	enum probe_kind kind;
	struct span span;
	const char *text;		/* as written */
	const char *pattern;		/* function glob, "{a*,b*,!c*}" or "a|b|c" (first that exists) */
	const char *module;		/* of "module:function", else NULL: any */
	const char *returns;		/* of "function -> type": only functions that return it; else NULL */
	const char *target;		/* binary path of uprobe and usdt; category of a tracepoint */
	const char *provider;		/* usdt */
	uint64_t rate;			/* interval: ns; profile: Hz */
	struct probe_func *funcs;
	uint32_t nfuncs;
	const struct type *record;	/* tracepoint: struct trace_event_raw_CLASS */
};

/* An argument that expressions of an event use, by name or by number. */
struct event_arg {
	const char *name;		/* NULL: by number */
	uint32_t number;		/* for argN */
	const struct type *type;
	struct span span;
	struct member_ref member;	/* tracepoint: the field of its record; base NULL: no record */
	const struct type *chars;	/* tracepoint: the array whose string it is; NULL: it is none */
	bool data_loc;			/* tracepoint: a string at the offset that the field's low 16 bits give */
};

struct field {
	const char *name;
	struct span span;
	struct expr *expr;
	uint32_t word, words;		/* place in the payload, set by layout.c */
};

enum keep {
	KEEP_KSTACK = 1 << 0,
	KEEP_USTACK = 1 << 1,
	KEEP_LBR = 1 << 2,
	KEEP_PIN = 1 << 3,
};

#define KEEP_BYTES_MAX 1024

/* {bytes: EXPR, len: N} of keep */
struct keep_bytes {
	struct span span;
	struct expr *addr;
	struct expr *size;		/* as written; NULL: all of the struct at the address */
	uint32_t len;			/* set when the rule is checked */
	uint32_t word, words;
};

/* What unknown means where an event is used: it may lead to a fire (unknown = no), or prevent one (= yes). */
enum event_role {
	ROLE_CONTEXT = 0,
	ROLE_LEADS = 1 << 0,
	ROLE_PREVENTS = 1 << 1,
};

struct event {
	const char *name;
	struct span span;
	struct probe *probes;
	uint32_t nprobes;
	struct expr *where;		/* NULL: always */
	struct expr **key;		/* parts */
	uint32_t nkey;
	struct field *fields;
	uint32_t nfields;
	struct keep_bytes *bytes;
	uint32_t nbytes;
	uint32_t keep;			/* enum keep */
	bool birth, death, optional;
	bool wait_module;		/* when: module-loads */
	bool waits;			/* ... and one of its probes is not here now */
	bool unresolved;		/* optional or waiting, and no function of it is known here: left unchecked */
	struct event_table *tables;	/* further tables that it is recorded in, besides the rule's own */
	uint32_t ntables;
	struct expr *owner;		/* of balance: who holds what is counted up, or NULL */
	uint64_t delay_ns;		/* busy-wait at the event; 0: none */
	uint32_t delay_ppm;		/* with this probability, in millionths */
	struct span delay_span, when_span;
	bool uses_old;			/* some expression has old() */
	bool times_call;		/* its match asks how long the call took */
	uint32_t roles;			/* enum event_role */
	struct event_arg *args;		/* used arguments, a slot each */
	uint32_t nargs;
	uint32_t nbodies;		/* distinct vectors of argument positions */
	uint32_t index;			/* number of the event in the set */
	uint32_t kstack_word, kstack_depth;	/* layout.c */
	uint32_t ustack_word, lbr_word;		/* layout.c */
	uint32_t nwords;
};

/* A further table of a rule: live keys of another kind. Table 0 is the rule's own and is not listed. */
struct table {
	const char *name;
	struct span span;
	struct expr **key;		/* unchecked: checked anew for each event that is recorded in it; NULL: the event's */
	uint32_t nkey;
	uint32_t last, keys;
	uint32_t index;			/* number in the rule, from 1 */
};

struct event_table {
	struct table *table;
	const char *name;
	struct span span;
	struct expr **key;
	uint32_t nkey;
};

/* A set of numbers, asked by `in $name`; members are given here, read from a file at load, or added while armed. */
struct set {
	const char *name;
	struct span span;
	struct expr **values;		/* constants */
	uint32_t nvalues;
	const char *file;		/* one number a line, or NULL */
	uint32_t max;			/* members that it may have */
	uint32_t index;			/* number in the set of rules */
};

enum match_kind {
	MATCH_EVENT, MATCH_SEQUENCE, MATCH_MISSING, MATCH_RATE, MATCH_BALANCE, MATCH_LIFECYCLE, MATCH_LATENCY,
	MATCH_CHANGE, MATCH_POPULATION, MATCH_OVERLAP, MATCH_ORIGIN, MATCH_AUTOMATON,
};

struct step {
	const char *label;		/* the event's name if the rule gives none */
	struct span span;
	struct event *event;
	struct expr *guard;		/* condition over steps and this event, or NULL */
};

struct event_list {
	struct event **items;
	uint32_t n;
};

enum lifecycle_fault {
	DOUBLE_FREE = 1 << 0, UNKNOWN_FREE = 1 << 1, USE_AFTER_FREE = 1 << 2, STALE_USE = 1 << 3,
};

/* automaton: on an event, from a state to another; fire: the match is complete */
struct transition {
	struct span span;
	struct event *event;		/* NULL: when the state's deadline passes */
	struct expr *guard;		/* over the event and earlier steps, or NULL */
	const char *to_name;
	uint32_t to;
	bool fire;
};

struct state {
	const char *name;
	struct span span;
	struct transition *on;
	uint32_t n;
	struct expr *deadline;		/* duration, or NULL */
};

/*
 * What each kind uses:
 *	event		steps[0]
 *	sequence	steps, unless, within
 *	missing		steps[0] = after, steps[1] = the one that is missing; unless, within
 *	rate		steps[0], over = events within `within`
 *	balance		up, down, end (may be NULL), min; events' owner
 *	lifecycle	up = alloc, down = free, use, detect, identity
 *	latency		steps[0] = from, steps[1] = to (or one event at a return), over = duration
 *	change		up = the events that see the value, value = name of their field, unless = declared writers
 *	population	up = births, down = deaths, over = number, group (may be NULL)
 *	overlap		steps[0] = enter, steps[1] = leave
 *	origin		steps[0] = outer, up = inner, entered
 *	automaton	states (0 is the first), up = all its events
 */
struct match {
	enum match_kind kind;
	struct span span;
	struct step *steps;
	uint32_t nsteps;
	struct event_list up, down, use;
	struct event *end;
	struct expr *over;		/* more than this: number or duration, EXPR_INT or EXPR_PARAM */
	int64_t min;			/* balance: never below */
	uint32_t detect;		/* enum lifecycle_fault */
	const char *identity;		/* lifecycle: field that alloc and use record and that must be equal */
	const char *value;		/* change: field */
	const char *group;		/* population: field, or "kstack" */
	struct state *states;
	uint32_t nstates;
	struct event **unless;
	uint32_t nunless;
	struct expr *within;		/* duration: EXPR_INT or EXPR_PARAM, or NULL */
	struct expr *entered;		/* old(now): when the call was entered that returns; NULL: not known */
	uint64_t times, every;
	uint64_t cooldown_ns;
};

enum action_kind { ACTION_PANIC, ACTION_LOG, ACTION_SIGNAL, ACTION_STOP, ACTION_SET_FLAG };

struct action {
	enum action_kind kind;
	struct span span;
	const char *message;		/* template, checked */
	const struct node *node;	/* where it stands */
	uint32_t signal;
	uint32_t flag;			/* ACTION_SET_FLAG: index of the flag in the set, and its new value */
	uint64_t value;
};

struct param {
	const char *name;
	struct span span;
	enum param_kind { PARAM_INT, PARAM_DURATION, PARAM_SIZE, PARAM_STR } kind;
	uint64_t value;
	const char *text;
	uint32_t index;			/* number in the set */
	uint32_t rule;
};

struct rule {
	const char *name;
	struct span span;		/* the whole document */
	const char *about;
	const char **tags;
	uint32_t ntags;
	struct param *params;
	uint32_t nparams;
	struct event *events;
	uint32_t nevents;
	struct match match;
	struct action *actions;
	uint32_t nactions;
	uint32_t first_flag, nflags;	/* of the set's pairs of flag and value that its verdict sets (generate.c) */
	struct span context_span;	/* src NULL: not given */
	uint32_t context_last;		/* events per key, default 32 */
	uint32_t context_keys;		/* keys; 0 until checked: not given (compile.c) */
	uint32_t context_cpu;		/* events per CPU, default 0 */
	uint32_t context_rule;		/* events of the whole rule, default 0 */
	uint32_t generations;		/* of a key whose pinned events are kept, default 2 */
	const struct node *types;	/* C text, or NULL */
	struct table *tables;
	uint32_t ntables;
	struct set *sets;
	uint32_t nsets;
	uint32_t nkey;			/* parts of its table's key: all its events agree */
	struct {
		bool kdump_required;	/* default true */
		bool kdump_tested;
		uint32_t max_panics;	/* default 1 ... */
		uint64_t per_ns;	/* ... per 24 h */
		uint64_t after_ns;	/* not before the set has run that long; default 0 */
	} guard;
	enum { ON_LOSS_SUPPRESS, ON_LOSS_LOG, ON_LOSS_FIRE, ON_LOSS_DEFAULT } on_loss;	/* checked: never the default */
	uint32_t index;			/* number in the set */
	uint32_t group;			/* the same for rules that are loaded together: flags they share, tables they ask */
};

/*
 * steps.c: event number n of those that the verdict of a match names, and what messages call it: a sequence's steps, the
 * first alloc and free of a lifecycle, the last good one of a change, the first DF_STEPS events of an automaton. NULL: no
 * more.
 */
const struct event *match_step(const struct match *m, uint32_t n, const char **label);

/* faults.c: what a lifecycle may detect. */
#define LIFECYCLE_FAULTS 4

struct fault {
	enum lifecycle_fault bit;
	const char *name, *words;
	bool at_free;			/* else at a use */
	const char *freed;		/* the free that the verdict remembers: "before", "now", "never" */
};

extern const struct fault lifecycle_faults[LIFECYCLE_FAULTS];

/* NULL: there is no such. */
const struct fault *fault_of_name(const char *name);
const char *fault_words(enum lifecycle_fault bit);

struct rule_set {
	const char *name;		/* of the first rule, or given */
	struct rule *rules;
	uint32_t nrules;
	struct event **events;		/* all, by event->index */
	uint32_t nevents;
	struct param **params;		/* all, by param->index */
	uint32_t nparams;
	struct set **sets;		/* all, by set->index */
	uint32_t nsets;
	struct types *types;		/* that checking made; NULL: none */
	const char **flags;		/* names of the flags that rules set and read, by index */
	uint32_t *flag_rules;		/* a rule that does, each */
	uint32_t nflags;
};

#endif
