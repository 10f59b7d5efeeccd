// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"
#include "rules/layout.h"

#define PAGE 4096ULL
#define ARRAY_HEAD 320		/* struct bpf_array, with its map */
#define HASH_HEAD 1024		/* struct bpf_htab */
#define HASH_ELEM 48		/* struct htab_elem */
#define HASH_BUCKET 16
#define ALLOC_HEAD 8		/* of an object of the BPF allocator: struct llist_node */
#define LIST_NODE 24
#define STATE_HEAD 8		/* lock ... */
#define STATE_LIST 56		/* ... and two lists, a timer, a task */
#define STATE_RING 16		/* ... or a timer */
/* Maps of bpf/runtime.h that do not depend on the set: two rings and their heads, marks, fires; variables, by the page. */
#define FIXED_MAPS ((256 + 16 + 2 * 12 + 16) * 1024 + 20 * 2 * PAGE)
/* Programs by measure: instructions as loaded, as compiled, and what the kernel notes of them. */
#define PROGRAM_ENGINE (80 * 1024ULL)	/* a hook with its engine; a tracing program has one in it, too */
#define PROGRAMS_SMALL (16 * 1024ULL)	/* the guardian, the one that applies commands */
#define TYPES (96 * 1024ULL)		/* BTF of both objects */
#define FUNCTION_MULTI 128ULL
#define FUNCTION_SINGLE 4096ULL

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static uint64_t pages(uint64_t n)
{
	return n < PAGE ? n : round_up(n, PAGE);
}

/* What kmalloc hands out for so many bytes. */
static uint64_t size_class(uint64_t n)
{
	uint64_t c = 16;

	if (n > 64 && n <= 96)
		return 96;
	if (n > 128 && n <= 192)
		return 192;
	while (c < n)
		c *= 2;
	return c;
}

static uint64_t array_map(uint64_t n, uint64_t value)
{
	return pages(ARRAY_HEAD + n * round_up(value, 8));
}

static uint64_t percpu_map(const struct memory_spec *s, uint64_t n, uint64_t value)
{
	return ARRAY_HEAD + n * 8 + n * round_up(value, 8) * s->cpus;
}

static uint64_t hash_head(uint64_t n)
{
	uint64_t buckets = 1;

	while (buckets < n)
		buckets *= 2;
	return HASH_HEAD + pages(buckets * HASH_BUCKET);
}

/* The sets of values: a hash whose elements are allocated when they are needed, and a Bloom filter in front. */
static uint64_t sets_size(const struct memory_spec *s)
{
	return hash_head(s->members) + s->members * (size_class(HASH_ELEM + 16 + 8 + ALLOC_HEAD) + 2);
}

static uint64_t key_size(const struct memory_spec *s)
{
	return 8 + 8ULL * s->key_parts;
}

static uint64_t state_size(const struct memory_spec *s)
{
	return STATE_HEAD + sizeof(struct df_match) + (s->lists ? STATE_LIST : STATE_RING) + key_size(s);
}

static uint64_t node_size(const struct memory_spec *s)
{
	uint64_t size = sizeof(struct df_event) + 8ULL * s->words;

	return s->lists ? size_class(LIST_NODE + size + ALLOC_HEAD) : size;
}

static uint64_t fixed_size(const struct memory_spec *s)
{
	uint64_t scratch = DF_PROGS + DF_NESTED;

	return FIXED_MAPS + percpu_map(s, scratch, sizeof(struct df_rec)) + percpu_map(s, scratch, state_size(s)) +
	       percpu_map(s, s->nevents, sizeof(struct df_stats)) + array_map(s->nstates, sizeof(struct df_reach)) +
	       array_map(s->nrules, sizeof(struct df_rule)) + array_map(s->ntables, sizeof(struct df_clock)) +
	       2 * pages(s->text) +
	       (s->hooks + s->programs) * PROGRAM_ENGINE + PROGRAMS_SMALL + TYPES + s->functions * FUNCTION_MULTI +
	       s->singles * FUNCTION_SINGLE;
}

static uint64_t count_slots(const struct memory_spec *s)
{
	uint64_t slots = 0;

	for (uint32_t i = 0; i < s->ntables; i++)
		slots += s->tables[i].slots;
	return slots;
}

void memory_compute(struct memory_spec *s, struct memory *ret)
{
	uint64_t slots = count_slots(s), clock = array_map(slots, 8 + key_size(s)), histories = 0, floors = 0;
	uint64_t elem = HASH_ELEM + round_up(key_size(s), 8) + round_up(state_size(s), 8);
	struct memory m = { .node = node_size(s), .fixed = fixed_size(s), .sets = s->members ? sets_size(s) : 0 };
	bool at_once = slots <= DF_KEYS_PREALLOC;

	if (!at_once)
		elem = size_class(elem + ALLOC_HEAD);
	m.key = elem + 8 + key_size(s);
	for (uint32_t i = 0; i < s->ntables; i++) {
		struct memory_table *t = &s->tables[i];
		uint64_t floor = (t->last < DF_FLOOR ? t->last : DF_FLOOR) + (t->pins < DF_FLOOR ? t->pins : DF_FLOOR);

		t->keys = t->slots * m.key;
		t->full = t->keys + t->slots * ((uint64_t)t->last + t->pins) * m.node;
		t->least = s->lists ? t->keys + t->slots * floor * m.node : t->full;
		histories += t->full - t->keys;
		floors += t->least - t->keys;
	}
	m.keys = clock + hash_head(DF_KEYS(slots)) + pages((DF_KEYS(slots) + s->cpus) * elem);
	m.full = m.fixed + m.keys + histories;
	m.least = m.fixed + m.keys + floors;
	m.start = m.fixed + (at_once ? m.keys : clock + hash_head(DF_KEYS(slots))) + (s->lists ? 0 : histories);
	*ret = m;
}

