// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kinds.c - each kind of match, as docs/rule-language.md says it. An event whose condition is unknown comes here only if
 * it may prevent a match; what it prevents it then does, and nothing else.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/sim/sim.h"

static uint64_t number(const struct sim *s, const struct expr *e)
{
	return e->op == EXPR_PARAM ? s->params[e->index] : e->value;
}

static bool in_list(const struct event_list *list, const struct sim_event *e)
{
	for (uint32_t i = 0; i < list->n; i++) {
		if (list->items[i] == e->event)
			return true;
	}
	return false;
}

static bool is_unless(const struct sim *s, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;

	return in_list(&(struct event_list){ .items = m->unless, .n = m->nunless }, e);
}

/* Does it happen, for sure, as step n of the match? */
static bool is_step(struct sim *s, struct sim_key *k, const struct sim_event *e, uint32_t n)
{
	const struct step *step = &s->rule->match.steps[n];
	int guard;

	if (e->event != step->event || e->unknown)
		return false;
	guard = sim_guard(e, k->before, step->guard);
	if (guard < 1)
		sim_setback(s, k, "event %" PRIu64 ": the condition of step '%s' is %s", e->number, step->label,
			    guard ? "unknown" : "false");
	return guard > 0;
}

/* The field of this name, unknown if the event has none. */
static struct eval_value field(const struct sim_event *e, const char *name)
{
	for (uint32_t i = 0; i < e->event->nfields; i++) {
		if (!strcmp(e->event->fields[i].name, name))
			return e->fields[i];
	}
	return (struct eval_value){ .unknown = true };
}

static bool differ(const struct eval_value *a, const struct eval_value *b)
{
	return !a->unknown && !b->unknown && a->num != b->num;
}

/*
 * State n: n steps were seen. An event goes on, or begins anew (what begins later wins), or discards: the first of these
 * that it can.
 */
static void sequence_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	uint32_t n = k->state;
	bool late = n && m->within && e->ns - k->first_ns > number(s, m->within);

	if (is_step(s, k, e, n) && !late) {
		if (!n)
			sim_begin(s, k, e);
		k->step[n] = e;
		sim_enter(s, k, n + 1 == m->nsteps ? 0 : n + 1);
		if (n + 1 == m->nsteps)
			sim_complete(s, k, e, m->nsteps > 1 ? "all steps were seen" : "the event happened");
		return;
	}
	if (late && e->event == m->steps[n].event)
		sim_setback(s, k, "event %" PRIu64 ": '%s' came %s after the first, 'within' is %s", e->number,
			    m->steps[n].label, sim_time(s->arena, e->ns - k->first_ns),
			    sim_time(s->arena, number(s, m->within)));
	if (n && is_step(s, k, e, 0)) {
		sim_begin(s, k, e);
		k->step[0] = e;
		sim_enter(s, k, 1);
	} else if (n && is_unless(s, e)) {
		k->state = 0;
		sim_setback(s, k, "event %" PRIu64 ": '%s' discarded it", e->number, e->event->name);
	}
}

static void missing_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;

	if (is_step(s, k, e, 0)) {
		sim_begin(s, k, e);
		k->step[0] = e;
		sim_enter(s, k, 1);
		k->deadline_ns = e->ns + number(s, m->within);
		sim_setback(s, k, "waiting for '%s' until %s", m->steps[1].label, sim_time(s->arena, k->deadline_ns));
	} else if (k->state && (e->event == m->steps[1].event || is_unless(s, e))) {
		k->state = 0;
		k->deadline_ns = 0;
		sim_setback(s, k, "event %" PRIu64 ": '%s' came in time", e->number, e->event->name);
	}
}

static void missing_deadline(struct sim *s, struct sim_key *k)
{
	const struct match *m = &s->rule->match;

	k->state = 0;
	sim_complete(s, k, NULL, arena_printf(s->arena, "'%s' did not come within %s of '%s'", m->steps[1].label,
					      sim_time(s->arena, number(s, m->within)), m->steps[0].label));
}

