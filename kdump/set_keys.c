// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * set_keys.c - live keys of a set, and the events of one key: from BPF lists, or from array rings (bpf/layout.h).
 */
#include "kdump/bpflist.h"
#include "kdump/set_read.h"
#include "lib/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "bpf/layout.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define LIVE_MAX (1u << 20)
#define HISTORY_MAX 8192	/* nodes looked at in one list or ring */
#define VERDICTS_TOLD 8	/* so many, the last ones, have their messages filled in */

static const struct want live_wants[] = {
	WANT(struct set_live, first_ns, "first_ns"),
	WANT(struct set_live, last_ns, "last_ns"),
	WANT(struct set_live, gen, "gen"),
	WANT(struct set_live, born, "born"),
	WANT(struct set_live, state, "state"),
	WANT(struct set_live, nring, "nring"),
	WANT(struct set_live, npinned, "npinned"),
	WANT(struct set_live, dead, "dead"),
	WANT(struct set_live, first_node, "first_node"),
	WANT(struct set_live, created_seq, "created_seq"),
	WANT(struct set_live, deadline_ns, "deadline_ns"),
	WANT(struct set_live, count, "count"),
	WANT(struct set_live, alive, "alive"),
	WANT(struct set_live, matches, "matches"),
	WANT(struct set_live, pid, "pid"),
	WANT(struct set_live, tid, "tid"),
};

static const struct want event_wants[] = {
	WANT(struct set_event, seq, "seq"),
	WANT(struct set_event, ns, "ns"),
	WANT(struct set_event, ip, "ip"),
	WANT(struct set_event, pid, "pid"),
	WANT(struct set_event, tid, "tid"),
	WANT(struct set_event, event, "event"),
	WANT(struct set_event, gen, "gen"),
	WANT(struct set_event, flags, "flags"),
	WANT(struct set_event, cpu, "cpu"),
	WANT(struct set_event, nwords, "nwords"),
	WANT(struct set_event, nframes, "nframes"),
	WANT(struct set_event, stack_word, "stack_word"),
};

bool set_key_equal(const struct set_key *x, const struct set_key *y)
{
	return x->table == y->table && !memcmp(x->part, y->part, sizeof(x->part));
}

int key_layout_resolve(struct key_layout *l, const struct ktypes *t, const char *type, const char *prefix,
		       struct err *err)
{
	char path[2][64];

	snprintf(path[0], sizeof(path[0]), "%stable", prefix);
	snprintf(path[1], sizeof(path[1]), "%spart", prefix);
	if (ktypes_member(t, type, path[0], &l->table, err) || ktypes_member(t, type, path[1], &l->part, err))
		return -1;
	return 0;
}

void key_decode(const struct key_layout *l, const uint8_t *bytes, size_t len, struct set_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->table = bytes_number(bytes, len, l->table.offset, l->table.size);
	for (uint32_t i = 0; i < COUNT(ret->part) && i < l->part.size / 8; i++)
		ret->part[i] = bytes_number(bytes, len, l->part.offset + 8 * i, 8);
}

void comm_decode(const struct kmember *m, const uint8_t *bytes, size_t len, char *comm, size_t size)
{
	memset(comm, 0, size);
	for (uint32_t i = 0; i + 1 < size && i < m->size; i++)
		comm[i] = (char)bytes_number(bytes, len, m->offset + i, 1);
}

/* The walk over df_keys or df_keys_ring. */
struct live_walk {
	struct set_reader *r;
	struct df_set *s;
	const struct bpfmap *map;
	struct layout match;
	struct kmember comm;
	struct key_layout key;
	uint32_t want;
};

