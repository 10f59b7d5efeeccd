// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * set.c - find the rule sets in a dead kernel: df_index maps, and what they list.
 */
#include "kdump/set_read.h"

#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "bpf/layout.h"

#include <bpf/btf.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MANIFEST_MAX (4u << 20)

static const struct want ctl_wants[] = {
	WANT(struct set_ctl, version, "version"),
	WANT(struct set_ctl, armed, "armed"),
	WANT(struct set_ctl, frozen, "frozen"),
	WANT(struct set_ctl, fires, "fires"),
	WANT(struct set_ctl, seq, "seq"),
	WANT(struct set_ctl, started_ns, "started_ns"),
	WANT(struct set_ctl, wall_offset_ns, "wall_offset_ns"),
	WANT(struct set_ctl, crash_returned, "crash_returned"),
	WANT(struct set_ctl, fired, "fired"),
	WANT(struct set_ctl, marks, "marks"),
	WANT(struct set_ctl, braked, "braked"),
	WANT(struct set_ctl, missed, "missed"),
	WANT_OPTIONAL(struct set_ctl, notes_lost, "notes_lost"),
};

static const struct want fire_wants[] = {
	WANT(struct set_fire, valid, "valid"),
	WANT(struct set_fire, rule, "rule"),
	WANT(struct set_fire, event, "event"),
	WANT(struct set_fire, act, "act"),
	WANT(struct set_fire, ns, "ns"),
	WANT(struct set_fire, seq, "seq"),
	WANT(struct set_fire, pid, "pid"),
	WANT(struct set_fire, tid, "tid"),
	WANT(struct set_fire, cpu, "cpu"),
	WANT(struct set_fire, gen, "gen"),
	WANT(struct set_fire, nsteps, "nsteps"),
	WANT(struct set_fire, losses, "losses"),
};

const struct bpfmap *set_map(const struct df_set *s, const char *name)
{
	for (size_t i = 0; i < s->nmaps; i++)
		if (!strcmp(s->maps[i].name, name))
			return &s->maps[i];
	return NULL;
}

const struct mf_machine *set_machine(const struct df_set *s, const struct set_key *key)
{
	return s->mf && key->table && key->table <= s->mf->nmachines ? &s->mf->machines[key->table - 1] : NULL;
}

const struct mf_rule *set_rule_of_key(const struct df_set *s, const struct set_key *key)
{
	const struct mf_machine *m = set_machine(s, key);

	return m && m->rule < s->mf->nrules ? &s->mf->rules[m->rule] : NULL;
}

/* The same, noting the gap when it is missing. */
static const struct bpfmap *need_map(struct set_reader *r, const struct df_set *s, const char *name)
{
	const struct bpfmap *m = set_map(s, name);
	struct err err;

	if (!m) {
		err_set(&err, ERR_ABSENT, "the set has no map of that name");
		gaps_add(r->gaps, &err, "map %s", name);
	}
	return m;
}

const struct ktypes *set_types(struct set_reader *r, const struct bpfmap *m, struct err *err)
{
	struct ktypes *t;

	for (size_t i = 0; i < r->ncached; i++)
		if (r->cache[i].btf == m->btf)
			return r->cache[i].types;
	t = bpfmap_types(r->k, m, err);
	if (!t)
		return NULL;
	if (r->ncached == SET_TYPES_MAX) {
		ktypes_destroy(r->cache[0].types);
		memmove(r->cache, r->cache + 1, sizeof(r->cache) - sizeof(*r->cache));
		r->ncached--;
	}
	r->cache[r->ncached].btf = m->btf;
	r->cache[r->ncached++].types = t;
	return t;
}

uint8_t *set_read_element(struct set_reader *r, const struct bpfmap *m, uint32_t index, struct err *err)
{
	uint64_t at;

	if (bpfmap_array_at(r->k, m, index, &at, err))
		return NULL;
	return kernel_read_new(r->k, at, m->value_size, err);
}

