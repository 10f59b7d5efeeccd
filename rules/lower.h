/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lower.h - checked rules to code: one *body* for each event and vector of argument positions, and for each probe
 * kind the function that runs a body by its number (bpf/hook.h calls it).
 *
 * A body: count the event as seen; evaluate its condition; fill the program's record (bpf/layout.h, struct df_rec)
 * with constants, key, fields and stack; call df_hit, where the engine waits.
 *
 * Expressions. A value of nesting depth n is computed in register IR_REG(n); when the right operand contains a call,
 * which kills those registers, the left one waits on the stack. Conditions become jumps (real short circuit) to one
 * of three places: true, false, unknown. Unknown comes from reads that fail, and Kleene's logic for && and || is a
 * flag on the stack that is only there when the left side can fail.
 */
#ifndef RULES_LOWER_H
#define RULES_LOWER_H

#include "bpf/layout.h"
#include "rules/automaton.h"
#include "rules/core.h"
#include "rules/diag.h"
#include "rules/ir.h"
#include "rules/late.h"
#include "rules/rule.h"

/*
 * Hooks: kinds of probes that are one program, or (direct ones) a kind of tracing program. The number of a hook is
 * that of its slot in df_scratch and of its engine in the runtime (df_list<n>, df_ring<n>); direct ones have none.
 */
enum hook {
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_SESSION,		/* entry and return: values of the entry are kept */
	HOOK_USDT,
	HOOK_UPROBE,
	HOOK_TRACEPOINT,
	HOOK_PERF,		/* interval, profile */
	HOOK_FENTRY,		/* from here on direct */
	HOOK_FEXIT,
	HOOK_RAWTP,
	HOOKS
};

/* What a program's context is, which tells where arguments are (lower_arg.c). */
enum context {
	CTX_REGS,		/* struct pt_regs at a function's entry or return */
	CTX_SITE,		/* struct pt_regs at a USDT site */
	CTX_USER,		/* struct pt_regs of a user function */
	CTX_RECORD,		/* a tracepoint's record */
	CTX_PERF,		/* struct bpf_perf_event_data */
	CTX_TRAMPOLINE,		/* arguments, then the return value: helpers know where */
	CTX_WORDS,		/* array of arguments */
};

struct hook_kind {
	const char *name;		/* df_run_<name>, df_hook_<name>; programs of direct hooks: df_<name>_<n> */
	const char *section;
	enum context context;
	bool direct;			/* tracing programs, one for each body, that call the engine themselves */
	bool nested;			/* may be interrupted by others of its kind: takes a free record */
	uint8_t skip;			/* frames of a kernel stack that are ours */
};

extern const struct hook_kind hook_kinds[HOOKS];

/* What a body is for: the event itself, or values at the entry that its return will want. */
enum body_job { JOB_EVENT, JOB_SAVE };

/*
 * Values that an event at a return takes from the entry: old(...), and arguments where the context has them no more.
 * Value n is bit n of the known mask and word n + 1 behind it.
 */
struct saved {
	const struct expr *values[DF_SAVED];
	uint32_t n;
};

/* Is the program's context a struct pt_regs of the kernel? */
bool hook_has_regs(enum hook hook);

/* One body: an event under a hook with one vector of argument positions. */
struct body {
	struct event *event;
	struct rule *rule;
	enum hook hook;
	uint32_t number;		/* within its hook */
	uint32_t index;			/* within the set */
	uint32_t variant;		/* probe_func.body of the functions that it serves */
	enum body_job job;
	const uint8_t *argpos;		/* [event->nargs] */
	const char *func;		/* the function its code is in, for patches */
};

/* Texts that conditions are compared with, each from a whole word on. */
struct literals {
	uint64_t *words;
	uint32_t n;
};

/* Bytes that a parameter's text has in df_param_text. */
#define PARAM_TEXT 64

/* The condition of an any_live, with what it takes along replaced by EXPR_VAL. */
struct ask {
	const struct rule *rule;
	const struct event *event;
	const struct expr *cond;
	uint32_t level;			/* its own name's: names of loops around it have smaller ones */
};