static int on_live(void *arg, const uint8_t *key, const uint8_t *value, uint64_t addr)
{
	struct live_walk *w = arg;
	struct df_set *s = w->s;
	struct set_live live = { .value = addr };

	if (s->nlive == LIVE_MAX)
		return 1;
	layout_decode(&w->match, value, w->want, &live);
	comm_decode(&w->comm, value, w->want, live.comm, sizeof(live.comm));
	key_decode(&w->key, key, w->map->key_size, &live.key);
	s->live = arena_grow(w->r->arena, s->live, s->nlive, sizeof(*s->live));
	s->live[s->nlive++] = live;
	return 0;
}

/* The key's struct is df_mkey in the maps; its members stand in the map's own entry type too. */
static int live_layout(struct live_walk *w, const struct ktypes *t, const char *state, struct err *err)
{
	struct kmember key;

	if (layout_resolve(&w->match, t, state, "m.", live_wants, COUNT(live_wants), err) ||
	    ktypes_member(t, state, "m.comm", &w->comm, err) ||
	    key_layout_resolve(&w->key, t, state, "key.", err) || ktypes_member(t, state, "key", &key, err))
		return -1;
	w->key.table.offset -= key.offset;
	w->key.part.offset -= key.offset;
	w->want = layout_end(&w->match);
	if (w->want < w->comm.offset + w->comm.size)
		w->want = w->comm.offset + w->comm.size;
	return 0;
}

static void read_live(struct set_reader *r, struct df_set *s, const struct bpfmap *map, const char *state)
{
	struct live_walk w = { .r = r, .s = s, .map = map };
	const struct ktypes *types;
	struct err err;

	types = set_types(r, map, &err);
	if (!types || live_layout(&w, types, state, &err) ||
	    bpfmap_hash_each(r->k, map, w.want, on_live, &w, &err) < 0)
		gaps_add(r->gaps, &err, "live keys");
}

/* Reading the events of one key. */
struct event_walk {
	struct set_reader *r;
	struct df_set *s;
	struct layout event;
	struct kmember comm, words;
	const struct set_live *live;	/* whose events */
	bool pinned, selected;
	uint64_t min_seq;
	struct err err;		/* the last damage */
	size_t damaged;
};

static int event_layout(struct event_walk *w, const struct ktypes *t, const char *node, struct err *err)
{
	if (layout_resolve(&w->event, t, node, "e.", event_wants, COUNT(event_wants), err) ||
	    ktypes_member(t, node, "e.comm", &w->comm, err) || ktypes_member(t, node, "w", &w->words, err))
		return -1;
	if (w->event.size > 65536)
		return err_set(err, ERR_CORRUPT, "nodes of %u bytes", w->event.size);
	return 0;
}

/* Does the record contradict itself or its set? */
static bool sane(const struct event_walk *w, const struct set_event *e)
{
	return e->seq && e->nwords <= w->words.size / 8 && e->stack_word + e->nframes <= e->nwords &&
	       e->seq <= w->s->ctl.seq && (!w->s->mf || e->event < w->s->mf->nevents);
}

static void add_event(struct event_walk *w, const uint8_t *node)
{
	struct set_event e = { .pinned = w->pinned, .selected = w->selected, .key = w->live->key };
	struct df_set *s = w->s;

	layout_decode(&w->event, node, w->event.size, &e);
	if (e.seq < w->min_seq || !e.seq)
		return;		/* a slot's previous key, or being written */
	if (!sane(w, &e)) {
		err_set(&w->err, ERR_CORRUPT, "an event contradicts itself (number %llu, %llu words)",
			(unsigned long long)e.seq, (unsigned long long)e.nwords);
		w->damaged++;
		return;
	}
	comm_decode(&w->comm, node, w->event.size, e.comm, sizeof(e.comm));
	e.w = arena_array(w->r->arena, e.nwords + 1, sizeof(*e.w));
	for (size_t i = 0; i < e.nwords; i++)
		e.w[i] = bytes_number(node, w->event.size, w->words.offset + 8 * i, 8);
	s->history = arena_grow(w->r->arena, s->history, s->nhistory, sizeof(*s->history));
	s->history[s->nhistory++] = e;
}

