// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * automaton_kinds.c - each kind of match as states, events and what they do.
 *
 * Column c is an event, c + 1 the same event with an unknown condition: it is filled in only where the event
 * prevents a fire (unless, the awaited event of `missing`, a put). Decisions of a cell are asked in order.
 */
#include "rules/automaton_build.h"
#include "rules/layout.h"

#include <string.h>

#include "lib/arena.h"

static void set_test(struct df_decision *d, int slot, enum df_test test, uint32_t arg)
{
	d->test[slot] = (uint8_t)test;
	d->arg[slot] = (uint16_t)arg;
}

/* An event, known or unknown, goes to a state and does nothing else. */
static void both_go(struct builder *b, uint32_t state, const struct event *e, uint32_t next, uint16_t ops)
{
	uint32_t col = build_column(b, e);

	for (uint32_t i = 0; i < 2; i++) {
		struct df_decision *d = build_decision(b, state, col + i);

		d->next = (uint8_t)next;
		d->ops = ops;
	}
}

static void unless_go(struct builder *b, uint32_t state, uint16_t ops)
{
	for (uint32_t i = 0; i < b->rule->match.nunless; i++)
		both_go(b, state, b->rule->match.unless[i], 0, ops);
}

static struct df_decision *step_decision(struct builder *b, uint32_t state, const struct event *e, uint32_t step,
					 uint32_t next, uint16_t ops)
{
	struct df_decision *d = build_decision(b, state, build_column(b, e));

	d->step = (uint8_t)(step + 1);
	d->next = (uint8_t)next;
	d->ops = ops;
	d->keep = build_keeps(b, e, step);
	return d;
}

/*
 * States 0 .. n-1: how many steps were seen. The awaited event advances, if its condition holds and the window has
 * not passed; where it does not, or for the first step's event, a new match starts: the latest start wins. One
 * event alone is a sequence of one.
 */
static void build_sequence(struct builder *b, uint32_t own)
{
	const struct match *m = &b->rule->match;
	const char **names = arena_array(b->arena, m->nsteps + 1, sizeof(*names));
	uint32_t window = build_param(b, m->within);

	names[0] = "idle";
	for (uint32_t i = 1; i < m->nsteps; i++)
		names[i] = arena_printf(b->arena, "%s seen", m->steps[i - 1].label);
	for (uint32_t i = 0; i < m->nsteps; i++)
		build_guard_registers(b, i, m->steps[i].guard);
	build_begin(b, own, m->nsteps, names);
	for (uint32_t state = 0; state < m->nsteps; state++) {
		const struct step *awaited = &m->steps[state];
		bool last = state == m->nsteps - 1;
		struct df_decision *d;

		d = step_decision(b, state, awaited->event, state, last ? 0 : state + 1,
				  (uint16_t)((state ? 0 : DF_OP_START) | (last ? DF_OP_FIRE : 0)));
		if (state && m->within)
			set_test(d, 0, DF_TEST_WITHIN, window);
		build_guard(b, d, 1, awaited->event, state, awaited->guard);
		d->awaited = m->kind != MATCH_LATENCY;	/* a call that ended in time is no near miss */
		if (state) {
			d = step_decision(b, state, m->steps[0].event, 0, 1, DF_OP_START);
			build_guard(b, d, 1, m->steps[0].event, 0, m->steps[0].guard);
			unless_go(b, state, 0);
		}
	}
	build_flush(b);
}

/* A, then no B within T: the deadline fires; A again moves it. */
static void build_missing(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "idle", "waiting" };
	const struct match *m = &b->rule->match;
	uint32_t window = build_param(b, m->within);
	struct df_decision *d;

	build_begin(b, own, 2, names);
	for (uint32_t state = 0; state < 2; state++) {
		d = step_decision(b, state, m->steps[0].event, 0, 1, DF_OP_START | DF_OP_TIMER);
		d->timer = (uint16_t)window;
		d->awaited = true;
		build_guard(b, d, 1, m->steps[0].event, 0, m->steps[0].guard);
	}
	both_go(b, 1, m->steps[1].event, 0, DF_OP_STOP);
	unless_go(b, 1, DF_OP_STOP);
	d = build_decision(b, 1, b->ncols - 1);
	d->ops = DF_OP_FIRE;
	build_flush(b);
	b->am->machines[own].deadline_event = (uint16_t)build_deadline_event(b);
}