struct code_set {
	struct ir_func **funcs;
	uint32_t nfuncs;
	struct body *bodies;
	uint32_t nbodies;
	uint32_t per_hook[HOOKS];
	uint32_t first_func[HOOKS + 1];	/* the functions of a hook's programs are those up to the next hook's */
	struct literals literals;
	struct lates lates;
	uint32_t nloops;		/* callbacks so far */
	struct ask *asks;		/* conditions of any_live, which the engine evaluates: guards beyond the automata's */
	uint32_t nasks;
	const char *single[HOOKS];	/* name of the program that is the only body of its hook, or NULL */
};

/* Values from outside that the condition of a loop may use. */
#define CAPTURED_MAX 8

/* Where code for one body goes. */
struct lower {
	struct arena *arena;
	struct diags *diags;
	struct core_types *core;
	struct ir_func *f;
	struct code_set *cs;
	const struct rule_set *set;
	const struct rule *rule;
	const struct event *event;
	const struct body *body;
	const struct automata *am;
	const uint32_t *clauses;	/* where the parts of the condition that comes next go when they are false, or NULL */
	uint32_t npeeks;		/* reads of the body so far that might be tried by plain loads (lower_read.c) */
	bool in_guard;			/* the code runs in the engine: no context, values in rec and match */
	struct saved saved;		/* of the event: what is kept from entry to return */
	int16_t saved_at;		/* where the values are on the stack of a body that uses them; 0: none */
	bool at_entry;			/* what is computed now is computed at the entry */
	uint32_t level;			/* names of loops beyond this function: the first in it has this index */
	uint32_t loops;			/* the code is in a callback, nested so deep; 0: in none */
	const struct expr *captured[CAPTURED_MAX];	/* what the condition of the outermost loop takes along */
	uint32_t ncaptured;
};

/* All bodies and dispatchers of a set. Errors ("too big") are diagnostics. */
void lower_set(struct arena *a, struct diags *diags, struct core_types *core, struct rule_set *set,
	       const struct automata *am, struct code_set *ret);

/* lower_keep.c: bytes, user stack and branch records that the event keeps. */
void lower_keep(struct lower *l);

/* lower_delay.c: the event's wait, if it has one. */
void lower_delay(struct lower *l);

/* lower_guard.c: df_guard(guard, rec, match), which the engine calls. */
void lower_guards(struct lower *l, struct code_set *cs);
void lower_guard_value(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

/* Functions that so many bodies of a hook, of so many items in all, are in at most. */
uint64_t lower_functions(uint32_t bodies, uint64_t items);

/* Add a finished function to the set. */
void add_func(struct arena *a, struct code_set *cs, struct ir_func *f);

/* The value of an expression into IR_REG(depth); jumps to `fail` when it is unknown. */
void lower_value(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

/* The address of an lvalue (or of the struct or array that a value stands for). */
void lower_address(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

/* A string into memory at base + off, cut at `size` bytes. */
void lower_text_to(struct lower *l, const struct expr *e, uint8_t base, int16_t off, uint32_t size, uint32_t fail);

/* Jump to yes, no or unknown; `next` is the label that follows at once (saves a jump), or ~0. */
void lower_cond(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown, uint32_t next);

/* lower_arg.c: arguments and return value, wherever the hook has them. */
void lower_arg(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
void lower_retval(struct lower *l, const struct expr *e, uint32_t depth);
void lower_old(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
bool arg_kills(const struct lower *l, const struct expr *e);
bool arg_fails(const struct lower *l, const struct expr *e);
bool retval_kills(const struct lower *l);

/* lower_saved.c: from entry to return */
void saved_collect(struct lower *l);
void lower_save(struct lower *l, uint32_t end);
void lower_saved(struct lower *l);
void lower_saved_release(struct lower *l);

/* No label: the value is always known. */
#define NO_LABEL (~0U)

/* Can its value be unknown? */
bool expr_fails(const struct lower *l, const struct expr *e);

#endif