static bool read_manifest(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = need_map(r, s, ".rodata.df_mani");
	struct err err;
	uint8_t *text;

	if (!m)
		return false;
	text = set_read_element(r, m, 0, &err);
	if (!text || manifest_parse(r->arena, (char *)text, m->value_size, &s->mf, &err))
		gaps_add(r->gaps, &err, "manifest");
	else if (*s->mf->set)
		s->name = s->mf->set;
	free(text);
	return s->mf != NULL;
}

static int decode_ctl(struct set_reader *r, const struct bpfmap *m, struct set_ctl *ret, struct err *err)
{
	const struct ktypes *types = set_types(r, m, err);
	struct kmember var = { 0 };
	struct layout l;
	uint8_t *bytes;

	if (!types || layout_resolve(&l, types, "df_ctl", "", ctl_wants, COUNT(ctl_wants), err))
		return -1;
	ktypes_member_of(types, m->value_type, "df_ctl", &var, NULL);
	bytes = set_read_element(r, m, 0, err);
	if (!bytes)
		return -1;
	if (var.offset <= m->value_size)
		layout_decode(&l, bytes + var.offset, m->value_size - var.offset, ret);
	free(bytes);
	return 0;
}

static bool read_ctl(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = need_map(r, s, ".data.df_ctl");
	struct err err;

	if (m && !decode_ctl(r, m, &s->ctl, &err))
		return true;
	if (m)
		gaps_add(r->gaps, &err, "control block");
	return false;
}

/* Layout of struct df_fire. */
struct fire_layout {
	struct layout numbers;
	struct kmember step, comm;
	struct key_layout key;
};

static int fire_layout_resolve(struct fire_layout *l, const struct ktypes *t, struct err *err)
{
	if (layout_resolve(&l->numbers, t, "df_fire", "", fire_wants, COUNT(fire_wants), err) ||
	    ktypes_member(t, "df_fire", "step", &l->step, err) ||
	    ktypes_member(t, "df_fire", "comm", &l->comm, err))
		return -1;
	return key_layout_resolve(&l->key, t, "df_fire", "key.", err);
}

static void fire_decode(const struct fire_layout *l, const uint8_t *bytes, size_t len, struct set_fire *f)
{
	layout_decode(&l->numbers, bytes, len, f);
	key_decode(&l->key, bytes, len, &f->key);
	for (uint32_t i = 0; i < DF_STEPS && i < l->step.size / 8; i++)
		f->step[i] = bytes_number(bytes, len, l->step.offset + 8 * i, 8);
	comm_decode(&l->comm, bytes, len, f->comm, sizeof(f->comm));
}

