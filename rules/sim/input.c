// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/sim/input.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/lex.h"
#include "rules/probe.h"
#include "rules/schema.h"
#include "rules/yaml.h"

/* The keys of an occurrence as they stand. */
struct draft {
	const struct node *time, *time_ns, *entered, *event, *probe, *rule, *key, *fields, *args, *values, *retval, *task, *cpu;
	const struct node *func, *kstack, *owner, *lost;
	bool unknown;
};

#define NODE_KEY(name) { #name, KEY_NODE, false, .offset = offsetof(struct draft, name) }

static const struct key occurrence_keys[] = {
	NODE_KEY(time), NODE_KEY(time_ns), NODE_KEY(entered), NODE_KEY(event), NODE_KEY(probe), NODE_KEY(rule), NODE_KEY(key),
	NODE_KEY(fields), NODE_KEY(args), NODE_KEY(values), NODE_KEY(retval), NODE_KEY(task), NODE_KEY(cpu),
	NODE_KEY(func), NODE_KEY(kstack), NODE_KEY(owner), NODE_KEY(lost),
	{ "unknown", KEY_BOOL, false, .offset = offsetof(struct draft, unknown) },
	{ 0 }
};

struct input {
	struct reader r;
	const struct rule_set *set;
	struct sim_input *in;
	uint64_t last_ns;
};

static bool number(const char *text, uint64_t *ret, enum unit *unit)
{
	bool negative = *text == '-';

	if (!isdigit((unsigned char)text[negative]) || lex_number(text + negative, ret, unit))
		return false;
	if (negative)
		*ret = -*ret;
	return true;
}

/* Any value: a number, true, false, null (unknown), or text; text that is a number may be used as one. */
static struct eval_value value(struct input *in, const struct node *n)
{
	struct eval_value v = { 0 };
	enum unit unit;

	if (n->kind != NODE_SCALAR) {
		diag_error(in->r.diags, TAG_VALUE_KIND, n->span, "here stands a value, not %s", node_kind_text(n));
		return v;
	}
	v.unknown = node_is_null(n);
	v.len = n->len < EVAL_STR_MAX ? n->len : EVAL_STR_MAX;
	memcpy(v.str, n->text, v.len);
	if (!number(n->text, &v.num, &unit) && !n->quoted)
		v.num = !strcmp(n->text, "true");
	return v;
}

static struct eval_value must_be_number(struct input *in, const struct node *n, const char *what)
{
	struct eval_value v = value(in, n);
	enum unit unit;

	if (!v.unknown && n->kind == NODE_SCALAR && !number(n->text, &v.num, &unit) && strcmp(n->text, "true") &&
	    strcmp(n->text, "false"))
		diag_hint(in->r.diags, diag_error(in->r.diags, TAG_BAD_VALUE, n->span, "%s takes a number, not '%s'", what,
						  n->text),
			  "12, -5, \"0xffff888000001000\", or null where it could not be read");
	return v;
}

/* A time in ns, or with its unit. */
static uint64_t read_when(struct input *in, const struct node *n, const char *what)
{
	enum unit unit = UNIT_DECIMAL;
	uint64_t ns = 0;

	if (n->kind != NODE_SCALAR || *n->text == '-' || !number(n->text, &ns, &unit) || unit == UNIT_VERSION)
		diag_error(in->r.diags, TAG_BAD_VALUE, n->span,
			   "%s takes a time: nanoseconds, or with a unit such as \"500us\" or \"10s\"", what);
	return ns;
}

static void read_given(struct input *in, const struct node *n, const char *what, struct sim_given **ret,
		       uint32_t *count)
{
	if (!n || !read_map(&in->r, n, what))
		return;
	*ret = arena_array(in->r.arena, n->n + 1, sizeof(**ret));
	for (uint32_t i = 0; i < n->n; i++)
		(*ret)[(*count)++] = (struct sim_given){ .name = n->keys[i]->text, .value = value(in, n->items[i]) };
}