/* More than N events in a window, which begins with the first event after the last window has ended. */
static void build_rate(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "idle", "counting" };
	const struct match *m = &b->rule->match;
	uint32_t window = build_param(b, m->within), over = build_param(b, m->over);
	const struct event *e = m->steps[0].event;
	struct df_decision *d;

	build_begin(b, own, 2, names);
	step_decision(b, 0, e, 0, 1, DF_OP_START | DF_OP_ZERO | DF_OP_UP);
	d = build_decision(b, 1, build_column(b, e));
	set_test(d, 0, DF_TEST_WITHIN, window);
	set_test(d, 1, DF_TEST_COUNT_GE, over);
	d->ops = DF_OP_FIRE;
	d = build_decision(b, 1, build_column(b, e));
	set_test(d, 0, DF_TEST_WITHIN, window);
	d->next = 1;
	d->ops = DF_OP_UP;
	step_decision(b, 1, e, 0, 1, DF_OP_START | DF_OP_ZERO | DF_OP_UP);
	build_flush(b);
}

/* A to B took longer than T; asked at B. One return alone brings the time since its entry, as its guard. */
static void build_latency(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "idle", "running" };
	const struct match *m = &b->rule->match;
	struct df_decision *d;

	if (m->nsteps == 1) {
		build_sequence(b, own);
		return;
	}
	build_begin(b, own, 2, names);
	for (uint32_t state = 0; state < 2; state++)
		step_decision(b, state, m->steps[0].event, 0, 1, DF_OP_START);
	d = step_decision(b, 1, m->steps[1].event, 1, 0, DF_OP_FIRE);
	set_test(d, 0, DF_TEST_LATER, build_param(b, m->over));
	both_go(b, 1, m->steps[1].event, 0, 0);
	unless_go(b, 1, 0);
	build_flush(b);
}

/* Counters up and down on one machine: fires where it would fall below min. unknown puts count: they prevent. */
static void build_counts(struct builder *b, uint32_t machine, int64_t min, bool end_fires)
{
	static const char *const names[] = { "counting" };
	const struct match *m = &b->rule->match;
	uint32_t below = build_constant(b, (uint64_t)min), one = build_constant(b, 1);
	struct df_decision *d;

	build_begin(b, machine, 1, names);
	for (uint32_t i = 0; i < m->up.n; i++)
		build_decision(b, 0, build_column(b, m->up.items[i]))->ops = DF_OP_UP;
	for (uint32_t i = 0; i < m->down.n; i++) {
		uint32_t col = build_column(b, m->down.items[i]);

		d = build_decision(b, 0, col);
		set_test(d, 0, DF_TEST_COUNT_LE, below);
		d->ops = DF_OP_FIRE;
		for (uint32_t k = 0; k < 2; k++)
			build_decision(b, 0, col + k)->ops = DF_OP_DOWN;
	}
	if (m->end && end_fires) {
		d = build_decision(b, 0, build_column(b, m->end));
		set_test(d, 0, DF_TEST_COUNT_GE, one);
		d->ops = DF_OP_FIRE | DF_OP_ZERO;
		d = build_decision(b, 0, build_column(b, m->end));
		d->ops = DF_OP_ZERO;
	}
	build_flush(b);
}

/* With owners a second machine counts for each (key, owner): there a put of what the owner does not hold fires. */
static void build_balance(struct builder *b, uint32_t own)
{
	const struct match *m = &b->rule->match;
	bool owners = false;
	uint32_t machine;

	build_counts(b, own, m->min, true);
	for (uint32_t i = 0; i < b->rule->nevents; i++)
		owners = owners || b->rule->events[i].owner;
	if (!owners)
		return;
	machine = build_machine(b, "owners", b->rule->context_keys, b->rule->context_last);
	b->am->machines[machine].flags = DF_MACHINE_OWNERS;
	b->am->machines[machine].times = (uint32_t)m->times;
	build_counts(b, machine, 0, false);
	for (uint32_t i = 0; i < b->rule->nevents; i++) {
		struct event *e = &b->rule->events[i];
		struct expr **key;

		if (!e->owner)
			continue;
		key = arena_array(b->arena, e->nkey + 1, sizeof(*key));
		for (uint32_t k = 0; k < e->nkey; k++)
			key[k] = e->key[k];
		key[e->nkey] = e->owner;
		build_recording(b, e, machine, build_column(b, e), key, e->nkey + 1);
	}
}

static const struct field *find_field(const struct event *e, const char *name)
{
	for (uint32_t i = 0; name && i < e->nfields; i++) {
		if (!strcmp(e->fields[i].name, name))
			return &e->fields[i];
	}
	return NULL;
}