/* Windows follow one another: the next begins with the first event after the last one's end, or after a match. */
static void rate_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;

	if (!is_step(s, k, e, 0))
		return;
	if (!k->state || e->ns - k->first_ns > number(s, m->within)) {
		sim_begin(s, k, e);
		k->step[0] = e;
		k->count = 0;
		sim_enter(s, k, 1);
	}
	k->count++;
	sim_setback(s, k, "%" PRId64 " of more than %" PRIu64 " in a window", k->count, number(s, m->over));
	if (k->count > (int64_t)number(s, m->over)) {
		k->state = 0;
		sim_complete(s, k, e, arena_printf(s->arena, "%" PRId64 " events in %s", k->count,
						   sim_time(s->arena, e->ns - k->first_ns)));
	}
}

/* One count: of the key, or of what one owner holds of it. False: it would fall below min. */
static bool count_event(struct sim_key *k, const struct match *m, const struct sim_event *e, int64_t min)
{
	if (in_list(&m->up, e) && !e->unknown)
		k->count++;
	if (!in_list(&m->down, e))
		return true;
	if (!e->unknown && k->count <= min)
		return false;
	k->count--;
	return true;
}

static void balance_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	uint64_t part[DF_KEY_PARTS];
	struct sim_key *held;

	if (!count_event(k, m, e, m->min))
		sim_complete(s, k, e, arena_printf(s->arena, "'%s' would let the count fall below %" PRId64, e->event->name,
						   m->min));
	else
		sim_setback(s, k, "the count is %" PRId64, k->count);
	if (e->event == m->end && !e->unknown) {
		if (k->count > 0)
			sim_complete(s, k, e, arena_printf(s->arena, "the count is %" PRId64 " at the end", k->count));
		k->count = 0;
	}
	if (!e->event->owner)
		return;
	if (e->owner.unknown) {
		sim_lose(s, 1);
		return;
	}
	memcpy(part, k->part, sizeof(part));
	part[k->nkey] = e->owner.num;
	held = sim_key_of(s, &s->second, part, k->nkey + 1);
	if (held->gen != k->gen) {
		held->gen = k->gen;
		held->count = 0;
		held->matches = 0;
		held->losses = k->losses;
	}
	if (!count_event(held, m, e, 0))
		sim_complete(s, held, e, arena_printf(s->arena, "'%s' of what this owner does not hold", e->event->name));
}

/* States: never allocated, live, freed. */
static void lifecycle_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	enum { NEVER, LIVE, FREED };
	const struct match *m = &s->rule->match;
	enum lifecycle_fault fault = 0;

	if (in_list(&m->up, e)) {
		sim_begin(s, k, e);
		k->step[0] = e;
		if (m->identity)
			k->value = field(e, m->identity);
		sim_enter(s, k, LIVE);
	} else if (in_list(&m->down, e) && !e->unknown) {
		if (k->state == FREED && m->detect & DOUBLE_FREE)
			fault = DOUBLE_FREE;
		else if (k->state == NEVER && m->detect & UNKNOWN_FREE)
			fault = UNKNOWN_FREE;
		if (!fault && k->state == NEVER)
			sim_begin(s, k, e);
		if (fault != DOUBLE_FREE)
			k->step[1] = e;
		sim_enter(s, k, FREED);
	} else if (in_list(&m->use, e) && !e->unknown) {
		struct eval_value now = m->identity ? field(e, m->identity) : (struct eval_value){ .unknown = true };

		if (k->state == FREED && m->detect & USE_AFTER_FREE)
			fault = USE_AFTER_FREE;
		else if (k->state == LIVE && m->detect & STALE_USE && differ(&now, &k->value))
			fault = STALE_USE;
	}
	if (fault)
		sim_complete(s, k, e, fault_words(fault));
}

/* What took so long ends with e: did it take too long? */
static bool is_slow(struct sim *s, struct sim_key *k, const struct sim_event *e, uint64_t took)
{
	uint64_t over = number(s, s->rule->match.over);

	if (took > over)
		return true;
	sim_setback(s, k, "event %" PRIu64 ": it took %s, 'over' is %s", e->number, sim_time(s->arena, took),
		    sim_time(s->arena, over));
	return false;
}

