// SPDX-License-Identifier: GPL-2.0-or-later
/* automaton.c - machines, cells and decisions of a set; what each kind of match does is in automaton_kinds.c. */
#include "rules/automaton_build.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/layout.h"

/* One more parameter, of a constant value; its number. */
static uint32_t add_constant(struct arena *a, struct automata *am, uint64_t value)
{
	am->params = arena_grow(a, am->params, am->nparams, sizeof(*am->params));
	am->params[am->nparams] = value;
	return am->nparams++;
}

uint32_t build_param(struct builder *b, const struct expr *e)
{
	if (!e)
		return 0xffff;
	return e->op == EXPR_PARAM ? e->index : build_constant(b, e->value);
}

uint32_t build_constant(struct builder *b, uint64_t value)
{
	for (uint32_t i = b->set->nparams; i < b->am->nparams; i++) {
		if (b->am->params[i] == value)
			return i;
	}
	return add_constant(b->arena, b->am, value);
}

/* A new machine for a table with room for `keys` keys; name NULL: the rule's own. Its cells come with build_flush. */
uint32_t build_machine(struct builder *b, const char *name, uint32_t keys, uint32_t last)
{
	struct automata *am = b->am;
	struct df_machine *m;
	uint32_t slots = SLOTS_MIN;

	while (slots < keys && slots < 1u << 30)
		slots *= 2;
	am->machines = arena_grow(b->arena, am->machines, am->nmachines, sizeof(*am->machines));
	am->state_names = arena_grow(b->arena, am->state_names, am->nmachines, sizeof(*am->state_names));
	am->tiers = arena_grow(b->arena, am->tiers, am->nmachines, sizeof(*am->tiers));
	am->names = arena_grow(b->arena, am->names, am->nmachines, sizeof(*am->names));
	am->tiers[am->nmachines] = NULL;
	am->names[am->nmachines] = name;
	m = &am->machines[am->nmachines];
	memset(m, 0, sizeof(*m));
	am->state_names[am->nmachines] = arena_array(b->arena, 1, sizeof(char *));
	am->state_names[am->nmachines][0] = "idle";
	m->rule = b->rule->index;
	m->nstates = 1;
	m->ncols = 1;
	m->deadline_col = DF_NO_COL;
	m->last = (uint16_t)(last ? last : 1);
	m->pins = (uint16_t)rule_pins(b->rule);
	m->slots = slots;
	m->first_slot = am->slots;
	m->times = 1;
	am->slots += slots;
	return am->nmachines++;
}

struct df_decision *build_decision(struct builder *b, uint32_t state, uint32_t col)
{
	struct draft_cell *cell = &b->cells[state * b->ncols + col];

	if (cell->n == DF_CHAIN) {
		diag_error(b->diags, TAG_TOO_BIG, b->rule->match.span,
			   "an event has more than %d alternatives in one state", DF_CHAIN);
		cell->n--;
	}
	cell->items = arena_grow(b->arena, cell->items, cell->n, sizeof(*cell->items));
	memset(&cell->items[cell->n], 0, sizeof(*cell->items));
	return &cell->items[cell->n++];
}

void build_begin(struct builder *b, uint32_t machine, uint32_t nstates, const char *const *names)
{
	const char **copy = arena_array(b->arena, nstates, sizeof(*copy));

	for (uint32_t i = 0; i < nstates; i++)
		copy[i] = names[i];
	b->machine = machine;
	b->nstates = nstates;
	b->ncols = 2 * b->rule->nevents + 1;
	b->cells = arena_array(b->arena, (size_t)nstates * b->ncols, sizeof(*b->cells));
	b->am->state_names[machine] = copy;
	b->am->machines[machine].nstates = (uint16_t)nstates;
	b->am->machines[machine].first_state = b->am->states;
	b->am->states += nstates;
	b->am->machines[machine].ncols = (uint16_t)b->ncols;
	b->am->machines[machine].deadline_col = (uint16_t)(b->ncols - 1);
}

uint32_t build_column(const struct builder *b, const struct event *e)
{
	return 2 * (uint32_t)(e - b->rule->events);
}

/* Lay the cells down: same order as their index, each a run of decisions. */
void build_flush(struct builder *b)
{
	struct automata *am = b->am;
	uint32_t n = b->nstates * b->ncols;

	am->machines[b->machine].first_cell = am->ncells;
	for (uint32_t i = 0; i < n; i++) {
		struct draft_cell *cell = &b->cells[i];

		am->cells = arena_grow(b->arena, am->cells, am->ncells, sizeof(*am->cells));
		am->cells[am->ncells++] = cell->n ? am->ndecisions + 1 : 0;
		for (uint32_t d = 0; d < cell->n; d++) {
			am->decisions = arena_grow(b->arena, am->decisions, am->ndecisions, sizeof(*am->decisions));
			am->decisions[am->ndecisions] = cell->items[d];
			am->decisions[am->ndecisions++].more = d + 1 < cell->n;
		}
	}
	b->cells = NULL;
}

struct event_plan *build_plan(struct builder *b, const struct event *e)
{
	return &b->am->plans[e->index];
}

void build_recording(struct builder *b, const struct event *e, uint32_t machine, uint32_t col, struct expr **key,
		     uint32_t nkey)
{
	struct event_plan *p = build_plan(b, e);

	p->recordings = arena_grow(b->arena, p->recordings, p->nrecordings, sizeof(*p->recordings));
	p->recordings[p->nrecordings++] =
		(struct recording){ .machine = machine, .col = (uint16_t)col, .key = key, .nkey = nkey };
}