/* The register gets the named field of each of these events that has it. */
static void values_from_field(struct builder *b, const struct event_list *events, const char *name, uint32_t reg)
{
	for (uint32_t i = 0; i < events->n; i++) {
		const struct field *f = find_field(events->items[i], name);

		if (f)
			build_value(b, events->items[i], reg, (struct value){ .kind = VALUE_FIELD, .field = f });
	}
}

/* States: unknown, live, freed. Steps are numbered as the events stand: alloc first, then free. */
static void build_lifecycle(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "never allocated", "live", "freed" };
	const struct match *m = &b->rule->match;
	uint32_t reg = DF_VALS;

	if (m->identity) {
		reg = build_register(b);
		values_from_field(b, &m->up, m->identity, reg);
		values_from_field(b, &m->use, m->identity, reg);
	}
	build_begin(b, own, 3, names);
	for (uint32_t state = 0; state < 3; state++) {
		for (uint32_t i = 0; i < m->up.n; i++) {
			for (uint32_t k = 0; k < 2; k++) {
				struct df_decision *d = build_decision(b, state, build_column(b, m->up.items[i]) + k);

				d->next = 1;
				d->ops = DF_OP_START;
				d->step = 1;
				d->keep = reg < DF_VALS ? (uint8_t)(1u << reg) : 0;
			}
		}
		for (uint32_t i = 0; i < m->down.n; i++) {
			struct df_decision *d = build_decision(b, state, build_column(b, m->down.items[i]));
			bool fault = state == 2 ? m->detect & DOUBLE_FREE : state == 0 && m->detect & UNKNOWN_FREE;

			d->next = 2;
			d->ops = fault ? DF_OP_FIRE : state == 0 ? DF_OP_START : 0;
			d->step = fault && state == 2 ? 0 : 2;	/* the first free stays */
		}
		for (uint32_t i = 0; i < m->use.n; i++) {
			uint32_t col = build_column(b, m->use.items[i]);
			struct df_decision *d;

			if (state == 2 && m->detect & USE_AFTER_FREE) {
				d = build_decision(b, state, col);
				d->next = 2;
				d->ops = DF_OP_FIRE;
			} else if (state == 1 && m->detect & STALE_USE && reg < DF_VALS) {
				d = build_decision(b, state, col);
				set_test(d, 0, DF_TEST_DIFFERS, reg);
				d->next = 1;
				d->ops = DF_OP_FIRE;
			}
		}
	}
	build_flush(b);
}

static bool is_unless(const struct match *m, const struct event *e)
{
	for (uint32_t i = 0; i < m->nunless; i++) {
		if (m->unless[i] == e)
			return true;
	}
	return false;
}

/* A value changes although no declared writer came between: last good and first bad. What cannot be read is not seen. */
static void build_change(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "unknown", "known", "being written" };
	const struct match *m = &b->rule->match;
	uint32_t reg = build_register(b);

	values_from_field(b, &m->up, m->value, reg);
	build_begin(b, own, 3, names);
	for (uint32_t state = 0; state < 3; state++) {
		for (uint32_t i = 0; i < m->up.n; i++) {
			uint32_t col = build_column(b, m->up.items[i]);
			struct df_decision *d;

			if (state == 1 && !is_unless(m, m->up.items[i])) {
				d = build_decision(b, state, col);
				set_test(d, 0, DF_TEST_DIFFERS, reg);
				d->next = 1;
				d->ops = DF_OP_FIRE | DF_OP_AGAIN;
				d->step = 2;
				d->keep = (uint8_t)(1u << reg);
			}
			d = build_decision(b, state, col);
			set_test(d, 0, DF_TEST_KNOWN, reg);
			d->next = 1;
			d->ops = DF_OP_START;
			d->step = 1;
			d->keep = (uint8_t)(1u << reg);
		}
		for (uint32_t i = 0; i < m->nunless; i++)
			both_go(b, state, m->unless[i], 2, 0);
	}
	build_flush(b);
}

/* Keys for each group that there may be, where they are more than a few. */
#define GROUP_KEYS 4

static uint32_t groups_of(uint32_t keys)
{
	uint32_t few = keys < SLOTS_UNSAID ? keys : SLOTS_UNSAID;

	return keys / GROUP_KEYS > few ? keys / GROUP_KEYS : few;
}

