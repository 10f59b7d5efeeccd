// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/setinfo.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"
#include "rules/late.h"

#define COUNT_MAX (1 << 20)
#define LATE_WORDS_MAX (1 << 20)

static const char *get_text(struct arena *a, const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? arena_strdup(a, s) : NULL;
}

/* A number, also as "0x..." text; 0 if absent. */
static uint64_t number(const json_t *v)
{
	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 0);
	return json_integer_value(v) < 0 ? 0 : (uint64_t)json_integer_value(v);
}

static uint64_t get_u64(const json_t *j, const char *name)
{
	return number(json_object_get(j, name));
}

static uint32_t get_u32(const json_t *j, const char *name)
{
	uint64_t v = get_u64(j, name);

	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* An array of the object: its length, and zeroed room for as many elements. */
static const json_t *get_array(struct arena *a, const json_t *j, const char *name, size_t size, uint32_t *n, void *items)
{
	const json_t *array = json_object_get(j, name);
	size_t count = json_array_size(array);

	*n = count > COUNT_MAX ? COUNT_MAX : (uint32_t)count;
	*(void **)items = arena_array(a, *n + 1, size);
	return array;
}

static bool has_flag(const json_t *j, const char *flag)
{
	const json_t *flags = json_object_get(j, "flags"), *v;
	size_t i;

	json_array_foreach(flags, i, v)
	{
		if (json_is_string(v) && !strcmp(json_string_value(v), flag))
			return true;
	}
	return false;
}

static uint32_t parse_on_loss(const char *text)
{
	if (text && !strcmp(text, "fire"))
		return DF_LOSS_FIRE;
	return text && !strcmp(text, "log") ? DF_LOSS_LOG : DF_LOSS_SUPPRESS;
}

/* Which steps does a message speak of? A few too many do no harm. */
static uint32_t told_steps(const char *message, const json_t *steps)
{
	uint32_t mask = 0;

	for (size_t i = 0; message && i < json_array_size(steps) && i < DF_STEPS; i++) {
		const char *label = json_string_value(json_object_get(json_array_get(steps, i), "label"));
		size_t len = label ? strlen(label) : 0;

		for (const char *at = strchr(message, '{'); at && len; at = strchr(at + 1, '{')) {
			if (!strncmp(at + 1, label, len) && at[1 + len] == '.')
				mask |= 1U << i;
		}
	}
	return mask;
}

static void parse_rule(struct arena *a, const json_t *j, struct info_rule *r)
{
	const json_t *guard = json_object_get(j, "guard"), *action;
	size_t i;

	r->name = get_text(a, j, "name");
	r->file = get_text(a, j, "file");
	r->nkey = (uint32_t)json_array_size(json_object_get(j, "key"));
	r->table = get_u32(j, "table");
	r->last = get_u32(j, "last");
	r->keys = get_u32(j, "keys");
	r->every = get_u32(j, "every");
	r->cooldown_ns = get_u64(j, "cooldown_ns");
	r->first_flag = get_u32(j, "first_flag");
	r->nflags = get_u32(j, "nflags");
	r->on_loss = parse_on_loss(json_string_value(json_object_get(j, "on_loss")));
	r->kdump = get_text(a, guard, "kdump");
	r->needs_dump = r->kdump && strcmp(r->kdump, "optional") != 0;
	r->max_panics = get_u64(guard, "max_panics");
	r->per_ns = get_u64(guard, "per_ns");
	r->after_ns = get_u64(guard, "after_ns");
	json_array_foreach(json_object_get(j, "actions"), i, action)
	{
		const char *act = json_string_value(json_object_get(action, "act"));

		r->panics = r->panics || (act && !strcmp(act, "panic"));
		r->stop |= act && !strcmp(act, "stop");
		if (act && !strcmp(act, "signal"))
			r->signal = get_u32(action, "signal");
		r->tells |= told_steps(json_string_value(json_object_get(action, "message")),
				       json_object_get(json_object_get(j, "match"), "steps"));
	}
}

static void parse_param(struct arena *a, const json_t *j, struct info_param *p)
{
	p->name = get_text(a, j, "name");
	p->rule = get_u32(j, "rule");
	p->kind = get_text(a, j, "kind");
	p->value = get_u64(j, "value");
}

/* A list of texts. */
static const char **get_texts(struct arena *a, const json_t *array, uint32_t *n)
{
	const char **texts = arena_array(a, json_array_size(array) + 1, sizeof(*texts));
	const char *text;

	*n = 0;
	for (size_t i = 0; i < json_array_size(array); i++) {
		text = json_string_value(json_array_get(array, i));
		texts[(*n)++] = arena_strdup(a, text ? text : "");
	}
	return texts;
}

static void parse_machine(struct arena *a, const json_t *j, struct info_machine *m)
{
	m->name = get_text(a, j, "name");
	m->rule = get_u32(j, "rule");
	m->slots = get_u32(j, "slots");
	m->last = get_u32(j, "last");
	m->pins = get_u32(j, "pins");
	m->first_state = get_u32(j, "first_state");
	m->states = get_texts(a, json_object_get(j, "states"), &m->nstates);
}

static void parse_event(struct arena *a, const json_t *j, struct info_event *e)
{
	const json_t *probes, *args;

	e->name = get_text(a, j, "name");
	e->rule = get_u32(j, "rule");
	e->line = get_u32(j, "line");
	e->optional = has_flag(j, "optional");
	e->wait_module = has_flag(j, "wait-module");
	e->delay_ns = get_u64(j, "delay_ns");
	e->clauses = get_texts(a, json_object_get(j, "clauses"), &e->nclauses);
	probes = get_array(a, j, "probes", sizeof(*e->probes), &e->nprobes, &e->probes);
	for (uint32_t i = 0; i < e->nprobes; i++) {
		const json_t *p = json_array_get(probes, i);

		e->probes[i] = (struct info_probe){ .kind = get_text(a, p, "kind"),
						    .text = get_text(a, p, "text"),
						    .pattern = get_text(a, p, "pattern"),
						    .module = get_text(a, p, "module"),
						    .returns = get_text(a, p, "returns"),
						    .target = get_text(a, p, "target"),
						    .provider = get_text(a, p, "provider"),
						    .rate = get_u64(p, "rate"),
						    .record = get_text(a, p, "record") };
	}
	args = get_array(a, j, "args", sizeof(*e->args), &e->nargs, &e->args);
	for (uint32_t i = 0; i < e->nargs; i++) {
		const json_t *arg = json_array_get(args, i);

		e->args[i] = (struct info_arg){ .name = get_text(a, arg, "name"), .number = get_u32(arg, "number"),
						.record = get_text(a, arg, "record") };
	}
}

static void parse_body(struct arena *a, const json_t *j, struct info_body *b)
{
	const json_t *pos, *patches;
	uint32_t npos;

	b->hook = get_u32(j, "hook");
	b->number = get_u32(j, "number");
	b->event = get_u32(j, "event");
	b->program = get_text(a, j, "program");
	b->save = json_object_get(j, "job") != NULL;
	pos = get_array(a, j, "pos", 1, &npos, &b->pos);
	b->npos = npos;
	for (uint32_t i = 0; i < npos; i++)
		b->pos[i] = (uint8_t)json_integer_value(json_array_get(pos, i));
	patches = get_array(a, j, "patches", sizeof(*b->patches), &b->npatches, &b->patches);
	for (uint32_t i = 0; i < b->npatches; i++) {
		const json_t *p = json_array_get(patches, i);

		b->patches[i] = (struct info_patch){ .func = get_text(a, p, "func"),
						     .insn = get_u32(p, "insn"),
						     .arg = get_u32(p, "arg") };
	}
}

static void parse_members(struct arena *a, const json_t *j, struct info_members *m)
{
	const json_t *values;

	m->name = get_text(a, j, "name");
	m->file = get_text(a, j, "file");
	m->max = get_u32(j, "max");
	values = get_array(a, j, "values", sizeof(*m->values), &m->nvalues, &m->values);
	for (uint32_t i = 0; i < m->nvalues; i++)
		m->values[i] = number(json_array_get(values, i));
}

static void parse_lates(struct arena *a, const json_t *j, struct set_info *s)
{
	const json_t *array = get_array(a, j, "late", sizeof(*s->lates), &s->nlates, &s->lates);

	s->late_words = get_u32(j, "late_words");
	for (uint32_t i = 0; i < s->nlates; i++) {
		const json_t *late = json_array_get(array, i);

		s->lates[i] = (struct info_late){ .kind = get_text(a, late, "kind"),
						  .name = get_text(a, late, "name"),
						  .rule = get_u32(late, "rule"),
						  .line = get_u32(late, "line"),
						  .word = get_u32(late, "word") };
	}
	array = get_array(a, j, "sets", sizeof(*s->sets), &s->nsets, &s->sets);
	for (uint32_t i = 0; i < s->nsets; i++)
		parse_members(a, json_array_get(array, i), &s->sets[i]);
}

/* Words of a constant: LATE_CODE has many. */
static bool late_fits(const struct info_late *late, uint32_t words)
{
	uint32_t need = late->kind && !strcmp(late->kind, "code") ? LATE_CODE_WORDS : 1;

	return late->kind && late->name && words <= LATE_WORDS_MAX && need <= words && late->word <= words - need;
}

static const char *check_lates(const struct set_info *s)
{
	for (uint32_t i = 0; i < s->nlates; i++) {
		if (s->lates[i].rule >= s->nrules || !late_fits(&s->lates[i], s->late_words))
			return "a constant without a place";
	}
	for (uint32_t i = 0; i < s->nsets; i++) {
		if (!s->sets[i].name)
			return "a set without a name";
	}
	return NULL;
}

/* Keys of a table: what the language allows (rules/read.c), and no more. */
#define SLOTS_LIMIT (1u << 22)

static const char *check_info(const struct set_info *s)
{
	for (uint32_t i = 0; i < s->nrules; i++) {
		if (!s->rules[i].name || !s->rules[i].kdump)
			return "a rule without a name";
	}
	for (uint32_t i = 0; i < s->nparams; i++) {
		if (!s->params[i].name || !s->params[i].kind || s->params[i].rule >= s->nrules)
			return "a parameter of no rule";
	}
	for (uint32_t i = 0; i < s->nevents; i++) {
		if (!s->events[i].name || s->events[i].rule >= s->nrules)
			return "an event of no rule";
		for (uint32_t p = 0; p < s->events[i].nprobes; p++) {
			if (!s->events[i].probes[p].kind || !s->events[i].probes[p].text)
				return "a probe without a kind";
		}
	}
	if (s->words > DF_WORDS || s->key_parts > DF_KEY_PARTS)
		return "events or keys longer than there can be";
	for (uint32_t i = 0; i < s->nmachines; i++) {
		const struct info_machine *m = &s->machines[i];

		if (m->rule >= s->nrules || !m->slots || m->slots > SLOTS_LIMIT || m->last > UINT16_MAX || m->pins > UINT16_MAX)
			return "a table of no rule, or of an impossible size";
	}
	for (uint32_t i = 0; i < s->nhooks; i++) {
		if (!s->hooks[i].name)
			return "a hook without a name";
	}
	for (uint32_t i = 0; i < s->nbodies; i++) {
		const struct info_body *b = &s->bodies[i];

		if (b->hook >= s->nhooks || b->event >= s->nevents)
			return "a body of no event";
		if (b->npos && b->npos != s->events[b->event].nargs)
			return "a body with other arguments than its event";
		if (!b->program && !s->hooks[b->hook].program)
			return "a body without a program";
		for (uint32_t p = 0; p < b->npatches; p++) {
			if (!b->patches[p].func || b->patches[p].arg >= s->events[b->event].nargs)
				return "a patch of no argument";
		}
	}
	return s->name && s->nrules ? check_lates(s) : "no rule";
}

int set_info_parse(struct arena *a, const char *text, size_t len, struct set_info *ret, struct err *err)
{
	json_error_t je;
	json_t *j = json_loadb(text, strnlen(text, len), 0, &je);
	struct set_info s = { 0 };
	const json_t *array;
	const char *bad;

	if (!j)
		return err_set(err, ERR_CORRUPT, "manifest: %s", je.text);
	if (get_u64(j, "deadfall") != 1) {
		json_decref(j);
		return err_set(err, ERR_UNSUPPORTED, "manifest: made by another version of deadfall");
	}
	s.manifest_len = len;
	s.nodes_left = INT64_MAX / 2;
	s.name = get_text(a, j, "set");
	s.slots = get_u32(j, "slots");
	s.nodes = get_u32(j, "nodes");
	s.words = get_u32(j, "words");
	s.key_parts = get_u32(j, "key_parts");
	array = get_array(a, j, "machines", sizeof(*s.machines), &s.nmachines, &s.machines);
	for (uint32_t i = 0; i < s.nmachines; i++) {
		parse_machine(a, json_array_get(array, i), &s.machines[i]);
		if (s.machines[i].first_state + s.machines[i].nstates > s.nstates)
			s.nstates = s.machines[i].first_state + s.machines[i].nstates;
	}
	array = get_array(a, j, "rules", sizeof(*s.rules), &s.nrules, &s.rules);
	for (uint32_t i = 0; i < s.nrules; i++)
		parse_rule(a, json_array_get(array, i), &s.rules[i]);
	array = get_array(a, j, "params", sizeof(*s.params), &s.nparams, &s.params);
	for (uint32_t i = 0; i < s.nparams; i++)
		parse_param(a, json_array_get(array, i), &s.params[i]);
	array = get_array(a, j, "events", sizeof(*s.events), &s.nevents, &s.events);
	for (uint32_t i = 0; i < s.nevents; i++)
		parse_event(a, json_array_get(array, i), &s.events[i]);
	array = get_array(a, j, "hooks", sizeof(*s.hooks), &s.nhooks, &s.hooks);
	for (uint32_t i = 0; i < s.nhooks; i++)
		s.hooks[i] = (struct info_hook){ .name = get_text(a, json_array_get(array, i), "name"),
						 .program = get_text(a, json_array_get(array, i), "program"),
						 .bodies = get_u32(json_array_get(array, i), "bodies") };
	array = get_array(a, j, "bodies", sizeof(*s.bodies), &s.nbodies, &s.bodies);
	for (uint32_t i = 0; i < s.nbodies; i++)
		parse_body(a, json_array_get(array, i), &s.bodies[i]);
	parse_lates(a, j, &s);
	json_decref(j);
	bad = check_info(&s);
	if (bad)
		return err_set(err, ERR_CORRUPT, "manifest: %s", bad);
	*ret = s;
	return 0;
}
