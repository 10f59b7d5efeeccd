// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/manifest.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *const type_names[] = {
	[VALUE_UINT] = "uint", [VALUE_INT] = "int",   [VALUE_BOOL] = "bool",   [VALUE_PTR] = "ptr",
	[VALUE_ENUM] = "enum", [VALUE_STR] = "str",   [VALUE_BYTES] = "bytes",
};

enum value_type value_type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++)
		if (!strcmp(name, type_names[i]))
			return (enum value_type)i;
	return VALUE_UINT;
}

const char *value_type_name(enum value_type type)
{
	return type_names[type];
}

/* A member that is a string, "" if there is none; NULL with opt. */
static const char *string(struct arena *a, const json_t *obj, const char *key, bool opt)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? arena_strdup(a, s) : opt ? NULL : "";
}

/* A number, also as "0x..." string; fallback when it is neither. */
static uint64_t number(const json_t *obj, const char *key, uint64_t fallback)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v))
		return (uint64_t)json_integer_value(v);
	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 0);
	return fallback;
}

/* A member that is an array: its size, and zeroed memory for one element each. */
static const json_t *array(struct arena *a, const json_t *obj, const char *key, size_t elem, void *items, size_t *count)
{
	const json_t *list = json_object_get(obj, key);

	*count = json_array_size(list);
	*(void **)items = arena_array(a, *count ? *count : 1, elem);
	return list;
}

static void parse_field(struct arena *a, const json_t *j, struct mf_field *f)
{
	const json_t *list, *pair;
	const char *name;

	f->name = string(a, j, "name", false);
	f->type = value_type_of(string(a, j, "type", false));
	f->size = (uint32_t)number(j, "size", 8);
	f->word = (uint32_t)number(j, "word", 0);
	f->is_error = json_is_true(json_object_get(j, "error"));
	f->user = json_is_true(json_object_get(j, "user"));
	list = array(a, j, "values", sizeof(*f->values), &f->values, &f->nvalues);
	for (size_t i = 0; i < f->nvalues; i++) {
		pair = json_array_get(list, i);
		name = json_string_value(json_array_get(pair, 1));
		f->values[i].value = json_integer_value(json_array_get(pair, 0));
		f->values[i].name = name ? arena_strdup(a, name) : "";
	}
}

/* Where in the payload a kept thing begins, -1: it is not kept. */
static int word_of(const json_t *event, const char *what)
{
	const json_t *j = json_object_get(event, what);

	return j ? (int)(number(j, "word", 0) & 0xffff) : -1;
}

static void parse_event(struct arena *a, const json_t *j, struct mf_event *e)
{
	const json_t *list, *p;

	e->name = string(a, j, "name", false);
	e->rule = (uint32_t)number(j, "rule", 0);
	e->line = (uint32_t)number(j, "line", 0);
	e->ustack_depth = (uint32_t)number(json_object_get(j, "ustack"), "depth", 0);
	e->lbr_depth = (uint32_t)number(json_object_get(j, "lbr"), "depth", 0);
	e->owner = json_object_get(j, "owner") ? (int)number(j, "owner", 0) : -1;
	e->mask_word = json_object_get(j, "mask") ? (int)number(j, "mask", 0) : -1;
	e->ustack_word = word_of(j, "ustack");
	e->lbr_word = word_of(j, "lbr");
	list = array(a, j, "probes", sizeof(*e->probes), &e->probes, &e->nprobes);
	for (size_t i = 0; i < e->nprobes; i++) {
		p = json_array_get(list, i);
		e->probes[i] = (struct mf_probe){ .kind = string(a, p, "kind", false),
						  .pattern = string(a, p, "pattern", false),
						  .module = string(a, p, "module", true) };
	}
	list = array(a, j, "fields", sizeof(*e->fields), &e->fields, &e->nfields);
	for (size_t i = 0; i < e->nfields; i++)
		parse_field(a, json_array_get(list, i), &e->fields[i]);
}

static void blank(uint8_t *payload, size_t words, int word, size_t count)
{
	for (size_t i = 0; word >= 0 && i < count && (size_t)word + i < words; i++)
		memset(payload + 8 * ((size_t)word + i), 0, 8);
}

void mf_event_scrub(const struct mf_event *e, uint8_t *payload, size_t words)
{
	uint64_t mask = 0;

	if (e->mask_word >= 0 && (size_t)e->mask_word < words)
		memcpy(&mask, payload + 8 * (size_t)e->mask_word, 8);
	for (size_t i = 0; i < e->nfields; i++) {
		const struct mf_field *f = &e->fields[i];

		if (!f->user && f->type != VALUE_STR && f->type != VALUE_BYTES)
			continue;
		blank(payload, words, (int)(f->word & 0xffff), (f->size + 7) / 8);
		if (i < 64)
			mask |= 1ULL << i;
	}
	blank(payload, words, e->ustack_word, 1 + (size_t)e->ustack_depth * MF_FRAME_WORDS);
	/* Branches may be of the user's program. */
	blank(payload, words, e->lbr_word, 1 + (size_t)e->lbr_depth * MF_BRANCH_WORDS);
	if (e->mask_word >= 0 && (size_t)e->mask_word < words)
		memcpy(payload + 8 * (size_t)e->mask_word, &mask, 8);
}

static void parse_states(struct arena *a, const json_t *j, const char ***states, size_t *count)
{
	const json_t *list = array(a, j, "states", sizeof(**states), states, count);
	const char *text;

	for (size_t i = 0; i < *count; i++) {
		text = json_string_value(json_array_get(list, i));
		(*states)[i] = text ? arena_strdup(a, text) : "";
	}
}

