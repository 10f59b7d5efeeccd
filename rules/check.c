// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c - rules as a whole: events first, then the match over them, then messages, then what all rules share.
 */
#include "rules/check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/check_match.h"
#include "rules/ctext.h"
#include "rules/probe.h"
#include "rules/yaml.h"

/* A scalar that stands for an object or a number; strings are no keys. */
static void check_key(struct check *c, struct expr **key, uint32_t nkey)
{
	for (uint32_t i = 0; i < nkey; i++) {
		struct span span = key[i]->span;

		key[i] = check_value(c, key[i]);
		if (key[i] && key[i]->type->kind == TYPE_STR)
			diag_error(c->diags, TAG_TYPE, span, "a key is made of numbers and addresses, not of strings");
		else if (key[i] && is_const(key[i]))
			diag_warn(c->diags, TAG_ALWAYS, span, "a constant as a part of the key tells nothing apart");
	}
}

/* The tables that an event is recorded in, each with its key as this event gives it. */
static void check_event_tables(struct check *c, struct event *ev)
{
	for (uint32_t i = 0; i < ev->ntables; i++) {
		struct event_table *et = &ev->tables[i];
		struct nearest near = nearest_init(et->name);
		struct diag *d;

		for (uint32_t j = 0; j < c->rule->ntables && !et->table; j++) {
			nearest_offer(&near, c->rule->tables[j].name);
			if (!strcmp(c->rule->tables[j].name, et->name))
				et->table = &c->rule->tables[j];
		}
		if (!et->table) {
			d = diag_error(c->diags, TAG_UNKNOWN_NAME, et->span, "the rule has no table '%s'", et->name);
			if (nearest_best(&near))
				diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&near));
			continue;
		}
		if (!et->nkey) {
			et->nkey = et->table->nkey;
			et->key = arena_array(c->arena, et->nkey, sizeof(*et->key));
			if (et->nkey)
				memcpy(et->key, et->table->key, et->nkey * sizeof(*et->key));
		}
		if (!et->table->nkey)
			et->table->nkey = et->nkey;
		if (et->nkey != et->table->nkey || !et->nkey)
			diag_error(c->diags, TAG_KEYS_DIFFER, et->span, "table '%s' has a key of %u parts, here it has %u",
				   et->name, et->table->nkey, et->nkey);
		check_key(c, et->key, et->nkey);
	}
}

static void check_field(struct check *c, struct event *ev, uint32_t n)
{
	struct field *f = &ev->fields[n];
	struct expr *e;

	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(ev->fields[i].name, f->name))
			diag_error(c->diags, TAG_DUPLICATE, f->span, "field '%s' is given twice", f->name);
	}
	e = check_expr(c, f->expr);
	if (e && e->type->kind == TYPE_ARRAY && e->type->target->is_char)
		e = make_string(c, e);
	else if (e && e->type->kind == TYPE_ARRAY)
		diag_hint(c->diags, diag_error(c->diags, TAG_TYPE, f->expr->span, "an array is not a field"),
			  "keep: [{bytes: ..., len: ...}] records it; [0] picks an element");
	else if (e && e->type->kind == TYPE_PTR && e->type->target->is_char)
		diag_hint(c->diags, diag_warn(c->diags, TAG_ADDRESS, f->expr->span, "field '%s' records an address, no text",
					      f->name),
			  "str(...) records the text there, ustr(...) that in user memory; (void *) in front says that "
			  "the address is meant");
	if (e && e->op == EXPR_OLD && e->type->kind == TYPE_STR)
		diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, e->span, "a text of the entry can be compared, not recorded"),
			  "record it by an event at the entry, kprobe:, under the same key");
	f->expr = make_value(c, e);
}