static int fire_order(const void *a, const void *b)
{
	const struct set_fire *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static int decode_fires(struct set_reader *r, const struct bpfmap *m, struct df_set *s, struct err *err)
{
	const struct ktypes *types = set_types(r, m, err);
	struct fire_layout l;
	struct set_fire f;
	uint8_t *bytes;

	if (!types || fire_layout_resolve(&l, types, err))
		return -1;
	for (uint32_t i = 0; i < m->max_entries && i < DF_FIRES + (s->mf ? s->mf->nrules : 0); i++) {
		bytes = set_read_element(r, m, i, err);
		if (!bytes)
			return -1;
		f = (struct set_fire){ .index = i };
		fire_decode(&l, bytes, m->value_size, &f);
		free(bytes);
		if (!f.valid)
			continue;
		s->fires = arena_grow(r->arena, s->fires, s->nfires, sizeof(*s->fires));
		s->fires[s->nfires++] = f;
	}
	if (s->nfires)
		qsort(s->fires, s->nfires, sizeof(*s->fires), fire_order);
	return 0;
}

static const struct set_fire *last_verdict_of(const struct df_set *s, const char *rule)
{
	for (size_t i = s->nfires; i-- > 0;)
		if (s->mf && s->fires[i].rule < s->mf->nrules && !strcmp(s->mf->rules[s->fires[i].rule].name, rule))
			return &s->fires[i];
	return NULL;
}

/* The verdict that counts: the one that crashed the machine, else the first panic, else the last that was logged. */
static const struct set_fire *choose_verdict(const struct df_set *s, const char *rule)
{
	if (rule)
		return last_verdict_of(s, rule);
	for (size_t i = 0; i < s->nfires; i++)
		if (s->ctl.fired == s->fires[i].index + 1)
			return &s->fires[i];
	for (size_t i = 0; i < s->nfires; i++)
		if (s->fires[i].act == DF_ACT_PANIC)
			return &s->fires[i];
	return s->nfires ? &s->fires[s->nfires - 1] : NULL;
}

static bool read_fires(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = need_map(r, s, "df_fires");
	bool whole = m != NULL;
	struct err err;

	if (m && decode_fires(r, m, s, &err)) {
		gaps_add(r->gaps, &err, "verdicts");
		whole = false;
	}
	s->verdict = choose_verdict(s, r->select->rule);
	return whole;
}

static const struct want rule_wants[] = { WANT(struct mf_rule, act, "act") };

/* What each rule may do: no more than the set, less if it has no panic or has used up its own. */
static void read_rules(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = set_map(s, "df_rules");
	const struct ktypes *types;
	struct layout l;
	struct err err;
	uint8_t *bytes;

	for (size_t i = 0; s->mf && i < s->mf->nrules; i++)
		s->mf->rules[i].act = s->ctl.armed;
	if (!m || !s->mf)
		return;
	types = set_types(r, m, &err);
	if (!types || layout_resolve(&l, types, "df_rule", "", rule_wants, COUNT(rule_wants), &err)) {
		gaps_add(r->gaps, &err, "what the rules may do");
		return;
	}
	for (size_t i = 0; i < s->mf->nrules && i < m->max_entries; i++) {
		bytes = set_read_element(r, m, (uint32_t)i, &err);
		if (bytes)
			layout_decode(&l, bytes, m->value_size, &s->mf->rules[i]);
		else
			gaps_add(r->gaps, &err, "what rule %s may do", s->mf->rules[i].name);
		free(bytes);
		if (s->mf->rules[i].act > s->ctl.armed)
			s->mf->rules[i].act = s->ctl.armed;
	}
}

/* Names and places of the counters: every number in struct df_stats, so that a newer runtime's are shown too. */
static int stats_members(struct set_reader *r, const struct ktypes *types, struct df_set *s, struct kmember **ret,
			 const char ***names, struct err *err)
{
	const struct btf *btf = ktypes_btf(types);
	int id = btf__find_by_name_kind(btf, "df_stats", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	const char *name;

	if (!t)
		return err_set(err, ERR_ABSENT, "the type information has no struct df_stats");
	*ret = arena_array(r->arena, btf_vlen(t) + 1, sizeof(**ret));
	*names = arena_array(r->arena, btf_vlen(t) + 1, sizeof(**names));
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		name = btf__name_by_offset(btf, btf_members(t)[i].name_off);
		if (!name || !*name || ktypes_member(types, "df_stats", name, &(*ret)[s->ncounters], NULL))
			continue;
		(*names)[s->ncounters++] = arena_strdup(r->arena, name);
	}
	return 0;
}

/* Add one CPU's counters of one event. */
static int add_cpu(struct set_reader *r, const struct bpfmap *m, uint32_t event, unsigned int cpu,
		   const struct kmember *members, struct set_counter *row, size_t n, struct err *err)
{
	uint8_t *bytes;
	uint64_t at;

	if (bpfmap_percpu_at(r->k, m, event, cpu, &at, err))
		return -1;
	bytes = kernel_read_new(r->k, at, m->value_size, err);
	if (!bytes)
		return -1;
	for (size_t i = 0; i < n; i++)
		row[i].count += bytes_number(bytes, m->value_size, members[i].offset, members[i].size);
	free(bytes);
	return 0;
}

static void read_stats(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *m = need_map(r, s, "df_stats");
	const struct ktypes *types;
	struct kmember *members = NULL;
	const char **names = NULL;
	struct kcpus cpus;
	struct err err;

	if (!m || !s->mf)
		return;
	types = set_types(r, m, &err);
	if (!types || stats_members(r, types, s, &members, &names, &err) || kernel_cpus(r->k, &cpus, &err)) {
		gaps_add(r->gaps, &err, "counters");
		return;
	}
	s->counters = arena_array(r->arena, s->mf->nevents + 1, sizeof(*s->counters));
	for (size_t e = 0; e < s->mf->nevents; e++) {
		s->counters[e] = arena_array(r->arena, s->ncounters + 1, sizeof(**s->counters));
		for (size_t i = 0; i < s->ncounters; i++)
			s->counters[e][i].name = names[i];
		for (unsigned int cpu = 0; cpu < cpus.n; cpu++)
			if (kcpu_possible(&cpus, cpu) &&
			    add_cpu(r, m, (uint32_t)e, cpu, members, s->counters[e], s->ncounters, &err))
				gaps_add(r->gaps, &err, "counters of event %s on CPU %u", s->mf->events[e].name, cpu);
	}
}

/* The maps whose ids df_index lists. */
static int read_index(struct set_reader *r, const struct bpfmap *index, const struct bpfmap *all, size_t count,
		      struct df_set *s, struct err *err)
{
	uint32_t words[DF_INDEX_SIZE];
	uint64_t at;

	for (uint32_t i = 0; i < DF_INDEX_SIZE; i++)
		if (bpfmap_array_at(r->k, index, i, &at, err) || kernel_u32(r->k, at, &words[i], err))
			return -1;
	if (words[0] != DF_INDEX_MAGIC || words[1] > DF_INDEX_SIZE - 2)
		return err_set(err, ERR_CORRUPT, "map df_index (id %u) is not an index of a set", index->id);
	s->id = index->id;
	s->maps = arena_array(r->arena, words[1] + 1, sizeof(*s->maps));
	for (uint32_t i = 0; i < words[1]; i++)
		for (size_t j = 0; j < count; j++)
			if (all[j].id == words[2 + i])
				s->maps[s->nmaps++] = all[j];
	return 0;
}

/* False: what its verdicts are is not known, not all of it. */
static bool read_set(struct set_reader *r, struct df_set *s)
{
	bool known;

	s->name = arena_printf(r->arena, "set %u", s->id);
	known = read_ctl(r, s);
	known &= read_manifest(r, s);
	read_rules(r, s);
	known &= read_fires(r, s);
	set_read_marks(r, s);
	set_read_reach(r, s);
	set_read_keys(r, s);
	read_stats(r, s);
	return known;
}

int sets_read(struct kernel *k, struct arena *a, const struct set_select *select, struct gaps *gaps,
	      struct df_sets *ret)
{
	struct set_reader r = { .k = k, .arena = a, .gaps = gaps, .select = select };
	struct bpfmap *maps = NULL;
	size_t count = 0, skipped = 0;
	struct err err;

	*ret = (struct df_sets){ 0 };
	if (bpfmaps_list(k, a, &maps, &count, &skipped, &err)) {
		gaps_add(gaps, &err, "BPF maps");
		return -1;
	}
	ret->known = !skipped;
	if (skipped) {
		err_set(&err, ERR_ABSENT, "%zu entries of the list of maps cannot be read", skipped);
		gaps_add(gaps, &err, "BPF maps");
	}
	for (size_t i = 0; i < count; i++) {
		struct df_set s = { 0 };

		if (strcmp(maps[i].name, "df_index"))
			continue;
		if (read_index(&r, &maps[i], maps, count, &s, &err)) {
			gaps_add(gaps, &err, "the set of map %u", maps[i].id);
			ret->known = false;
			continue;
		}
		ret->sets = arena_grow(a, ret->sets, ret->count, sizeof(*ret->sets));
		ret->sets[ret->count++] = s;
	}
	/* Small and decisive things of all sets first: a recording that is cut short keeps them. */
	for (size_t i = 0; i < ret->count; i++)
		ret->known &= read_set(&r, &ret->sets[i]);
	for (size_t i = 0; i < r.ncached; i++)
		ktypes_destroy(r.cache[i].types);
	return 0;
}
