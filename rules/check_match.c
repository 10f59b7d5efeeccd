// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_match.c - what a match takes: roles of its events, thresholds, guards, the fields that it compares.
 */
#include "rules/check_match.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/layout.h"
#include "rules/probe.h"

/* A duration or a number, as a constant or a parameter. */
static struct expr *check_threshold(struct check *c, struct expr *e, const char *what, bool duration)
{
	bool constant = e->op == EXPR_INT, time = constant && e->unit == UNIT_TIME;
	struct expr *v = check_value(c, e);

	if (!v)
		return NULL;
	if (v->op == EXPR_PARAM) {
		constant = c->set->params[v->index]->kind != PARAM_STR;
		time = c->set->params[v->index]->kind == PARAM_DURATION;
	}
	if (v->op == EXPR_PARAM && constant && (int64_t)c->set->params[v->index]->value < 0) {
		diag_error(c->diags, TAG_BAD_VALUE, e->span, "'%s' takes no negative %s", what, duration ? "duration" : "number");
		return v;
	}
	if (constant && time == duration)
		return v;
	diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, e->span, "'%s' takes a %s", what,
				       duration ? "duration" : "number"),
		  duration ? "such as 10s, 500ms, or a parameter with such a default" :
		  "a constant, or a parameter with such a default");
	return v;
}

/* An event that a match needs must be there, or nothing can match. */
static void check_possible(struct check *c, const struct event *ev, struct span span)
{
	if (ev->unresolved && ev->optional && !ev->wait_module)
		diag_error(c->diags, TAG_NEVER, span, "event '%s' cannot happen on this kernel, so nothing matches",
			   ev->name);
}

static void set_roles(const struct event_list *list, uint32_t role)
{
	for (uint32_t i = 0; i < list->n; i++)
		list->items[i]->roles |= role;
}

/* One of the events must be there. */
static void check_any_possible(struct check *c, const struct event_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		if (!list->items[i]->unresolved || list->items[i]->wait_module)
			return;
	}
	if (list->n)
		check_possible(c, list->items[0], c->rule->match.span);
}

static struct expr *check_guard(struct check *c, struct event *ev, struct expr *guard, uint32_t nsteps)
{
	if (!guard || ev->unresolved)
		return guard;
	c->event = ev;
	c->in_match = true;
	c->nsteps = nsteps;
	guard = check_cond(c, guard);
	c->event = NULL;
	c->in_match = false;
	c->nsteps = 0;
	return guard;
}

/* Whom does the name mean, seen from the condition that is checked? */
enum whom { NO_EVENT, THIS_EVENT, OTHER_EVENT };

static enum whom whom_it_means(const struct check *c, const char *name)
{
	const struct match *m = &c->rule->match;
	enum whom whom = NO_EVENT;

	for (uint32_t i = 0; i < c->rule->nevents; i++) {
		if (!strcmp(c->rule->events[i].name, name))
			whom = &c->rule->events[i] == c->event ? THIS_EVENT : OTHER_EVENT;
	}
	for (uint32_t i = 0; i < m->nsteps; i++) {
		if (m->steps[i].label && !strcmp(m->steps[i].label, name))
			whom = m->steps[i].event == c->event && (!c->in_match || i == c->nsteps) ? THIS_EVENT : OTHER_EVENT;
	}
	return whom;
}

/* In a condition of the match: what can be asked instead? */
static void say_no_step(struct check *c, const struct expr *e)
{
	const struct match *m = &c->rule->match;
	struct diag *d = diag_error(c->diags, TAG_NOT_HERE, e->span, m->kind == MATCH_AUTOMATON ?
				    "'%s' is no event of the automaton" : "'%s' is no step before this one", e->text);

	for (uint32_t i = 0; i < c->nsteps && m->kind != MATCH_AUTOMATON; i++) {
		if (!strcmp(m->steps[i].event->name, e->text)) {
			diag_hint(c->diags, d, "its step is called '%s'", m->steps[i].label);
			return;
		}
	}
	diag_hint(c->diags, d, m->kind == MATCH_AUTOMATON ? "a condition may ask the events that its states name" :
		  "a condition may ask the steps before its own, by their names in the match");
}