/* A node without the words that may come from user space (manifest.h); without a manifest, without all words. */
static void scrub_node(void *arg, uint8_t *node, size_t len)
{
	const struct event_walk *w = arg;
	const struct manifest *mf = w->s->mf;
	struct set_event e = { 0 };
	uint8_t *words = node + w->words.offset;

	if (len < w->words.offset + (size_t)w->words.size)
		return;
	layout_decode(&w->event, node, w->event.size, &e);
	if (!mf || e.event >= mf->nevents)
		memset(words, 0, w->words.size);
	else
		mf_event_scrub(&mf->events[e.event], words, w->words.size / 8);
}

static void on_node(void *arg, uint64_t entry)
{
	struct event_walk *w = arg;
	const struct kernel_scrub scrub = { scrub_node, w };
	_cleanup_free_ uint8_t *node = malloc(w->event.size + 1);

	if (!node)
		err_nomem(&w->err);
	if (node && !kernel_read_private(w->r->k, entry, node, w->event.size, &scrub, &w->err))
		add_event(w, node);
	else
		w->damaged++;
}

static void history_gap(struct event_walk *w, const struct err *err)
{
	const char *which = w->r->select->which == SELECT_VERDICT ? "the key" : "a key";

	gaps_add(w->r->gaps, err, "%s events of %s", w->pinned ? "pinned" : "recent", which);
	w->s->history_whole = w->s->history_whole && !w->selected;
}

/* Both lists of an entry. */
static void read_lists(struct event_walk *w, const struct ktypes *types)
{
	static const char *const lists[] = { "ring", "pinned" };
	struct kmember head, node;
	struct err err;

	for (size_t i = 0; i < COUNT(lists); i++) {
		w->pinned = i == 1;
		if (ktypes_member(types, "df_node", "node", &node, &err) ||
		    ktypes_member(types, "df_state", lists[i], &head, &err) ||
		    bpflist_each(w->r->k, w->live->value + head.offset, node.offset, HISTORY_MAX, on_node, w, &err))
			history_gap(w, &err);
	}
}

/* The nodes of a slot in df_ring: `last` of the ring, then `pins` pinned ones. */
static void read_ring(struct event_walk *w, const struct bpfmap *ring)
{
	const struct mf_machine *m = set_machine(w->s, &w->live->key);
	struct err err;
	uint64_t at;

	if (!m) {
		err_set(&err, ERR_CORRUPT, "the set has no table %llu", (unsigned long long)w->live->key.table);
		history_gap(w, &err);
		return;
	}
	w->min_seq = w->live->created_seq;
	for (uint32_t i = 0; i < m->last + m->pins && i < HISTORY_MAX; i++) {
		w->pinned = i >= m->last;
		if (bpfmap_array_at(w->r->k, ring, (uint32_t)w->live->first_node + i, &at, &err)) {
			history_gap(w, &err);
			return;
		}
		on_node(w, at);
	}
}

static int by_seq(const void *x, const void *y)
{
	const struct set_event *a = x, *b = y;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	/* the rule's own table, whose key is the event's, comes first */
	return a->key.table < b->key.table ? -1 : a->key.table > b->key.table;
}

/* Order by sequence number; an event that stands in several lists is one. */
static void sort_history(struct df_set *s)
{
	size_t n = 0;

	if (!s->nhistory)
		return;
	qsort(s->history, s->nhistory, sizeof(*s->history), by_seq);
	for (size_t i = 1; i < s->nhistory; i++) {
		if (s->history[i].seq == s->history[n].seq) {
			s->history[n].pinned |= s->history[i].pinned;
			s->history[n].selected |= s->history[i].selected;
			/* births are told to the rule's own table only */
			if (s->history[i].gen > s->history[n].gen)
				s->history[n].gen = s->history[i].gen;
		} else {
			s->history[++n] = s->history[i];
		}
	}
	s->nhistory = n + 1;
}

