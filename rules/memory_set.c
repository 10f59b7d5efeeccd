// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/memory_set.h"

#include <linux/btf.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/automaton.h"
#include "rules/kbtf.h"
#include "rules/layout.h"

#define TEXT_PER_RULE 2048	/* of the manifest, beside the rule's own text */

static void add_probe(struct memory_spec *s, const struct probe *p, uint32_t *kinds)
{
	uint32_t n = p->nfuncs ? p->nfuncs : 1;

	switch (p->kind) {
	case PROBE_FENTRY:
	case PROBE_FEXIT:
	case PROBE_RAWTP:
		s->programs += n;
		return;
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_SESSION:
		if (s->lists)
			s->functions += n;
		else
			s->singles += n;
		break;
	default:
		break;
	}
	*kinds |= 1u << p->kind;
}

static void add_rule(struct memory_spec *s, const struct rule *r, uint32_t *kinds)
{
	s->text += TEXT_PER_RULE + r->span.len;
	for (uint32_t e = 0; e < r->nevents; e++) {
		for (uint32_t p = 0; p < r->events[e].nprobes; p++)
			add_probe(s, &r->events[e].probes[p], kinds);
	}
}

/* A kernel that has BPF, and not its lists. Of a part of a kernel's types nothing is known: as new ones are. */
static bool has_lists(struct kbtf *k)
{
	struct kbtf_func f;
	const struct btf *btf;

	return kbtf_find_func(k, NULL, "bpf_list_push_back_impl", &f) || !kbtf_find(k, "bpf_map", BTF_KIND_STRUCT, &btf);
}

#define KEYS_DEFAULT 4096U
#define KEYS_SHARED (4 * KEYS_DEFAULT)
#define BUDGET_SHARED (MEMORY_DEFAULT - (4ULL << 20))	/* programs and maps are not known yet */

static uint32_t keys_of(const struct rule *r, uint32_t keys)
{
	return r->context_keys ? r->context_keys : keys;
}

static void add_table(struct memory_spec *s, uint32_t slots, uint32_t last, uint32_t pins)
{
	s->tables[s->ntables++] = (struct memory_table){ .slots = slots, .last = last, .pins = pins };
}

/* A rule's own table, the second one that a match may have (groups take fewer keys), and those that it names. */
static void add_tables(struct memory_spec *s, const struct rule *r, uint32_t keys)
{
	bool second = r->match.group != NULL;

	for (uint32_t i = 0; i < r->nevents; i++)
		second = second || r->events[i].owner;
	add_table(s, keys_of(r, keys), r->context_last, rule_pins(r));
	if (second)
		add_table(s, keys_of(r, keys), r->context_last, 0);
	for (uint32_t i = 0; i < r->ntables; i++)
		add_table(s, r->tables[i].keys, r->tables[i].last, 0);
}

/* What the set takes at least if rules that do not say have so many keys each. */
static uint64_t least_with(const struct rule_set *set, struct memory_spec *s, uint32_t keys)
{
	struct memory m;

	s->ntables = 0;
	for (uint32_t i = 0; i < set->nrules; i++)
		add_tables(s, &set->rules[i], keys);
	memory_compute(s, &m);
	return m.least;
}

void memory_share(struct arena *a, struct rule_set *set, struct kbtf *kbtf, struct diags *diags)
{
	struct memory_spec s = { .cpus = 1, .nevents = set->nevents, .nrules = set->nrules };
	uint32_t n = 0, ntables = 0, keys = KEYS_DEFAULT;

	if (!diags->errors)
		layout_events(set, diags);
	if (!diags->errors)
		s.words = layout_words(set);
	s.lists = has_lists(kbtf);
	for (uint32_t i = 0; i < set->nrules; i++) {
		n += !set->rules[i].context_keys;
		ntables += 2 + set->rules[i].ntables;
		s.key_parts = set->rules[i].nkey > s.key_parts ? set->rules[i].nkey : s.key_parts;
	}
	s.tables = arena_array(a, ntables + 1, sizeof(*s.tables));
	while (keys > SLOTS_UNSAID && keys * n > KEYS_SHARED)
		keys /= 2;
	if (n && least_with(set, &s, SLOTS_UNSAID) <= BUDGET_SHARED) {
		while (keys > SLOTS_UNSAID && least_with(set, &s, keys) > BUDGET_SHARED)
			keys /= 2;
	}
	for (uint32_t i = 0; i < set->nrules; i++)
		set->rules[i].context_keys = keys_of(&set->rules[i], keys);
}