/* A function returns; the condition is now - old(now) > over. */
static void call_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct step *step = &s->rule->match.steps[0];
	struct eval_value took;

	if (e->event != step->event || e->unknown || !step->guard)
		return;
	took = eval_expr(e->env, step->guard->a);
	if (took.unknown)
		sim_setback(s, k, "event %" PRIu64 ": it is not known when the call was entered", e->number);
	else if (is_slow(s, k, e, took.num))
		sim_complete(s, k, e, arena_printf(s->arena, "the call took %s", sim_time(s->arena, took.num)));
}

static void latency_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	uint64_t took = e->ns - k->first_ns;

	if (m->nsteps == 1) {
		call_event(s, k, e);
		return;
	}
	if (is_step(s, k, e, 0)) {
		sim_begin(s, k, e);
		k->step[0] = e;
		sim_enter(s, k, 1);
	} else if (k->state && is_step(s, k, e, 1)) {
		k->state = 0;
		if (is_slow(s, k, e, took)) {
			k->step[1] = e;
			sim_complete(s, k, e, arena_printf(s->arena, "it took %s", sim_time(s->arena, took)));
		}
	} else if (k->state && is_unless(s, e)) {
		k->state = 0;
		sim_setback(s, k, "event %" PRIu64 ": '%s' discarded it", e->number, e->event->name);
	}
}

/* A value that could not be read was not seen. */
static void change_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	enum { NOT_SEEN, SEEN, WRITTEN };
	const struct match *m = &s->rule->match;
	struct eval_value now;

	now = in_list(&m->up, e) && !e->unknown ? field(e, m->value) : (struct eval_value){ .unknown = true };
	if (!now.unknown) {
		if (k->state == SEEN && !is_unless(s, e) && differ(&now, &k->value)) {
			k->step[1] = e;
			sim_complete(s, k, e, arena_printf(s->arena, "it was %" PRIu64 " and is %" PRIu64, k->value.num,
							   now.num));
		}
		sim_begin(s, k, e);
		k->step[0] = e;
		k->value = now;
		sim_enter(s, k, SEEN);
	} else if (is_unless(s, e)) {
		sim_enter(s, k, WRITTEN);
	}
}

/* Live keys, or those of one group. A key that comes in again is the same live key. */
static void population_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	struct sim_key *who = k;
	int64_t *count = &s->live;

	if (in_list(&m->up, e) && !e->unknown && !k->state) {
		if (m->group)
			k->value = !strcmp(m->group, "kstack") ? e->stack : field(e, m->group);
		sim_enter(s, k, 1);
		k->first = e;
	} else if (in_list(&m->down, e) && k->state) {
		k->state = 0;
	} else {
		return;
	}
	if (m->group && k->value.unknown)
		return;
	if (m->group) {
		who = sim_key_of(s, &s->second, &k->value.num, 1);
		count = &who->count;
	}
	*count += k->state ? 1 : -1;
	sim_setback(s, k, "%" PRId64 " live, 'over' is %" PRIu64, *count, number(s, m->over));
	if (k->state && *count > (int64_t)number(s, m->over))
		sim_complete(s, who, e, arena_printf(s->arena, "%" PRId64 " live%s", *count, m->group ? " in this group" : ""));
}

/* Who enters first holds the key until it has left as often as it entered. */
static void overlap_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	bool holder = k->state && k->value.num == e->tid;

	if (is_step(s, k, e, 0)) {
		if (k->state && !holder) {
			sim_complete(s, k, e, "another thread is inside");
		} else if (holder) {
			k->count++;
		} else {
			sim_begin(s, k, e);
			k->step[0] = e;
			k->count = 1;
			k->value = (struct eval_value){ .num = e->tid };
			sim_enter(s, k, 1);
		}
	} else if (e->event == m->steps[1].event && holder && !--k->count) {
		k->state = 0;
	}
}

/* Did inner fail before the outer call was entered, whose return is e? Not if it is not known when that was. */
static bool failed_before(const struct match *m, const struct sim_event *inner, const struct sim_event *e)
{
	struct eval_value entered = { .unknown = true };

	if (m->entered)
		entered = eval_expr(e->env, m->entered);
	return !entered.unknown && inner->ns < entered.num;
}