/* Live keys over N; or, by group, those whose group's count goes over N: a second machine counts groups. */
static void build_population(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "dead", "live" };
	static const char *const group_names[] = { "counting" };
	const struct match *m = &b->rule->match;
	uint32_t over = build_param(b, m->over), reg = DF_VALS, group = 0;
	struct df_decision *d;

	if (m->group) {
		reg = build_register(b);
		values_from_field(b, &m->up, m->group, reg);
		for (uint32_t i = 0; i < m->up.n && !strcmp(m->group, "kstack"); i++)
			build_value(b, m->up.items[i], reg, (struct value){ .kind = VALUE_KSTACK });
	}
	b->am->machines[own].flags = DF_MACHINE_KEEPS;
	build_begin(b, own, 2, names);
	for (uint32_t state = 0; state < 2; state++) {
		for (uint32_t i = 0; i < m->up.n; i++) {
			uint32_t col = build_column(b, m->up.items[i]);

			if (!m->group && state == 0) {
				d = build_decision(b, state, col);
				set_test(d, 0, DF_TEST_LIVE_GE, over);
				d->next = 1;
				d->ops = DF_OP_START | DF_OP_LIVE | DF_OP_FIRE | DF_OP_WHOLE;
			}
			if (state)
				continue;	/* it is live already */
			d = build_decision(b, state, col);
			d->next = 1;
			d->ops = (uint16_t)(DF_OP_START | DF_OP_LIVE | (m->group ? DF_OP_FOLLOW : 0));
			d->keep = reg < DF_VALS ? (uint8_t)(1u << reg) : 0;
		}
		for (uint32_t i = 0; i < m->down.n && state; i++) {
			for (uint32_t k = 0; k < 2; k++) {
				d = build_decision(b, state, build_column(b, m->down.items[i]) + k);
				d->next = 0;
				d->ops = (uint16_t)(DF_OP_DEAD | (m->group ? DF_OP_FOLLOW : 0));
				d->follow_col = 2;
			}
		}
	}
	build_flush(b);
	if (!m->group)
		return;
	group = build_machine(b, "groups", groups_of(b->rule->context_keys), b->rule->context_last);
	b->am->machines[own].follow = group + 1;
	b->am->machines[group].times = (uint32_t)m->times;
	build_begin(b, group, 1, group_names);
	d = build_decision(b, 0, 0);
	set_test(d, 0, DF_TEST_COUNT_GE, over);
	d->ops = DF_OP_FIRE | DF_OP_UP | DF_OP_WHOLE;
	d = build_decision(b, 0, 0);
	d->ops = DF_OP_UP;
	d = build_decision(b, 0, 2);
	d->ops = DF_OP_DOWN;
	build_flush(b);
}

/* A key is entered while another thread is inside. The same thread may nest. */
static void build_overlap(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "free", "inside" };
	const struct match *m = &b->rule->match;
	uint32_t reg = build_register(b), two = build_constant(b, 2);
	uint32_t enter = 0, leave = 0;
	struct df_decision *d;

	build_value(b, m->steps[0].event, reg, (struct value){ .kind = VALUE_TID });
	build_value(b, m->steps[1].event, reg, (struct value){ .kind = VALUE_TID });
	build_begin(b, own, 2, names);
	enter = build_column(b, m->steps[0].event);
	leave = build_column(b, m->steps[1].event);
	d = step_decision(b, 0, m->steps[0].event, 0, 1, DF_OP_START | DF_OP_ZERO | DF_OP_UP);
	d->keep |= (uint8_t)(1u << reg);
	d = build_decision(b, 1, enter);
	set_test(d, 0, DF_TEST_DIFFERS, reg);
	d->next = 1;
	d->ops = DF_OP_FIRE;
	d = build_decision(b, 1, enter);
	d->next = 1;
	d->ops = DF_OP_UP;
	for (uint32_t k = 0; k < 2; k++) {
		d = build_decision(b, 1, leave + k);
		set_test(d, 0, DF_TEST_SAME, reg);
		set_test(d, 1, DF_TEST_COUNT_GE, two);
		d->next = 1;
		d->ops = DF_OP_DOWN;
		d = build_decision(b, 1, leave + k);
		set_test(d, 0, DF_TEST_SAME, reg);
		d->ops = DF_OP_ZERO;
	}
	build_flush(b);
}

/* inner.time < old(now): the last inner call that failed did so before the outer one was entered. */
static struct expr *failed_before(struct builder *b, struct expr *entered)
{
	static const struct type bool_type = { .kind = TYPE_BOOL, .size = 1 };
	struct expr *e = arena_new(b->arena, struct expr), *inner = arena_new(b->arena, struct expr);