/* How much is kept. */
static void check_len(struct check *c, struct keep_bytes *b)
{
	struct span span = b->size ? b->size->span : b->span;
	const struct type *target = b->addr && b->addr->type->kind == TYPE_PTR ? b->addr->type->target : NULL;
	const struct expr *size = b->size ? check_value(c, b->size) : NULL;
	uint64_t len = 0;

	b->len = 8;
	if (!b->addr || (b->size && !size))
		return;
	if (!size && (!target || target->kind != TYPE_STRUCT || !target->size)) {
		diag_hint(c->diags, diag_error(c->diags, TAG_MISSING_KEY, span, "how many bytes? That is no pointer to a struct"),
			  "{bytes: ADDRESS, len: N}");
		return;
	}
	if (size && !is_const(size)) {
		diag_error(c->diags, TAG_BAD_VALUE, span, "'len' takes a number or sizeof(...), which is known before");
		return;
	}
	len = size ? size->value : target->size;
	if (len < 1 || len > KEEP_BYTES_MAX) {
		diag_hint(c->diags, diag_error(c->diags, TAG_BAD_VALUE, span, "1 to %d bytes can be kept, not %llu",
					       KEEP_BYTES_MAX, (unsigned long long)len),
			  "{bytes: ADDRESS, len: N} keeps N of them; several items keep several parts");
		return;
	}
	b->len = (uint32_t)len;
}

static void check_bytes(struct check *c, struct keep_bytes *b)
{
	struct span span = b->addr->span;
	struct expr *e = check_expr(c, b->addr);

	if (e && expr_is_lvalue(e) && e->type->kind == TYPE_STRUCT)
		e = new_expr(c, EXPR_ADDR, span, type_ptr(c->types, e->type), e, NULL);
	e = make_value(c, e);
	if (e && e->type->kind != TYPE_PTR && !(type_is_integer(e->type) && e->type->size == 8))
		diag_error(c->diags, TAG_TYPE, span, "'bytes' takes an address, not '%s'",
			   type_text(c->arena, e->type));
	b->addr = e;
	check_len(c, b);
}

static void forget_value(struct check *c, struct expr **e)
{
	if (*e)
		*e = new_int(c, (*e)->span, type_int(c->types, 8, false), 0);
}

/* The event is not here: what it would record has no type. It has no code either, and numbers stand for all of it. */
static void forget_values(struct check *c, struct event *ev)
{
	ev->where = NULL;
	ev->ntables = 0;
	forget_value(c, &ev->owner);
	for (uint32_t i = 0; i < ev->nkey; i++)
		forget_value(c, &ev->key[i]);
	for (uint32_t i = 0; i < ev->nfields; i++)
		forget_value(c, &ev->fields[i].expr);
	for (uint32_t i = 0; i < ev->nbytes; i++) {
		forget_value(c, &ev->bytes[i].addr);
		ev->bytes[i].len = 8;
	}
}

/* A timer's event comes in an interrupt, where nobody may be kept waiting, and races with nothing. */
static void check_delay(struct check *c, const struct event *ev)
{
	for (uint32_t i = 0; i < ev->nprobes && ev->delay_ns; i++) {
		const struct probe *p = &ev->probes[i];

		if (p->kind == PROBE_INTERVAL || p->kind == PROBE_PROFILE)
			diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, ev->delay_span,
						       "no delay at %s: it comes in an interrupt", p->text),
				  "put the delay at the function whose race is to be wider");
	}
}

/* Who waits for a module waits for functions or tracepoints of the kernel; and goes without none of them. */
static void check_wait(struct check *c, const struct event *ev)
{
	for (uint32_t i = 0; i < ev->nprobes && ev->wait_module; i++) {
		if (!(probe_info(ev->probes[i].kind)->flags & (PROBE_FUNCTION | PROBE_TRACE)))
			diag_error(c->diags, TAG_NOT_HERE, ev->when_span, "%s comes with no module", ev->probes[i].text);
	}
	if (ev->wait_module && ev->optional)
		diag_hint(c->diags, diag_error(c->diags, TAG_BAD_VALUE, ev->when_span,
					       "event '%s' is optional and waits for its module: which?", ev->name),
			  "'optional' goes without it where it is absent, 'when' has the rule sleep until it is there");
}