bool check_misplaced_event(struct check *c, const struct expr *e)
{
	enum whom whom = c->event ? whom_it_means(c, e->text) : NO_EVENT;

	if (whom == THIS_EVENT)
		diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, e->span, "'%s' is this event itself", e->text),
			  "what it knows has no name before it: arg.NAME, task.tid, now");
	else if (whom == OTHER_EVENT && c->in_match)
		say_no_step(c, e);
	else if (whom == OTHER_EVENT)
		diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, e->span,
					       "'%s' is another event: '%s' by itself does not know it", e->text,
					       c->event->name),
			  "ask in the match, at a step after that one: {STEP: %s, where: ...}", c->event->name);
	return whom != NO_EVENT;
}

static void check_steps(struct check *c)
{
	struct match *m = &c->rule->match;

	for (uint32_t i = 0; i < m->nsteps; i++) {
		struct step *s = &m->steps[i];
		bool second = i == 1;

		s->event->roles |= second && (m->kind == MATCH_MISSING || m->kind == MATCH_OVERLAP) ? ROLE_PREVENTS :
				   ROLE_LEADS;
		check_possible(c, s->event, s->span);
		s->guard = check_guard(c, s->event, s->guard, i);
	}
}

/* What matches compare, or tell groups by, is a number. */
static void check_comparable(struct check *c, const struct event *ev, const struct field *f)
{
	if (!f->expr || !f->expr->type || !field_is_string(f))
		return;
	diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, f->expr->span, "field '%s' of event '%s' is text; the match compares numbers",
				       f->name, ev->name),
		  "record a number for it: task.pid, an inode, an address");
}

/* A field that all of these events must record. */
static void check_recorded(struct check *c, const struct event_list *list, const char *field)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const struct event *ev = list->items[i];
		struct nearest near = nearest_init(field);
		struct diag *d;
		uint32_t j = 0;

		for (; j < ev->nfields && strcmp(ev->fields[j].name, field); j++)
			nearest_offer(&near, ev->fields[j].name);
		if (j < ev->nfields) {
			check_comparable(c, ev, &ev->fields[j]);
			continue;
		}
		d = diag_error(c->diags, TAG_UNKNOWN_FIELD, c->rule->match.span, "event '%s' records no field '%s'",
			       ev->name, field);
		if (nearest_best(&near))
			diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&near));
		else
			diag_hint(c->diags, d, "add it to the event: fields: {%s: ...}", field);
	}
}

static void check_at_return(struct check *c, const struct event *ev, const char *why)
{
	if (ev->nprobes && !event_all(ev, PROBE_AT_RETURN))
		diag_error(c->diags, TAG_NOT_HERE, ev->span, "event '%s' must be at a function's return: %s", ev->name,
			   why);
}

static void check_lists(struct check *c)
{
	struct match *m = &c->rule->match;

	switch (m->kind) {
	case MATCH_BALANCE:
	case MATCH_POPULATION:
		set_roles(&m->up, ROLE_LEADS);
		set_roles(&m->down, ROLE_PREVENTS);
		break;
	case MATCH_LIFECYCLE:
		set_roles(&m->up, ROLE_PREVENTS);
		set_roles(&m->down, ROLE_LEADS);
		set_roles(&m->use, ROLE_LEADS);
		break;
	case MATCH_ORIGIN:
		set_roles(&m->up, ROLE_PREVENTS);
		break;
	default:
		set_roles(&m->up, ROLE_LEADS);
	}
	if (m->end)
		m->end->roles |= ROLE_LEADS;
	if (m->kind != MATCH_ORIGIN)
		check_any_possible(c, &m->up);
}

/* Does a condition ask for anything of the event at hand? */
static bool asks_at_hand(const struct expr *e)
{
	if (!e)
		return false;
	if (e->op == EXPR_ARG || e->op == EXPR_RETVAL || e->op == EXPR_BUILTIN || e->op == EXPR_OLD)
		return true;
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (asks_at_hand(e->list[i]))
			return true;
	}
	return asks_at_hand(e->a) || asks_at_hand(e->b) || asks_at_hand(e->c);
}