static void read_task(struct input *in, const struct node *n, struct sim_at *at)
{
	const struct node *pid, *tid, *comm;

	if (!n || node_is_null(n) || !read_map(&in->r, n, "'task'"))
		return;
	pid = node_get(n, "pid");
	tid = node_get(n, "tid");
	comm = node_get(n, "comm");
	at->has_task = pid || tid;
	if (tid)
		at->tid = (uint32_t)must_be_number(in, tid, "'tid'").num;
	at->pid = pid ? (uint32_t)must_be_number(in, pid, "'pid'").num : at->tid;
	if (!tid)
		at->tid = at->pid;
	if (comm)
		read_text(&in->r, comm, "'comm'", 255, &at->comm);
}

static void read_key(struct input *in, const struct node *n, struct sim_occurrence *o)
{
	struct node *const *items;
	uint32_t count;

	if (!n)
		return;
	o->has_key = true;
	if (node_is_null(n)) {
		o->nkey = 1;
		o->key[0].unknown = true;
		return;
	}
	count = read_items(&in->r, n, "'key'", &items);
	for (uint32_t i = 0; i < count && i < DF_KEY_PARTS; i++)
		o->key[o->nkey++] = must_be_number(in, items[i], "'key'");
}

static void read_stack(struct input *in, const struct node *n, struct sim_at *at)
{
	struct node *const *items;

	if (!n)
		return;
	at->has_stack = true;
	at->nstack = read_items(&in->r, n, "'kstack'", &items);
	at->stack = arena_array(in->r.arena, at->nstack + 1, sizeof(*at->stack));
	for (uint32_t i = 0; i < at->nstack; i++) {
		at->stack[i] = "";
		read_text(&in->r, items[i], "a frame of 'kstack'", 4096, &at->stack[i]);
	}
}

/* Does a rule of the set have this event? */
static bool know_event(struct input *in, const struct node *n)
{
	struct nearest near = nearest_init(n->text);
	struct diag *d;

	for (uint32_t i = 0; i < in->set->nevents; i++) {
		const struct event *e = in->set->events[i];

		if (!strcmp(e->name, n->text))
			return true;
		nearest_offer(&near, e->name);
	}
	if (in->in->recorded)
		return false;
	d = diag_error(in->r.diags, TAG_UNKNOWN_EVENT, n->span, "no rule has an event '%s'", n->text);
	if (nearest_best(&near))
		diag_hint(in->r.diags, d, "did you mean '%s'?", nearest_best(&near));
	return false;
}

static bool know_rule(struct input *in, const struct node *n, const struct rule **ret)
{
	struct nearest near = nearest_init(n->text);
	struct diag *d;

	for (uint32_t i = 0; i < in->set->nrules; i++) {
		*ret = &in->set->rules[i];
		if (!strcmp(in->set->rules[i].name, n->text))
			return true;
		nearest_offer(&near, in->set->rules[i].name);
	}
	d = diag_error(in->r.diags, TAG_UNKNOWN_NAME, n->span, "there is no rule '%s'", n->text);
	if (nearest_best(&near))
		diag_hint(in->r.diags, d, "did you mean '%s'?", nearest_best(&near));
	return false;
}

static bool same_name(const char *a, const char *b, size_t len)
{
	return strlen(a) == len && !memcmp(a, b, len);
}

/* probe: "kind:what", or what alone: a function, category:name, a path ... as the rule has it. */
static bool probe_is(const struct probe *p, const char *probe)
{
	const struct probe_kind_info *kind = probe_info(p->kind);
	const char *colon = strchr(probe, ':'), *rest = strchr(p->text, ':');

	if (!strcmp(p->text, probe))
		return true;
	for (const struct probe_kind_info *k = probe_kinds; colon && k->name; k++) {
		if (!same_name(k->name, probe, (size_t)(colon - probe)))
			continue;
		if (k->kind != kind->kind)
			return false;
		probe = colon + 1;
		break;
	}
	if (rest && !strcmp(rest + 1, probe))
		return true;
	for (uint32_t i = 0; i < p->nfuncs; i++) {
		if (!strcmp(p->funcs[i].name, probe))
			return true;
	}
	return false;
}

bool sim_covers(const struct event *e, const char *probe)
{
	for (uint32_t i = 0; i < e->nprobes; i++) {
		if (probe_is(&e->probes[i], probe))
			return true;
	}
	return false;
}