/*
 * Does the key belong to the verdict? A verdict on an owner or group has a table of its own, with longer keys; what else
 * happened to its object is in the rule's own table, the first of its tables. Histories of the rule and of the CPU, which
 * a rule asks for, belong to it too.
 */
static bool of_verdict(const struct df_set *s, const struct set_key *key)
{
	const struct mf_machine *verdict = set_machine(s, &s->verdict->key), *its = set_machine(s, key), *own;
	const struct mf_rule *rule = set_rule_of_key(s, &s->verdict->key);

	if (set_key_equal(key, &s->verdict->key))
		return true;
	if (!verdict || !its || !rule || rule->nkey > COUNT(key->part) || its->rule != verdict->rule)
		return false;
	if (its->tier)
		return !strcmp(its->tier, "rule") || key->part[0] == s->verdict->cpu;
	for (own = s->mf->machines; own->rule != verdict->rule; own++)
		;
	return its == own && !memcmp(key->part, s->verdict->key.part, rule->nkey * sizeof(*key->part));
}

/* Does the selection want this key's events? */
static bool selected(const struct set_reader *r, const struct df_set *s, const struct set_live *live)
{
	const struct set_select *sel = r->select;

	if (live->dead)
		return false;
	if (sel->which == SELECT_VERDICT)
		return s->verdict && of_verdict(s, &live->key);
	return sel->which == SELECT_ALL || !memcmp(live->key.part, sel->part, sel->nparts * sizeof(*sel->part));
}

/* Does the message of one of the last verdicts speak of this key's events? */
static bool needed(const struct df_set *s, const struct set_live *live)
{
	size_t first = s->nfires > VERDICTS_TOLD ? s->nfires - VERDICTS_TOLD : 0;

	if (live->dead)
		return false;
	for (size_t i = first; i < s->nfires; i++)
		if (set_key_equal(&s->fires[i].key, &live->key))
			return true;
	return s->verdict && of_verdict(s, &live->key);
}

/* The events of all selected keys, and of those in verdicts, from the maps' lists or from df_ring. */
static void read_histories(struct set_reader *r, struct df_set *s, const struct bpfmap *nodes, bool lists)
{
	struct event_walk w = { .r = r, .s = s };
	const struct ktypes *types;
	struct err err;
	size_t found = 0;

	types = set_types(r, nodes, &err);
	if (!types || event_layout(&w, types, lists ? "df_node" : "df_ring_node", &err)) {
		history_gap(&w, &err);
		return;
	}
	for (size_t i = 0; i < s->nlive; i++) {
		w.live = &s->live[i];
		w.selected = selected(r, s, w.live);
		if (!w.selected && !needed(s, w.live))
			continue;
		found += w.selected;
		if (lists)
			read_lists(&w, types);
		else
			read_ring(&w, nodes);
	}
	if (w.damaged) {
		gaps_add(r->gaps, &w.err, "%zu events", w.damaged);
		s->history_whole = false;
	}
	if (!found && r->select->which == SELECT_VERDICT) {
		err_set(&err, ERR_ABSENT, "the key of the verdict is not among the live keys");
		gaps_add(r->gaps, &err, "history of the key");
		s->history_whole = false;
	}
	sort_history(s);
}

void set_read_keys(struct set_reader *r, struct df_set *s)
{
	const struct bpfmap *list = set_map(s, "df_keys"), *ring = set_map(s, "df_keys_ring");
	const struct bpfmap *keys = list ? list : ring, *nodes = list ? list : set_map(s, "df_ring");
	struct err err;

	if (!keys || !nodes) {
		err_set(&err, ERR_ABSENT, "the set has neither df_keys nor df_keys_ring and df_ring");
		gaps_add(r->gaps, &err, "live keys");
		return;
	}
	read_live(r, s, keys, keys == list ? "df_state" : "df_state_ring");
	s->history_whole = true;
	if (s->verdict || r->select->which != SELECT_VERDICT)
		read_histories(r, s, nodes, nodes == list);
}