static void check_event(struct check *c, struct event *ev)
{
	uint32_t before = c->diags->errors;

	c->event = ev;
	if (!ev->nprobes)
		return;
	check_delay(c, ev);
	check_wait(c, ev);
	probe_resolve(c, ev);
	if (ev->unresolved)
		forget_values(c, ev);
	if (before != c->diags->errors || ev->unresolved)
		return;
	if (ev->where)
		ev->where = check_cond(c, ev->where);
	if (ev->where && is_const(ev->where))
		diag_warn(c->diags, TAG_ALWAYS, ev->where->span, "the condition is always %s",
			  ev->where->value ? "true" : "false");
	check_key(c, ev->key, ev->nkey);
	check_event_tables(c, ev);
	if (ev->owner) {
		struct span span = ev->owner->span;

		ev->owner = check_value(c, ev->owner);
		if (ev->owner && ev->owner->type->kind == TYPE_STR)
			diag_error(c->diags, TAG_TYPE, span, "an owner is a number or an address, not a string");
	}
	for (uint32_t i = 0; i < ev->nfields; i++)
		check_field(c, ev, i);
	for (uint32_t i = 0; i < ev->nbytes; i++)
		check_bytes(c, &ev->bytes[i]);
	c->event = NULL;
}

/* Events of one match must be about the same thing. */
static void check_keys_agree(struct check *c)
{
	struct rule *rule = c->rule;
	const struct event *first = NULL;
	struct diag *d;

	for (uint32_t i = 0; i < rule->nevents; i++) {
		const struct event *ev = &rule->events[i];

		if (!ev->nkey && !ev->roles)
			continue;	/* context of the whole rule */
		if (!first)
			first = ev;
		if (ev->nkey == first->nkey)
			continue;
		d = diag_error(c->diags, TAG_KEYS_DIFFER, ev->span, "event '%s' has a key of %u parts, '%s' of %u",
			       ev->name, ev->nkey, first->name, first->nkey);
		diag_also(c->diags, d, first->span, "'%s' is here", first->name);
		diag_hint(c->diags, d, "a rule's events are told apart by key, the same parts in all; one with another key goes into a table of its "
			  "own: tables: {NAME: {key: ...}}, in the event tables: [NAME], and no key");
	}
	rule->nkey = first ? first->nkey : 0;
}

uint32_t rule_key_parts(const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->nevents; i++) {
		if (rule->events[i].nkey || rule->events[i].roles)
			return rule->events[i].nkey;
	}
	return 0;
}

/* Values of sets are constants. */
static void check_sets(struct check *c)
{
	for (uint32_t i = 0; i < c->rule->nsets; i++) {
		struct set *s = &c->rule->sets[i];

		for (uint32_t j = 0; j < s->nvalues; j++) {
			struct span span = s->values[j]->span;

			s->values[j] = check_value(c, s->values[j]);
			if (s->values[j] && (!is_const(s->values[j]) || s->values[j]->type->kind == TYPE_STR))
				diag_error(c->diags, TAG_TYPE, span, "a member of a set is a constant number");
		}
	}
}

/* Flags that one rule may set: bpf/layout.h, DF_FLAGS_SET. */
#define FLAGS_MAX 8

static void check_actions(struct check *c)
{
	struct rule *rule = c->rule;
	int nsignals = 0, nflags = 0;

	for (uint32_t i = 0; i < rule->nactions; i++) {
		struct action *a = &rule->actions[i];

		if ((a->kind == ACTION_PANIC || a->kind == ACTION_LOG) && !a->message)
			a->message = rule->name;
		else if (a->kind == ACTION_SET_FLAG && a->message)
			a->flag = flag_index(c, a->message);
		else if (a->kind == ACTION_PANIC || a->kind == ACTION_LOG)
			check_template(c, a->node);
		nsignals += a->kind == ACTION_SIGNAL;
		nflags += a->kind == ACTION_SET_FLAG;
		if (a->kind == ACTION_SIGNAL && a->signal && nsignals > 1)
			diag_error(c->diags, TAG_LIMIT, a->span, "a rule sends one signal");
		if (a->kind == ACTION_SET_FLAG && nflags > FLAGS_MAX)
			diag_error(c->diags, TAG_LIMIT, a->span, "a rule sets %d flags at most", FLAGS_MAX);
		if (a->kind == ACTION_SIGNAL && rule->match.kind == MATCH_MISSING)
			diag_hint(c->diags, diag_error(c->diags, TAG_NOT_HERE, a->span, "there is nobody to send a signal to"),
				  "a signal goes to the running task; 'missing' fires when time has passed, whoever runs then");
	}
}