/* Where the rule says how large this table is. */
static struct span span_of(const struct rule_set *set, const struct automata *am, uint32_t machine)
{
	const struct rule *r = &set->rules[am->machines[machine].rule];

	for (uint32_t i = 0; i < r->ntables && am->names[machine]; i++) {
		if (!strcmp(r->tables[i].name, am->names[machine]))
			return r->tables[i].span;
	}
	return r->context_span.src ? r->context_span : r->span;
}

int memory_of_set(struct arena *a, struct rule_set *set, struct kbtf *kbtf, uint64_t budget, struct diags *diags,
		  struct memory_spec *s, struct memory *ret)
{
	struct arena *scratch = arena_scratch(a);
	struct set_layout layout;
	struct automata am = { 0 };
	uint32_t kinds = 0;

	automata_build(scratch, set, diags, &am);
	if (diags->errors) {
		arena_reset(scratch);
		return -1;
	}
	layout_set(set, &am, &layout);
	s->lists = has_lists(kbtf);
	s->key_parts = layout.key_parts;
	s->words = layout.words;
	s->nevents = set->nevents + am.ndeadlines;
	s->nstates = am.states;
	s->nrules = set->nrules;
	for (uint32_t i = 0; i < set->nsets; i++)
		s->members += set->sets[i]->max;
	for (uint32_t i = 0; i < set->nrules; i++)
		add_rule(s, &set->rules[i], &kinds);
	s->hooks = (uint32_t)__builtin_popcount(kinds);
	s->tables = arena_array(a, am.nmachines, sizeof(*s->tables));
	s->ntables = am.nmachines;
	for (uint32_t i = 0; i < am.nmachines; i++)
		s->tables[i] = (struct memory_table){ .rule = set->rules[am.machines[i].rule].name, .name = am.names[i],
						      .slots = am.machines[i].slots, .last = am.machines[i].last,
						      .pins = am.machines[i].pins };
	memory_compute(s, ret);
	if (!memory_fits(ret, budget)) {
		struct diag *d = diag_error(diags, TAG_MEMORY, span_of(set, &am, (uint32_t)(memory_largest(s) - s->tables)), "%s",
					    memory_excess(a, s, ret, budget));

		diag_hint(diags, d, "%s", memory_advice(a, s, ret, budget));
	}
	arena_reset(scratch);
	return 0;
}

json_t *memory_json(struct arena *a, const struct memory_spec *s, const struct memory *m, uint64_t budget)
{
	json_t *tables = json_array(), *j;
	struct buf text = BUF_INIT;

	for (uint32_t i = 0; i < s->ntables; i++) {
		const struct memory_table *t = &s->tables[i];

		json_array_append_new(tables, json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I, s:I}", "rule", t->rule, "table", t->name,
							"keys", (json_int_t)t->slots, "last", (json_int_t)t->last, "pins",
							(json_int_t)t->pins, "least", (json_int_t)t->least, "full",
							(json_int_t)t->full));
	}
	memory_tell(&text, s, m, budget);
	j = json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}}", "severity", "note", "tag", "memory",
		      "message", arena_strndup(a, buf_str(&text), strcspn(buf_str(&text), "\n")), "memory", "budget",
		      (json_int_t)budget, "start", (json_int_t)m->start, "least", (json_int_t)m->least, "full", (json_int_t)m->full,
		      "fixed", (json_int_t)m->fixed, "sets", (json_int_t)m->sets, "key", (json_int_t)m->key, "node", (json_int_t)m->node, "cpus",
		      (json_int_t)s->cpus, "lists", s->lists, "tables", tables);
	buf_deinit(&text);
	return j;
}
