// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read_event.c - one event: probes, condition, key, what it records.
 */
#include "rules/read.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/probe.h"

#define DELAY_MAX 10000000ull	/* 10 ms: longer is a soft lockup, not a race */

static void read_probes(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'probe'", &items);
	struct probe probe;

	for (uint32_t i = 0; i < count; i++) {
		if (!probe_parse(r, items[i], &probe))
			continue;
		ev->probes = arena_grow(r->arena, ev->probes, ev->nprobes, sizeof(probe));
		ev->probes[ev->nprobes++] = probe;
	}
}

uint32_t read_key_parts(struct reader *r, const struct node *n, struct expr ***key)
{
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'key'", &items), nkey = 0;
	struct expr *e;

	if (count > KEY_PARTS_MAX) {
		diag_error(r->diags, TAG_LIMIT, n->span, "a key of more than %d parts", KEY_PARTS_MAX);
		return 0;
	}
	*key = arena_array(r->arena, count, sizeof(struct expr *));
	for (uint32_t i = 0; i < count; i++) {
		e = read_expr(r, items[i], "a part of 'key'");
		if (e)
			(*key)[nkey++] = e;
	}
	return nkey;
}

static void read_event_key(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;

	ev->nkey = read_key_parts(r, n, &ev->key);
}

static void read_fields(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;
	struct expr *e;

	if (!read_map(r, n, "'fields'"))
		return;
	if (n->n > FIELDS_MAX) {
		diag_error(r->diags, TAG_LIMIT, n->span, "more than %d fields", FIELDS_MAX);
		return;
	}
	ev->fields = arena_array(r->arena, n->n, sizeof(*ev->fields));
	for (uint32_t i = 0; i < n->n; i++) {
		struct field *f = &ev->fields[ev->nfields];

		f->span = n->keys[i]->span;
		e = read_expr(r, n->items[i], arena_printf(r->temp, "field '%s'", n->keys[i]->text));
		f->expr = e;
		if (read_name(r, n->keys[i], "a field", &f->name) && e)
			ev->nfields++;
	}
}

static const struct key bytes_keys[] = {
	{ "bytes", KEY_EXPR, true, .offset = offsetof(struct keep_bytes, addr) },
	{ "len", KEY_EXPR, false, .offset = offsetof(struct keep_bytes, size) },
	{ 0 }
};

/* {kstack: 64}: as many frames */
static const struct key kstack_keys[] = {
	{ "kstack", KEY_UINT, true, .offset = offsetof(struct event, kstack_depth), .min = 1, .max = 127 },
	{ 0 }
};

static void read_keep(struct reader *r, const struct node *n, void *object)
{
	static const struct {
		const char *name;
		uint32_t keep;
	} words[] = {
		{ "kstack", KEEP_KSTACK }, { "ustack", KEEP_USTACK }, { "lbr", KEEP_LBR }, { "pin", KEEP_PIN },
	};
	struct event *ev = object;
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'keep'", &items), w;

	for (uint32_t i = 0; i < count; i++) {
		if (items[i]->kind == NODE_MAP && node_get(items[i], "kstack")) {
			schema_read(r, items[i], "an item of 'keep'", kstack_keys, ev);
			ev->keep |= KEEP_KSTACK;
			continue;
		}
		if (items[i]->kind == NODE_MAP) {
			struct keep_bytes b = { .span = items[i]->span };

			schema_read(r, items[i], "an item of 'keep'", bytes_keys, &b);
			if (!b.addr)
				continue;
			ev->bytes = arena_grow(r->arena, ev->bytes, ev->nbytes, sizeof(b));
			ev->bytes[ev->nbytes++] = b;
			continue;
		}
		for (w = 0; w < 4 && strcmp(items[i]->text ? items[i]->text : "", words[w].name); w++)
			;
		if (w < 4)
			ev->keep |= words[w].keep;
		else
			diag_error(r->diags, TAG_BAD_VALUE, items[i]->span,
				   "'keep' takes kstack, ustack, lbr, pin, and {bytes: ADDRESS, len: N}");
	}
}