bool memory_fits(const struct memory *m, uint64_t budget)
{
	return m->least <= budget;
}

int64_t memory_nodes(const struct memory *m, uint64_t budget)
{
	uint64_t room = (budget < m->full ? budget : m->full) - m->least;

	return (int64_t)(room / m->node);
}

const struct memory_table *memory_largest(const struct memory_spec *s)
{
	const struct memory_table *largest = NULL;

	for (uint32_t i = 0; i < s->ntables; i++) {
		if (!largest || s->tables[i].least > largest->least)
			largest = &s->tables[i];
	}
	return largest;
}

const char *memory_size(char *text, size_t size, uint64_t bytes)
{
	uint64_t kb = (bytes + 1023) / 1024;

	if (kb < 1024)
		snprintf(text, size, "%u KB", (unsigned)kb);
	else if (kb < 1024 * 1024)
		snprintf(text, size, "%.1f MB", (double)kb / 1024);
	else
		snprintf(text, size, "%.1f GB", (double)kb / (1024 * 1024));
	return text;
}

static const char *table_text(struct arena *a, const struct memory_table *t)
{
	return t->name ? arena_printf(a, "rule '%s', %s", t->rule, t->name) : arena_printf(a, "rule '%s'", t->rule);
}

static void tell_table(struct buf *out, const struct memory *m, const struct memory_table *t)
{
	char text[32];

	buf_printf(out, "  %s%s%s: %u keys of %u bytes", t->rule, t->name ? ", " : "", t->name ? t->name : "", t->slots,
		   (unsigned)m->key);
	buf_printf(out, ", each with up to %u + %u pinned events of %u bytes: %s\n", t->last, t->pins, (unsigned)m->node,
		   memory_size(text, sizeof(text), t->full));
}

void memory_tell(struct buf *out, const struct memory_spec *s, const struct memory *m, uint64_t budget)
{
	uint64_t most = m->full < budget ? m->full : budget;
	bool fits = memory_fits(m, budget);
	char text[3][32];

	if (fits)
		buf_printf(out, "memory: %s at once, %s at most", memory_size(text[0], sizeof(text[0]), m->start),
			   memory_size(text[1], sizeof(text[1]), most));
	else
		buf_printf(out, "memory: %s at least", memory_size(text[0], sizeof(text[0]), m->least));
	buf_printf(out, " (budget %s, %u CPUs, history in %s)\n", memory_size(text[2], sizeof(text[2]), budget), s->cpus,
		   s->lists ? "lists" : "arrays");
	for (uint32_t i = 0; i < s->ntables; i++)
		tell_table(out, m, &s->tables[i]);
	buf_printf(out, "  maps and programs: %s\n", memory_size(text[0], sizeof(text[0]), m->fixed));
	if (m->sets)
		buf_printf(out, "  sets of values, beside the budget: up to %s\n", memory_size(text[0], sizeof(text[0]), m->sets));
	if (fits && m->full > budget)
		buf_printf(out, "  all histories whole would take %s: while other keys use the memory, a key keeps less of its events, "
			   "%u at least; --memory allows more\n",
			   memory_size(text[0], sizeof(text[0]), m->full), DF_FLOOR);
}

const char *memory_excess(struct arena *a, const struct memory_spec *s, const struct memory *m, uint64_t budget)
{
	const struct memory_table *t = memory_largest(s);
	uint32_t events = s->lists ? 2 * DF_FLOOR : t->last + t->pins;
	char text[3][32];

	return arena_printf(a, "the set takes at least %s of kernel memory, its budget is %s; most of it is for %s: %s for %u keys of %u "
			    "bytes, each with %u events of %u bytes",
			    memory_size(text[0], sizeof(text[0]), m->least), memory_size(text[1], sizeof(text[1]), budget),
			    table_text(a, t), memory_size(text[2], sizeof(text[2]), t->least), t->slots, (unsigned)m->key, events,
			    (unsigned)m->node);
}

const char *memory_advice(struct arena *a, const struct memory_spec *s, const struct memory *m, uint64_t budget)
{
	const struct memory_table *t = memory_largest(s);
	uint64_t others = m->least - t->least, room = budget > others ? budget - others : 0;
	uint64_t events = (room - (room < t->keys ? room : t->keys)) / m->node / t->slots;
	uint64_t mb = (m->least + (1 << 20) - 1) >> 20, step = 1;
	uint32_t slots = t->slots;
	const char *keys = "", *last = "";

	while (slots > SLOTS_MIN && (t->least / t->slots) * slots > room)
		slots /= 2;
	if ((t->least / t->slots) * slots > room)
		keys = "fewer keys in several tables, or ";
	else
		keys = arena_printf(a, "keys: %u, or ", slots);
	if (!s->lists && events > t->pins)
		last = arena_printf(a, "last: %u, or ", (unsigned)(events - t->pins));
	while (step * 32 < mb)
		step *= 2;
	return arena_printf(a, "%s%s--memory %uM", keys, last, (unsigned)round_up(mb, step));
}

int memory_parse(const char *text, uint64_t *bytes, struct err *err)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	uint64_t n;
	unsigned shift = 0;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit)
		shift = 10 * (unsigned)(unit - units + 1);
	if (end == text || *text == '-' || errno || (*end && (!unit || end[1])) || !n || n > UINT64_MAX >> shift)
		return err_set(err, ERR_INVALID, "--memory %s: give a size, like 64M or 1G", text);
	*bytes = n << shift;
	return 0;
}