static void parse_faults(struct arena *a, const json_t *match, struct mf_rule *r)
{
	const json_t *list = array(a, match, "detect", sizeof(*r->faults), &r->faults, &r->nfaults), *j, *events;

	for (size_t i = 0; i < r->nfaults; i++) {
		struct mf_fault *f = &r->faults[i];

		j = json_array_get(list, i);
		f->name = string(a, j, "fault", false);
		f->words = string(a, j, "words", false);
		f->freed = string(a, j, "freed", false);
		events = array(a, j, "events", sizeof(*f->events), &f->events, &f->nevents);
		for (size_t e = 0; e < f->nevents; e++)
			f->events[e] = (uint32_t)json_integer_value(json_array_get(events, e));
	}
}

static void parse_match(struct arena *a, const json_t *j, struct mf_rule *r)
{
	const json_t *list, *s;

	r->match = string(a, j, "kind", false);
	r->window = json_is_integer(json_object_get(j, "window")) ? (int)number(j, "window", 0) : -1;
	parse_states(a, j, &r->states, &r->nstates);
	list = array(a, j, "steps", sizeof(*r->steps), &r->steps, &r->nsteps);
	for (size_t i = 0; i < r->nsteps; i++) {
		s = json_array_get(list, i);
		r->steps[i] = (struct mf_step){ .label = string(a, s, "label", false),
						.event = (uint32_t)number(s, "event", 0) };
	}
	parse_faults(a, j, r);
}

static void parse_rule(struct arena *a, const json_t *j, struct mf_rule *r)
{
	const json_t *list, *act;
	size_t i;

	r->name = string(a, j, "name", false);
	r->about = string(a, j, "about", false);
	r->file = string(a, j, "file", false);
	r->source = string(a, j, "source", false);
	r->on_loss = string(a, j, "on_loss", false);
	r->last = (uint32_t)number(j, "last", 0);
	r->pins = (uint32_t)number(j, "pins", 0);
	r->keys = (uint32_t)number(j, "keys", 0);
	list = array(a, j, "key", sizeof(*r->key), &r->key, &r->nkey);
	for (i = 0; i < r->nkey; i++) {
		const json_t *k = json_array_get(list, i);

		r->key[i] = (struct mf_key_part){ .type = value_type_of(string(a, k, "type", false)),
						  .text = string(a, k, "text", false) };
	}
	parse_match(a, json_object_get(j, "match"), r);
	json_array_foreach(json_object_get(j, "actions"), i, act) {
		if (!r->message)
			r->message = string(a, act, "message", true);
	}
}

/* Tables; a manifest without them has one for each rule. */
static void parse_machines(struct arena *a, const json_t *root, struct manifest *m)
{
	const json_t *list = array(a, root, "machines", sizeof(*m->machines), &m->machines, &m->nmachines), *j;

	for (size_t i = 0; i < m->nmachines; i++) {
		struct mf_machine *one = &m->machines[i];

		j = json_array_get(list, i);
		one->rule = (uint32_t)number(j, "rule", 0);
		one->slots = (uint32_t)number(j, "slots", 0);
		one->last = (uint32_t)number(j, "last", 0);
		one->pins = (uint32_t)number(j, "pins", one->rule < m->nrules ? m->rules[one->rule].pins : 0);
		one->name = string(a, j, "name", true);
		one->tier = string(a, j, "tier", true);
		parse_states(a, j, &one->states, &one->nstates);
	}
	if (m->nmachines)
		return;
	m->nmachines = m->nrules;
	m->machines = arena_array(a, m->nrules + 1, sizeof(*m->machines));
	for (size_t i = 0; i < m->nrules; i++)
		m->machines[i] = (struct mf_machine){ .rule = (uint32_t)i, .slots = m->rules[i].keys,
						      .last = m->rules[i].last, .pins = m->rules[i].pins,
						      .states = m->rules[i].states,
						      .nstates = m->rules[i].nstates };
}

int manifest_parse(struct arena *a, const char *text, size_t len, struct manifest **ret, struct err *err)
{
	struct manifest *m = arena_new(a, struct manifest);
	json_error_t jerr;
	const json_t *list;
	json_t *root;

	len = strnlen(text, len);
	root = json_loadb(text, len, 0, &jerr);
	if (!json_is_object(root)) {
		err_set(err, ERR_CORRUPT, "manifest: %s", root ? "not an object" : jerr.text);
		json_decref(root);
		return -1;
	}
	m->set = string(a, root, "set", false);
	m->version = string(a, root, "version", false);
	m->kernel = string(a, root, "kernel", false);
	m->key_parts = (uint32_t)number(root, "key_parts", 1);
	m->words = (uint32_t)number(root, "words", 0);
	list = array(a, root, "rules", sizeof(*m->rules), &m->rules, &m->nrules);
	for (size_t i = 0; i < m->nrules; i++)
		parse_rule(a, json_array_get(list, i), &m->rules[i]);
	parse_machines(a, root, m);
	list = array(a, root, "events", sizeof(*m->events), &m->events, &m->nevents);
	for (size_t i = 0; i < m->nevents; i++)
		parse_event(a, json_array_get(list, i), &m->events[i]);
	list = array(a, root, "params", sizeof(*m->params), &m->params, &m->nparams);
	for (size_t i = 0; i < m->nparams; i++) {
		const json_t *p = json_array_get(list, i);

		m->params[i] = (struct mf_param){ .name = string(a, p, "name", false),
						  .kind = string(a, p, "kind", false),
						  .rule = (uint32_t)number(p, "rule", 0),
						  .value = number(p, "value", 0) };
	}
	json_decref(root);
	*ret = m;
	return 0;
}
