/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim.h - what a rule's match means, in plain C: the reference that the engines in the kernel are compared with, and
 * what `deadfall simulate` runs.
 *
 * It works on checked rules (rules/rule.h), not on the automata made of them (rules/automaton.h): each kind of match is
 * written down here a second time, as docs/rule-language.md says it, so that a mistake would have to be made twice.
 * Conditions over steps are evaluated by rules/eval.c.
 *
 * sim.c	keys, generations, deadlines, losses, what a completed match does
 * kinds.c	the kinds of matches
 * input.c	a file of events
 * at.c		what expressions see at an event
 */
#ifndef RULES_SIM_SIM_H
#define RULES_SIM_SIM_H

#include "bpf/layout.h"
#include "rules/eval.h"
#include "rules/rule.h"

struct arena;

/* An event of one rule, with all that was evaluated where it happened. */
struct sim_event {
	const struct event *event;
	uint64_t number;		/* place in the input, from 1 */
	struct span span;		/* where it stands in the input */
	uint64_t ns;
	bool unknown;			/* its condition could not be decided */
	struct eval_value key[DF_KEY_PARTS];
	uint32_t nkey;
	struct eval_value owner;
	struct eval_value stack;	/* what tells its kernel stack from others */
	struct eval_value *fields;	/* [event->nfields] */
	uint32_t pid, tid, cpu;
	const char *comm;
	uint64_t func;
	const struct eval_env *env;	/* for guards; its `step` is set when one is asked */
};

/* What was done about a completed match. */
enum sim_act { SIM_FIRED, SIM_LOGGED, SIM_SUPPRESSED };

struct sim_fire {
	const struct rule *rule;
	const struct sim_event *event;	/* NULL: a deadline passed */
	enum sim_act act;
	uint64_t ns;
	uint64_t key[DF_KEY_PARTS];
	uint32_t nkey;
	uint32_t gen;
	uint32_t losses;		/* events that were lost since the match began */
	const struct sim_event *step[DF_STEPS];
	const char *why;
};

/* The automaton of one key: its members are used as each kind needs them. */
struct sim_key {
	uint64_t part[DF_KEY_PARTS];
	uint32_t nkey;
	uint32_t gen, born;
	uint32_t losses;		/* of the rule when the match, or the generation, began */
	uint64_t matches;
	uint64_t first_ns;		/* when the match began */
	uint64_t deadline_ns;		/* 0: none */
	uint32_t state;
	int64_t count;
	struct eval_value value;	/* that is compared with later ones */
	const struct sim_event *first;	/* the event that the match began with */
	const struct sim_event **step;	/* the last event of each step; of an automaton, of each event */
	const struct sim_event **before;	/* what guards look at: the same, but at a birth those of the generation before */
	uint32_t furthest;		/* the highest state so far ... */
	uint64_t furthest_ns;
	const char *setback;		/* why it went no further, and when; NULL: nothing stood in its way */
	uint64_t setback_ns;
};

struct sim_table {
	struct sim_key **keys;
	uint32_t nkeys;
	uint32_t *slots;		/* hash: index + 1 */
	uint32_t nslots;
};

/* One rule on its way. */
struct sim {
	struct arena *arena;
	const struct rule *rule;
	const uint64_t *params;
	struct sim_table keys;
	struct sim_table second;	/* balance: by owner; population: by group */
	uint64_t now;
	int64_t live;			/* population */
	uint32_t losses;
	uint64_t completed;		/* matches, before `every` and `cooldown` */
	uint64_t last_verdict_ns;
	uint64_t last_number;		/* of the event that completed one last */
	bool stopped;
	uint32_t names;			/* states that sim_state_name knows */
	struct sim_fire *fires;
	uint32_t nfires;
};

void sim_init(struct sim *s, struct arena *a, const struct rule *rule, const uint64_t *params);

/* Time passes: deadlines before `ns` are taken, in their order. Deadlines at `ns` are not, unless `inclusive`. */
void sim_advance(struct sim *s, uint64_t ns, bool inclusive);

/* An event of the rule happens; time advances to it first. The event must stay where it is. */
void sim_event(struct sim *s, const struct sim_event *e);

/* So many events of the rule were lost. */
void sim_lose(struct sim *s, uint32_t n);

/* What a state is called: "idle", "a seen"; in the arena. */
const char *sim_state_name(const struct sim *s, uint32_t state);

/* kinds.c, for sim.c */
struct sim_kind {
	void (*event)(struct sim *s, struct sim_key *k, const struct sim_event *e);
	void (*deadline)(struct sim *s, struct sim_key *k);
	bool keeps_state;		/* a birth does not reset it */
	bool all_losses;		/* any loss since the beginning makes a match doubtful */
};
extern const struct sim_kind sim_kinds[];

/* sim.c, for kinds.c; e NULL: by a deadline. The match is complete; the match begins. */
void sim_complete(struct sim *s, struct sim_key *k, const struct sim_event *e, const char *why);
void sim_begin(struct sim *s, struct sim_key *k, const struct sim_event *e);
void sim_setback(struct sim *s, struct sim_key *k, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sim_enter(struct sim *s, struct sim_key *k, uint32_t state);
struct sim_key *sim_key_of(struct sim *s, struct sim_table *t, const uint64_t *part, uint32_t n);
const char *sim_time(struct arena *a, uint64_t ns);

/* at.c: a condition of step `nsteps` over the steps before it: 1 yes, 0 no, -1 unknown; NULL: yes. */
int sim_guard(const struct sim_event *e, const struct sim_event *const *steps, const struct expr *guard);

#endif