static const struct expr *find_step_of(const struct match *m, const struct expr *e, const struct event *ev)
{
	const struct expr *found = NULL;

	if (!e || (e->op == EXPR_STEP && m->up.items[e->index] == ev))
		return e;
	for (uint32_t i = 0; i < e->nlist && !found; i++)
		found = find_step_of(m, e->list[i], ev);
	found = found ? found : find_step_of(m, e->a, ev);
	found = found ? found : find_step_of(m, e->b, ev);
	return found ? found : find_step_of(m, e->c, ev);
}

/* done: {to: idle, where: done.id == request.id}: it asks nothing of the done that just came. */
static void warn_earlier(struct check *c, const struct transition *t)
{
	const struct expr *own = find_step_of(&c->rule->match, t->guard, t->event);

	if (own && !asks_at_hand(t->guard))
		diag_hint(c->diags, diag_warn(c->diags, TAG_EARLIER, own->span, "'%s' is the last '%s' before this one",
					      t->event->name, t->event->name),
			  "of this one ask as in its own condition: arg.NAME, task.tid, now");
}

static void check_automaton(struct check *c)
{
	struct match *m = &c->rule->match;

	for (uint32_t i = 0; i < m->nstates; i++) {
		struct state *s = &m->states[i];

		if (s->deadline)
			s->deadline = check_threshold(c, s->deadline, "deadline", true);
		for (uint32_t j = 0; j < s->n; j++) {
			if (!s->on[j].event)
				continue;
			s->on[j].guard = check_guard(c, s->on[j].event, s->on[j].guard, m->up.n);
			warn_earlier(c, &s->on[j]);
		}
	}
}

static void check_fields(struct check *c)
{
	struct match *m = &c->rule->match;

	if (m->identity) {
		check_recorded(c, &m->up, m->identity);
		check_recorded(c, &m->use, m->identity);
	}
	if (m->detect & STALE_USE && !m->identity)
		diag_error(c->diags, TAG_MISSING_KEY, m->span,
			   "stale_use needs 'identity': the field by which two lives of an address differ");
	if (m->value)
		check_recorded(c, &m->up, m->value);
	if (m->group && strcmp(m->group, "kstack"))
		check_recorded(c, &m->up, m->group);
	for (uint32_t i = 0; m->group && !strcmp(m->group, "kstack") && i < m->up.n; i++)
		m->up.items[i]->keep |= KEEP_KSTACK;
}

static void key_by_thread(struct check *c, struct event *ev)
{
	struct expr *tid = new_expr(c, EXPR_BUILTIN, ev->span, type_int(c->types, 4, false), NULL, NULL);

	tid->index = BUILTIN_TID;
	tid->text = "tid";
	ev->key = arena_new(c->arena, struct expr *);
	ev->key[0] = tid;
	ev->nkey = 1;
}

/* The inner calls are those of the same thread: its events have that key unless the rule gives another. */
static void check_origin_keys(struct check *c)
{
	struct match *m = &c->rule->match;

	for (uint32_t i = 0; i < c->rule->nevents; i++) {
		if (c->rule->events[i].nkey)
			return;
	}
	if (m->nsteps)
		key_by_thread(c, m->steps[0].event);
	for (uint32_t i = 0; i < m->up.n; i++)
		key_by_thread(c, m->up.items[i]);
}

static struct expr *raw(struct check *c, enum expr_op op, struct span span, struct expr *a, struct expr *b)
{
	struct expr *e = new_expr(c, op, span, NULL, a, b);

	e->text = op == EXPR_NAME ? "now" : NULL;
	return e;
}

static struct expr *now_expr(struct check *c)
{
	return raw(c, EXPR_NAME, c->rule->match.span, NULL, NULL);
}

/* An expression of now and of old(now), at the return that is the match's first step. */
static struct expr *check_call_time(struct check *c, struct expr *e)
{
	struct event *ev = c->rule->match.steps[0].event;
	bool uses_old = ev->uses_old;

	c->event = ev;
	e = check_expr(c, e);
	c->event = NULL;
	ev->uses_old = uses_old;
	ev->times_call = true;
	return e;
}