static void check_types(struct check *c)
{
	const struct node *n = c->rule->types;

	if (n->kind != NODE_SCALAR || node_is_null(n)) {
		diag_error(c->diags, TAG_VALUE_KIND, n->span, "'types' takes C text: types: | and structs below it");
		return;
	}
	types_set_text(c->types, ctext_read(c, n));
}

static void check_rule(struct check *c, struct rule *rule)
{
	c->rule = rule;
	types_set_text(c->types, NULL);
	if (rule->types)
		check_types(c);
	check_sets(c);
	for (uint32_t i = 0; i < rule->nevents; i++)
		check_event(c, &rule->events[i]);
	check_match(c);
	check_keys_agree(c);
	check_on_loss(rule);
	check_actions(c);
	for (uint32_t i = 0; i < rule->nevents; i++)
		event_bodies(c, &rule->events[i]);
	c->rule = NULL;
}

void rule_link(struct rule_set *set, uint32_t a, uint32_t b)
{
	uint32_t from = set->rules[a].group, to = set->rules[b].group;

	for (uint32_t i = 0; from != to && i < set->nrules; i++) {
		if (set->rules[i].group == from)
			set->rules[i].group = to;
	}
}

/* Numbers of rules, events and parameters in the set; expressions refer to them. */
static void number_rules(struct check *c)
{
	struct rule_set *set = c->set;

	for (uint32_t i = 0; i < set->nrules; i++) {
		struct rule *rule = &set->rules[i];

		rule->index = rule->group = i;
		for (uint32_t j = 0; j < rule->nevents; j++) {
			set->events = arena_grow(c->arena, set->events, set->nevents, sizeof(*set->events));
			rule->events[j].index = set->nevents;
			set->events[set->nevents++] = &rule->events[j];
		}
		for (uint32_t j = 0; j < rule->nsets; j++) {
			set->sets = arena_grow(c->arena, set->sets, set->nsets, sizeof(*set->sets));
			rule->sets[j].index = set->nsets;
			set->sets[set->nsets++] = &rule->sets[j];
		}
		for (uint32_t j = 0; j < rule->nparams; j++) {
			set->params = arena_grow(c->arena, set->params, set->nparams, sizeof(*set->params));
			rule->params[j].index = set->nparams;
			rule->params[j].rule = i;
			set->params[set->nparams++] = &rule->params[j];
		}
	}
}

static int by_name(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
	int rc = strcmp(x->name, y->name);

	return rc ? rc : (x->index > y->index) - (x->index < y->index);
}

static void check_names_differ(struct check *c)
{
	struct rule_set *set = c->set;
	struct rule **sorted = arena_array(c->arena, set->nrules, sizeof(*sorted));

	for (uint32_t i = 0; i < set->nrules; i++)
		sorted[i] = &set->rules[i];
	if (set->nrules)
		qsort(sorted, set->nrules, sizeof(*sorted), by_name);
	for (uint32_t i = 1; i < set->nrules; i++) {
		struct span at = sorted[i]->span, first = sorted[i - 1]->span;
		struct diag *d;

		at.len = first.len = 1;
		if (strcmp(sorted[i]->name, sorted[i - 1]->name) || !strcmp(sorted[i]->name, "?"))
			continue;
		d = diag_error(c->diags, TAG_DUPLICATE, at, "two rules are called '%s'", sorted[i]->name);
		diag_also(c->diags, d, first, "the other is here");
	}
}

void check_rules(struct check *c)
{
	struct rule_set *set = c->set;

	number_rules(c);
	check_names_differ(c);
	for (uint32_t i = 0; i < set->nrules; i++)
		check_rule(c, &set->rules[i]);
	if (set->nrules)
		set->name = set->rules[0].name;
}