static bool know_probe(struct input *in, const struct node *n)
{
	struct nearest near = nearest_init(n->text);
	struct diag *d;

	for (uint32_t i = 0; i < in->set->nevents; i++) {
		const struct event *e = in->set->events[i];

		if (sim_covers(e, n->text))
			return true;
		for (uint32_t p = 0; p < e->nprobes; p++)
			nearest_offer(&near, e->probes[p].text);
	}
	d = diag_error(in->r.diags, TAG_UNKNOWN_EVENT, n->span, "no event of the rules is at '%s'", n->text);
	if (nearest_best(&near))
		diag_hint(in->r.diags, d, "did you mean '%s'?", nearest_best(&near));
	return false;
}

/* What happened, and to whom; false: nothing of these rules. */
static bool read_what(struct input *in, const struct node *n, const struct draft *d, struct sim_occurrence *o)
{
	const struct rule *rule;
	uint64_t lost;

	if (d->rule && know_rule(in, d->rule, &rule))
		o->rule = rule->name;
	if (!!d->event + !!d->probe + !!d->lost != 1) {
		diag_hint(in->r.diags, diag_error(in->r.diags, TAG_MISSING_KEY, n->span,
						  "what happened? One of 'event', 'probe', 'lost'"),
			  "event: its condition held; probe: it was hit, and conditions are asked; lost: N events");
		return false;
	}
	if (d->lost) {
		if (!read_uint(&in->r, d->lost, "'lost'", 1, UINT32_MAX, &lost))
			return false;
		o->lost = (uint32_t)lost;
		return true;
	}
	if (d->event) {
		if (!read_text(&in->r, d->event, "'event'", 255, &o->event))
			return false;
		return know_event(in, d->event);
	}
	return read_text(&in->r, d->probe, "'probe'", 4096, &o->probe) && know_probe(in, d->probe);
}

/* Time does not go back; that of a report's events, seen on several CPUs, may by a little. */
static uint64_t next_time(struct input *in, const struct node *event, const struct node *n)
{
	uint32_t errors = in->r.diags->errors;
	uint64_t ns;

	if (!n) {
		diag_error(in->r.diags, TAG_MISSING_KEY, event->span, "an event must have the key 'time'");
		return in->last_ns;
	}
	ns = read_when(in, n, "'time'");
	if (ns >= in->last_ns && errors == in->r.diags->errors)
		return in->last_ns = ns;
	if (!in->in->recorded && errors == in->r.diags->errors)
		diag_hint(in->r.diags,
			  diag_error(in->r.diags, TAG_BAD_VALUE, n->span, "this is earlier than the event before it"),
			  "events stand in the order in which they happened");
	return in->last_ns;
}

static void read_occurrence(struct input *in, const struct node *n)
{
	struct sim_occurrence o = { .span = n->span, .at = { .arena = in->r.arena, .set = in->set } };
	struct draft d = { 0 };

	if (in->in->recorded)
		in->r.diags->quiet++;		/* a report has more keys than are needed here */
	schema_read(&in->r, n, "an event", occurrence_keys, &d);
	if (in->in->recorded)
		in->r.diags->quiet--;
	if (n->kind != NODE_MAP || !read_what(in, n, &d, &o))
		return;
	o.at.ns = next_time(in, n, d.time ? d.time : d.time_ns);
	o.at.entered.unknown = !d.entered;
	if (d.entered)
		o.at.entered.num = read_when(in, d.entered, "'entered'");
	read_key(in, d.key, &o);
	read_given(in, d.fields, "'fields'", &o.at.fields, &o.at.nfields);
	read_given(in, d.args, "'args'", &o.at.args, &o.at.nargs);
	read_given(in, d.values, "'values'", &o.at.values, &o.at.nvalues);
	o.at.retval = d.retval ? must_be_number(in, d.retval, "'retval'") : (struct eval_value){ .unknown = true };
	read_task(in, d.task, &o.at);
	o.at.has_cpu = d.cpu;
	o.at.cpu = d.cpu ? (uint32_t)must_be_number(in, d.cpu, "'cpu'").num : 0;
	if (d.func && !node_is_null(d.func))
		read_text(&in->r, d.func, "'func'", 255, &o.at.func);
	read_stack(in, d.kstack, &o.at);
	o.has_owner = d.owner;
	if (d.owner)
		o.owner = must_be_number(in, d.owner, "'owner'");
	o.unknown = d.unknown;
	o.number = in->in->n + 1;
	in->in->items = arena_grow(in->r.arena, in->in->items, in->in->n, sizeof(o));
	in->in->items[in->in->n++] = o;
}