static void origin_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;

	if (in_list(&m->up, e)) {
		if (!k->state)
			sim_begin(s, k, e);
		k->step[0] = e;
		sim_enter(s, k, 1);
		return;
	}
	if (!is_step(s, k, e, 0))
		return;
	if (k->state && failed_before(m, k->step[0], e))
		k->step[0] = NULL;
	if (!k->state || !k->step[0]) {
		k->state = 0;
		sim_complete(s, k, e, "no inner call failed");
		return;
	}
	sim_setback(s, k, "event %" PRIu64 ": it came from '%s'", k->step[0]->number, k->step[0]->event->name);
	sim_begin(s, k, e);
	k->state = 0;
}

static void take(struct sim *s, struct sim_key *k, const struct transition *t, const struct sim_event *e)
{
	const struct match *m = &s->rule->match;
	const struct state *from = &m->states[k->state], *to = &m->states[t->to];

	if (!k->state && t->to)
		sim_begin(s, k, e);
	for (uint32_t i = 0; e && !t->fire && i < m->up.n; i++) {
		if (m->up.items[i] == e->event)
			k->step[i] = e;
	}
	if (to->deadline)
		k->deadline_ns = s->now + number(s, to->deadline);
	else if (from->deadline)
		k->deadline_ns = 0;
	sim_enter(s, k, t->to);
	if (t->fire)
		sim_complete(s, k, e, arena_printf(s->arena, "from state '%s'", from->name));
}

static void automaton_event(struct sim *s, struct sim_key *k, const struct sim_event *e)
{
	const struct state *state = &s->rule->match.states[k->state];

	for (uint32_t i = 0; i < state->n && !e->unknown; i++) {
		if (state->on[i].event != e->event)
			continue;
		if (sim_guard(e, k->before, state->on[i].guard) > 0) {
			take(s, k, &state->on[i], e);
			return;
		}
		sim_setback(s, k, "event %" PRIu64 ": the condition of '%s' in state '%s' does not hold", e->number,
			    e->event->name, state->name);
	}
}

static void automaton_deadline(struct sim *s, struct sim_key *k)
{
	const struct state *state = &s->rule->match.states[k->state];

	for (uint32_t i = 0; i < state->n; i++) {
		if (!state->on[i].event) {
			take(s, k, &state->on[i], NULL);
			return;
		}
	}
}

const struct sim_kind sim_kinds[] = {
	[MATCH_EVENT] = { .event = sequence_event },
	[MATCH_SEQUENCE] = { .event = sequence_event },
	[MATCH_MISSING] = { .event = missing_event, .deadline = missing_deadline },
	[MATCH_RATE] = { .event = rate_event },
	[MATCH_BALANCE] = { .event = balance_event },
	[MATCH_LIFECYCLE] = { .event = lifecycle_event },
	[MATCH_LATENCY] = { .event = latency_event },
	[MATCH_CHANGE] = { .event = change_event },
	[MATCH_POPULATION] = { .event = population_event, .keeps_state = true, .all_losses = true },
	[MATCH_OVERLAP] = { .event = overlap_event },
	[MATCH_ORIGIN] = { .event = origin_event },
	[MATCH_AUTOMATON] = { .event = automaton_event, .deadline = automaton_deadline },
};

/* As the status and the report name them. */
const char *sim_state_name(const struct sim *s, uint32_t state)
{
	static const char *const names[][3] = {
		[MATCH_MISSING] = { "idle", "waiting" },
		[MATCH_RATE] = { "idle", "counting" },
		[MATCH_BALANCE] = { "counting" },
		[MATCH_LIFECYCLE] = { "never allocated", "live", "freed" },
		[MATCH_LATENCY] = { "idle", "running" },
		[MATCH_CHANGE] = { "unknown", "known", "being written" },
		[MATCH_POPULATION] = { "dead", "live" },
		[MATCH_OVERLAP] = { "free", "inside" },
		[MATCH_ORIGIN] = { "no inner failure", "an inner call failed" },
	};
	const struct match *m = &s->rule->match;

	if (m->kind == MATCH_AUTOMATON)
		return m->states[state].name;
	if (m->kind == MATCH_EVENT || m->kind == MATCH_SEQUENCE)
		return state ? arena_printf(s->arena, "%s seen", m->steps[state - 1].label) : "idle";
	return state < 3 && names[m->kind][state] ? names[m->kind][state] : "?";
}