uint32_t build_deadline_event(struct builder *b)
{
	struct automata *am = b->am;

	am->deadline_rule = arena_grow(b->arena, am->deadline_rule, am->ndeadlines, sizeof(*am->deadline_rule));
	am->deadline_rule[am->ndeadlines] = b->rule->index;
	return b->set->nevents + am->ndeadlines++;
}

static struct expr *make_expr(struct builder *b, enum expr_op op, uint32_t index)
{
	static const struct type u32_type = { .kind = TYPE_INT, .size = 4 };
	struct expr *e = arena_new(b->arena, struct expr);

	e->op = op;
	e->index = index;
	e->type = &u32_type;
	e->span = b->rule->span;
	return e;
}

/* The same event in a table that only keeps history: of a CPU, of the whole rule, or one the rule declares. */
static void build_context(struct builder *b)
{
	struct rule *rule = b->rule;
	struct expr **cpu_key = arena_array(b->arena, 1, sizeof(*cpu_key));
	uint32_t cpu = 0, all = 0, *tables = arena_array(b->arena, rule->ntables + 1, sizeof(*tables));

	cpu_key[0] = make_expr(b, EXPR_BUILTIN, BUILTIN_CPU);
	if (rule->context_cpu) {
		cpu = build_machine(b, "events by CPU", SLOTS_UNSAID, rule->context_cpu);
		b->am->tiers[cpu] = "cpu";
	}
	if (rule->context_rule) {
		all = build_machine(b, "events of the rule", 1, rule->context_rule);
		b->am->tiers[all] = "rule";
	}
	for (uint32_t t = 0; t < rule->ntables; t++)
		tables[t] = build_machine(b, rule->tables[t].name, rule->tables[t].keys, rule->tables[t].last);
	b->am->rule_tables[rule->index] = tables;
	for (uint32_t i = 0; i < rule->nevents; i++) {
		struct event *e = &rule->events[i];

		for (uint32_t t = 0; t < e->ntables; t++)
			build_recording(b, e, tables[e->tables[t].table - rule->tables], DF_NO_COL, e->tables[t].key,
					e->tables[t].nkey);
		if (rule->context_cpu)
			build_recording(b, e, cpu, DF_NO_COL, cpu_key, 1);
		if (rule->context_rule)
			build_recording(b, e, all, DF_NO_COL, NULL, 0);
	}
}

static void build_rule(struct builder *b)
{
	struct rule *rule = b->rule;
	uint32_t own = build_machine(b, NULL, rule->context_keys, rule->context_last);

	b->nregisters = 0;
	b->am->rule_machine[rule->index] = own;
	for (uint32_t i = 0; i < rule->nevents; i++)
		build_recording(b, &rule->events[i], own, build_column(b, &rule->events[i]), rule->events[i].key,
				rule->events[i].nkey);
	build_match(b, own);
	b->am->machines[own].times = (uint32_t)(rule->match.times ? rule->match.times : 1);
	build_context(b);
}

/* Does a decision of the machine make an event a step, which is pinned? */
static bool has_steps(const struct automata *am, const struct df_machine *m)
{
	for (uint32_t c = 0; m->ncols > 1 && c < (uint32_t)m->nstates * m->ncols; c++) {
		uint32_t d = am->cells[m->first_cell + c];

		for (; d && am->decisions[d - 1].step == 0 && am->decisions[d - 1].more; d++)
			;
		if (d && am->decisions[d - 1].step)
			return true;
	}
	return false;
}

static bool has_pinned_events(const struct automata *am, const struct rule_set *set, uint32_t machine)
{
	for (uint32_t i = 0; i < set->nevents; i++) {
		for (uint32_t r = 0; r < am->plans[i].nrecordings; r++) {
			if (am->plans[i].recordings[r].machine == machine && set->events[i]->keep & KEEP_PIN)
				return true;
		}
	}
	return false;
}

/* Where nothing is ever pinned, no room is kept for it; then where each table's nodes begin. */
static void place_nodes(struct automata *am, const struct rule_set *set)
{
	for (uint32_t i = 0; i < am->nmachines; i++) {
		struct df_machine *m = &am->machines[i];

		if (!has_steps(am, m) && !has_pinned_events(am, set, i))
			m->pins = 0;
		m->first_node = am->nodes;
		am->nodes += m->slots * ((uint32_t)m->last + m->pins);
	}
}

void automata_build(struct arena *a, const struct rule_set *set, struct diags *diags, struct automata *ret)
{
	struct builder b = { .arena = a, .set = set, .diags = diags, .am = ret };
	uint32_t last = set->nrules ? set->rules[set->nrules - 1].index : 0;

	memset(ret, 0, sizeof(*ret));
	ret->plans = arena_array(a, set->nevents + 1, sizeof(*ret->plans));
	ret->rule_tables = arena_array(a, last + 1, sizeof(*ret->rule_tables));
	ret->rule_machine = arena_array(a, last + 1, sizeof(*ret->rule_machine));
	for (uint32_t i = 0; i < set->nparams; i++)
		add_constant(a, ret, set->params[i]->value);
	for (uint32_t i = 0; i < set->nrules; i++) {
		b.rule = &set->rules[i];
		build_rule(&b);
	}
	place_nodes(ret, set);
	if (!ret->nparams)
		add_constant(a, ret, 0);
	if (ret->nparams > 0xfff0 || ret->nmachines > 0xfff0)
		diag_error(diags, TAG_TOO_BIG, set->rules[0].span, "too many rules for one set: load them in several");
}