/* ADDRESS: "hexadecimal bytes" */
static void read_memory(struct input *in, const struct node *n)
{
	if (!read_map(&in->r, n, "'memory'"))
		return;
	in->in->memory = arena_array(in->r.arena, n->n + 1, sizeof(*in->in->memory));
	for (uint32_t i = 0; i < n->n; i++) {
		struct sim_memory *m = &in->in->memory[in->in->nmemory++];
		const char *p = n->items[i]->kind == NODE_SCALAR ? n->items[i]->text : "?";
		uint8_t *bytes = arena_alloc(in->r.arena, strlen(p) / 2 + 1);
		char *end;

		m->addr = must_be_number(in, n->keys[i], "an address").num;
		m->bytes = bytes;
		while (*p) {
			char two[3] = { p[0], p[0] ? p[1] : '\0', '\0' };

			if (isspace((unsigned char)*p)) {
				p++;
				continue;
			}
			bytes[m->len++] = (uint8_t)strtoul(two, &end, 16);
			if (*end || strlen(two) != 2) {
				diag_error(in->r.diags, TAG_BAD_VALUE, n->items[i]->span,
					   "memory takes bytes of two hexadecimal digits: \"01 00 ff\"");
				break;
			}
			p += 2;
		}
	}
}

static void read_expect(struct input *in, const struct node *n)
{
	if (!read_map(&in->r, n, "'expect'"))
		return;
	in->in->expect = arena_array(in->r.arena, n->n + 1, sizeof(*in->in->expect));
	for (uint32_t i = 0; i < n->n; i++) {
		struct sim_expect *x = &in->in->expect[in->in->nexpect];

		x->span = n->keys[i]->span;
		if (know_rule(in, n->keys[i], &x->rule) &&
		    read_uint(&in->r, n->items[i], "the number of matches", 0, UINT32_MAX, &x->fires))
			in->in->nexpect++;
	}
}

void sim_input_read(struct arena *a, const struct source *src, const struct rule_set *set, struct diags *diags,
		    struct sim_input *ret)
{
	struct {
		const struct node *events, *memory, *expect, *until;
	} d = { 0 };
	static const struct key keys[] = {
		{ "events", KEY_NODE, true, .offset = 0 },
		{ "memory", KEY_NODE, false, .offset = sizeof(d.events) },
		{ "expect", KEY_NODE, false, .offset = 2 * sizeof(d.events) },
		{ "until", KEY_NODE, false, .offset = 3 * sizeof(d.events) },
		{ 0 }
	};
	struct input in = { .r = { .arena = a, .temp = a, .diags = diags }, .set = set, .in = ret };
	struct yaml_file *f = yaml_parse(a, a, src, diags);
	const struct node *top = f->ndocs ? f->docs[0] : NULL;

	memset(ret, 0, sizeof(*ret));
	if (!top) {
		if (!diags->errors)
			diag_error(diags, TAG_FILE, (struct span){ .src = src }, "no events in this file");
		return;
	}
	if (top->kind == NODE_LIST) {
		d.events = top;
	} else if (top->kind == NODE_MAP && node_get(top, "context") && !node_get(top, "events")) {
		d.events = node_get(top, "context");
		ret->recorded = true;
	} else {
		schema_read(&in.r, top, "a file of events", keys, &d);
	}
	if (d.memory)
		read_memory(&in, d.memory);
	if (d.expect)
		read_expect(&in, d.expect);
	if (d.until)
		ret->until_ns = read_when(&in, d.until, "'until'");
	if (d.events && d.events->kind != NODE_LIST)
		diag_error(diags, TAG_VALUE_KIND, d.events->span, "'events' takes a list, not %s", node_kind_text(d.events));
	for (uint32_t i = 0; d.events && d.events->kind == NODE_LIST && i < d.events->n; i++)
		read_occurrence(&in, d.events->items[i]);
	for (uint32_t i = 0; i < ret->n; i++) {
		ret->items[i].at.memory = ret->memory;
		ret->items[i].at.nmemory = ret->nmemory;
	}
}