	*inner = (struct expr){ .op = EXPR_STEP, .span = entered->span, .type = entered->type,
				.index = 1, .value = STEP_TIME };
	*e = (struct expr){ .op = EXPR_LT, .span = entered->span, .type = &bool_type, .a = inner, .b = entered };
	return e;
}

/* The outer call failed, and no inner call failed since it was entered: who, then? */
static void build_origin(struct builder *b, uint32_t own)
{
	static const char *const names[] = { "no inner failure", "an inner call failed" };
	const struct match *m = &b->rule->match;
	struct event *outer = m->steps[0].event;
	struct expr *guard = m->entered ? failed_before(b, m->entered) : NULL;
	struct df_decision *d;

	build_guard_registers(b, 0, guard);
	build_begin(b, own, 2, names);
	for (uint32_t state = 0; state < 2; state++) {
		for (uint32_t i = 0; i < m->up.n; i++) {
			for (uint32_t k = 0; k < 2; k++) {
				d = build_decision(b, state, build_column(b, m->up.items[i]) + k);
				d->next = 1;
				d->ops = state ? 0 : DF_OP_START;
				d->keep = build_keeps(b, m->up.items[i], 1);
			}
		}
		if (state && guard) {
			d = build_decision(b, state, build_column(b, outer));
			d->ops = DF_OP_FIRE;
			build_guard(b, d, 1, outer, 0, guard);
		}
		d = build_decision(b, state, build_column(b, outer));
		d->ops = state ? DF_OP_START : DF_OP_FIRE;
	}
	build_flush(b);
}

/* Entering a state with a deadline starts it, leaving it stops it. */
static uint16_t deadline_op(struct builder *b, const struct match *m, uint32_t from, uint32_t to, struct df_decision *d)
{
	if (m->states[to].deadline) {
		d->timer = (uint16_t)build_param(b, m->states[to].deadline);
		return DF_OP_TIMER;
	}
	return m->states[from].deadline ? DF_OP_STOP : 0;
}

static void build_automaton(struct builder *b, uint32_t own)
{
	const struct match *m = &b->rule->match;
	const char **names = arena_array(b->arena, m->nstates + 1, sizeof(*names));

	for (uint32_t s = 0; s < m->nstates; s++) {
		names[s] = m->states[s].name;
		for (uint32_t t = 0; t < m->states[s].n; t++)
			build_guard_registers(b, ~0u, m->states[s].on[t].guard);
	}
	build_begin(b, own, m->nstates, names);
	for (uint32_t s = 0; s < m->nstates; s++) {
		for (uint32_t t = 0; t < m->states[s].n; t++) {
			const struct transition *tr = &m->states[s].on[t];
			uint32_t col = tr->event ? build_column(b, tr->event) : b->ncols - 1;
			struct df_decision *d = build_decision(b, s, col);

			d->next = (uint8_t)tr->to;
			d->awaited = true;
			d->ops = deadline_op(b, m, s, tr->to, d);
			d->ops |= (uint16_t)((s == 0 && tr->to != 0 ? DF_OP_START : 0) | (tr->fire ? DF_OP_FIRE : 0));
			for (uint32_t i = 0; i < m->up.n && tr->event; i++) {
				if (m->up.items[i] != tr->event)
					continue;
				d->step = (uint8_t)(tr->fire || i >= DF_STEPS ? 0 : i + 1);
				d->keep = tr->fire ? 0 : build_keeps(b, tr->event, i);
			}
			if (tr->event)
				build_guard(b, d, 1, tr->event, ~0u, tr->guard);
		}
	}
	build_flush(b);
	if (match_has_deadline(m))
		b->am->machines[own].deadline_event = (uint16_t)build_deadline_event(b);
}

void build_match(struct builder *b, uint32_t own)
{
	static void (*const build[])(struct builder *b, uint32_t own) = {
		[MATCH_EVENT] = build_sequence,	    [MATCH_SEQUENCE] = build_sequence,
		[MATCH_MISSING] = build_missing,    [MATCH_RATE] = build_rate,
		[MATCH_BALANCE] = build_balance,    [MATCH_LIFECYCLE] = build_lifecycle,
		[MATCH_LATENCY] = build_latency,    [MATCH_CHANGE] = build_change,
		[MATCH_POPULATION] = build_population, [MATCH_OVERLAP] = build_overlap,
		[MATCH_ORIGIN] = build_origin,	    [MATCH_AUTOMATON] = build_automaton,
	};

	build[b->rule->match.kind](b, own);
}