/* latency: R, over: T is: now - old(now) > T. Where the entry was missed that is unknown, and nothing fires. */
static void check_latency(struct check *c)
{
	struct match *m = &c->rule->match;
	const struct type *u64 = type_int(c->types, 8, false);
	uint32_t errors = c->diags->errors;
	struct expr *time;

	check_at_return(c, m->steps[0].event, "the time is that from entry to return");
	if (m->steps[0].event->unresolved || !m->over || c->diags->errors > errors)
		return;
	time = check_call_time(c, raw(c, EXPR_SUB, m->span, now_expr(c), raw(c, EXPR_OLD, m->span, now_expr(c), NULL)));
	if (time)
		m->steps[0].guard = new_expr(c, EXPR_GT, m->span, type_bool(c->types), convert(c, time, u64),
					     convert(c, m->over, u64));
}

/* Inner calls count that failed since old(now). Where the entry was missed that is unknown: all count. */
static void check_origin(struct check *c)
{
	struct match *m = &c->rule->match;
	uint32_t errors = c->diags->errors;

	check_at_return(c, m->steps[0].event, "what it returned is traced back");
	for (uint32_t i = 0; i < m->up.n; i++)
		check_at_return(c, m->up.items[i], "it may be the origin of what was returned");
	if (!m->steps[0].event->unresolved && c->diags->errors == errors)
		m->entered = check_call_time(c, raw(c, EXPR_OLD, m->span, now_expr(c), NULL));
}

/* An event that is asked what came before it in its generation, and begins one. */
static const struct event *forgetful(const struct match *m)
{
	switch (m->kind) {
	case MATCH_SEQUENCE:
	case MATCH_LATENCY:
		for (uint32_t i = 1; i < m->nsteps; i++) {
			if (m->steps[i].event->birth)
				return m->steps[i].event;
		}
		return NULL;
	case MATCH_OVERLAP:
		return m->nsteps && m->steps[0].event->birth ? m->steps[0].event : NULL;
	case MATCH_BALANCE:
		return m->end && m->end->birth ? m->end : NULL;
	default:
		return NULL;
	}
}

static void check_births(struct check *c)
{
	const struct event *ev = forgetful(&c->rule->match);

	if (ev)
		diag_hint(c->diags, diag_warn(c->diags, TAG_NEVER, ev->span, "'%s' begins a generation, so nothing has come before it: "
					      "no match is complete there", ev->name),
			  "birth belongs to the event with which an object comes to be");
}

void check_match(struct check *c)
{
	struct match *m = &c->rule->match;

	check_steps(c);
	check_lists(c);
	for (uint32_t i = 0; i < m->nunless; i++)
		m->unless[i]->roles |= ROLE_PREVENTS;
	if (m->within)
		m->within = check_threshold(c, m->within, "within", true);
	if (m->over)
		m->over = check_threshold(c, m->over, "over", m->kind == MATCH_LATENCY);
	if (m->kind == MATCH_LATENCY && m->nsteps == 1)
		check_latency(c);
	if (m->kind == MATCH_ORIGIN && m->nsteps)
		check_origin(c);
	check_fields(c);
	check_births(c);
	check_automaton(c);
	if (m->kind == MATCH_ORIGIN)
		check_origin_keys(c);
}

static bool rests_on_absence(const struct rule *rule)
{
	bool begins_anew = rule->match.nunless > 0;

	for (uint32_t i = 0; i < rule->nevents; i++) {
		if (rule->events[i].uses_old)
			return true;
		begins_anew = begins_anew || rule->events[i].birth;
	}
	switch (rule->match.kind) {
	case MATCH_EVENT:
	case MATCH_RATE:
		return false;
	case MATCH_SEQUENCE:
	case MATCH_CHANGE:
		return begins_anew;
	default:
		return true;
	}
}

void check_on_loss(struct rule *rule)
{
	if (rule->on_loss == ON_LOSS_DEFAULT)
		rule->on_loss = rests_on_absence(rule) ? ON_LOSS_SUPPRESS : ON_LOSS_FIRE;
}