static void read_when(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;
	const char *text;

	if (!read_text(r, n, "'when'", TEXT_MAX, &text))
		return;
	if (strcmp(text, "module-loads"))
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "'when' takes only: module-loads");
	ev->wait_module = true;
	ev->when_span = n->span;
}

/* tables: [by_sector], or {by_sector: EXPR} with a key of its own */
static void read_event_tables(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;
	struct node *const *items = n->items, *const *names = n->keys;
	uint32_t count = n->n;

	if (n->kind != NODE_MAP) {
		count = read_items(r, n, "'tables'", &items);
		names = items;
	}
	ev->tables = arena_array(r->arena, count, sizeof(*ev->tables));
	for (uint32_t i = 0; i < count; i++) {
		struct event_table *t = &ev->tables[ev->ntables];

		t->span = names[i]->span;
		if (!read_name(r, names[i], "a table", &t->name))
			continue;
		ev->ntables++;
		if (n->kind == NODE_MAP)
			t->nkey = read_key_parts(r, items[i], &t->key);
	}
}

/* delay: 100us, or {for: 100us, chance: 5%} */
static void read_chance(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;
	struct node part = *n;
	const char *text;
	uint64_t percent;

	if (!read_text(r, n, "'chance'", TEXT_MAX, &text))
		return;
	if (n->len < 2 || text[n->len - 1] != '%') {
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "'chance' takes a percentage such as 5%%");
		return;
	}
	part.text = arena_strndup(r->arena, text, n->len - 1);
	part.len--;
	if (read_uint(r, &part, "'chance'", 1, 100, &percent))
		ev->delay_ppm = (uint32_t)percent * 10000;
}

static const struct key delay_keys[] = {
	{ "for", KEY_TIME, true, .offset = offsetof(struct event, delay_ns), .min = 1, .max = DELAY_MAX },
	{ "chance", KEY_CUSTOM, false, .read = read_chance },
	{ 0 }
};

static void read_delay(struct reader *r, const struct node *n, void *object)
{
	struct event *ev = object;

	ev->delay_span = n->span;
	ev->delay_ppm = 1000000;
	if (n->kind == NODE_MAP)
		schema_read(r, n, "'delay'", delay_keys, ev);
	else
		read_time(r, n, "'delay'", 1, DELAY_MAX, &ev->delay_ns);
}

static const struct key event_keys[] = {
	{ "probe", KEY_CUSTOM, true, .read = read_probes },
	{ "where", KEY_EXPR, false, .offset = offsetof(struct event, where) },
	{ "key", KEY_CUSTOM, false, .read = read_event_key },
	{ "fields", KEY_CUSTOM, false, .read = read_fields },
	{ "keep", KEY_CUSTOM, false, .read = read_keep },
	{ "birth", KEY_BOOL, false, .offset = offsetof(struct event, birth) },
	{ "death", KEY_BOOL, false, .offset = offsetof(struct event, death) },
	{ "optional", KEY_BOOL, false, .offset = offsetof(struct event, optional) },
	{ "when", KEY_CUSTOM, false, .read = read_when },
	{ "tables", KEY_CUSTOM, false, .read = read_event_tables },
	{ "owner", KEY_EXPR, false, .offset = offsetof(struct event, owner) },
	{ "delay", KEY_CUSTOM, false, .read = read_delay },
	{ 0 }
};

void read_events(struct reader *r, const struct node *n, struct rule *rule)
{
	if (!read_map(r, n, "'events'"))
		return;
	if (!n->n || n->n > EVENTS_MAX) {
		diag_error(r->diags, n->n ? TAG_LIMIT : TAG_VALUE_KIND, n->span, "a rule has 1 to %d events, not %u",
			   EVENTS_MAX, n->n);
		return;
	}
	rule->events = arena_array(r->arena, n->n, sizeof(*rule->events));
	for (uint32_t i = 0; i < n->n; i++) {
		struct event *ev = &rule->events[rule->nevents];

		ev->span = n->keys[i]->span;
		ev->name = n->keys[i]->text;
		read_name(r, n->keys[i], "an event", &ev->name);
		rule->nevents++;
		schema_read(r, n->items[i], arena_printf(r->temp, "event '%s'", n->keys[i]->text), event_keys, ev);
	}
}
