// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_json.c - the report for machines. Keys are a contract (docs/report.md); integers over 2^53 and addresses
 * are "0x..." strings, times integer nanoseconds of CLOCK_MONOTONIC.
 */
#include "kdump/last_words.h"
#include "kdump/report.h"
#include "kdump/values.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define EXACT (1ll << 53)

static json_t *address(uint64_t v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

static json_t *unsigned_number(uint64_t v)
{
	return v <= (uint64_t)EXACT ? json_integer((json_int_t)v) : address(v);
}

static json_t *signed_number(int64_t v)
{
	return v >= -EXACT && v <= EXACT ? json_integer(v) : address((uint64_t)v);
}

/* Anything as a string: what is not UTF-8 is shown byte by byte. */
static json_t *string(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();

	return j ? j : json_string("(not UTF-8)");
}

static json_t *value(struct arena *a, const struct report_value *v)
{
	if (v->unknown)
		return json_null();
	switch (v->type) {
	case VALUE_INT:
		return signed_number((int64_t)v->num);
	case VALUE_BOOL:
		return json_boolean(v->num);
	case VALUE_PTR:
		return address(v->num);
	case VALUE_ENUM:
		return v->text ? string(v->text) : signed_number((int64_t)v->num);
	case VALUE_STR:
		return string(v->text);
	case VALUE_BYTES:
		return string(value_format(a, v, 0));
	default:
		return unsigned_number(v->num);
	}
}

/* A key of one part is that part; of several, an array. */
static json_t *key(struct arena *a, const struct report_value *v, size_t count)
{
	json_t *j;

	if (count == 1)
		return value(a, v);
	j = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(j, value(a, &v[i]));
	return j;
}

static json_t *task(const struct report_task *t)
{
	return json_pack("{s:o, s:o, s:o}", "pid", unsigned_number(t->pid), "tid", unsigned_number(t->tid), "comm",
			 string(t->comm));
}

static json_t *match(struct arena *a, const struct report_match *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rule", string(m->rule), "kind",
			 string(m->kind), "detected", string(m->detected ? m->detected->name : NULL), "event",
			 string(m->event), "time_ns", unsigned_number(m->ns), "reason",
			 string(m->reason), "key", key(a, m->key, m->nkey), "generation", unsigned_number(m->gen), "cpu",
			 unsigned_number(m->cpu), "task", task(&m->task), "act", string(m->act),
			 "lost_events", unsigned_number(m->losses));
}

/* Where the frames of the user stack lie: file, build-id, offset. */
static json_t *user_files(const struct report_event *e)
{
	char id[41] = "";
	json_t *list = json_array();

	for (size_t i = 0; i < e->nustack; i++) {
		const struct report_frame *f = &e->ustack[i];

		for (size_t j = 0; f->build_id && j < 20; j++)
			snprintf(id + 2 * j, 3, "%02x", f->build_id[j]);
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "path", string(f->path), "build_id",
						      string(f->build_id ? id : NULL), "offset", address(f->offset)));
	}
	return list;
}

/* A stack of the kernel: its frames, the module of each or null, and the indexes of those that are tracing machinery. */
static void set_kstack(json_t *j, const struct report_frame *frames, size_t count)
{
	json_t *kstack = json_array(), *modules = json_array(), *tools = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(kstack, string(frames[i].symbol));
		json_array_append_new(modules, string(*frames[i].module ? frames[i].module : NULL));
		if (frames[i].tool)
			json_array_append_new(tools, json_integer((json_int_t)i));
	}
	json_object_set_new(j, "kstack", kstack);
	json_object_set_new(j, "modules", modules);
	json_object_set_new(j, "tools", tools);
}

static json_t *event(struct arena *a, const struct report_event *e)
{
	json_t *fields = json_object(), *ustack = json_array(), *branches = json_array(), *j;

	for (size_t i = 0; i < e->nfields; i++)
		json_object_set_new(fields, e->fields[i].name, value(a, &e->fields[i]));
	for (size_t i = 0; i < e->nustack; i++)
		json_array_append_new(ustack, string(e->ustack[i].symbol));
	for (size_t i = 0; i < e->nbranches; i++)
		json_array_append_new(branches, json_pack("[o, o]", string(e->branches[i].from.symbol),
							  string(e->branches[i].to.symbol)));
	j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "event", string(e->event), "time_ns",
		      unsigned_number(e->ns), "cpu", unsigned_number(e->cpu), "generation", unsigned_number(e->gen),
		      "task", task(&e->task), "func", string(e->func), "fields", fields, "ustack", ustack);
	set_kstack(j, e->kstack, e->nkstack);
	json_object_set_new(j, "ufiles", user_files(e));
	json_object_set_new(j, "branches", branches);
	json_object_set_new(j, "key", key(a, e->key, e->nkey));
	json_object_set_new(j, "pinned", json_boolean(e->pinned));
	json_object_set_new(j, "step", string(e->step));
	json_object_set_new(j, "fired", json_boolean(e->fired));
	json_object_set_new(j, "birth", json_boolean(e->birth));
	json_object_set_new(j, "death", json_boolean(e->death));
	json_object_set_new(j, "unknown", json_boolean(e->unknown));
	json_object_set_new(j, "seq", unsigned_number(e->seq));
	return j;
}

static json_t *live(struct arena *a, const struct report_live *l)
{
	json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "key", key(a, l->key, l->nkey), "rule", string(l->rule),
			      "age_ns", l->has_age ? unsigned_number(l->age_ns) : json_null(), "state", string(l->state),
			      "generation", unsigned_number(l->gen), "events", unsigned_number(l->nevents));

	json_object_set_new(j, "table", unsigned_number(l->table));
	json_object_set_new(j, "under_way", json_boolean(l->under_way));
	json_object_set_new(j, "since_ns", l->since_ns ? unsigned_number(l->since_ns) : json_null());
	json_object_set_new(j, "began", l->under_way && *l->began.comm ? task(&l->began) : json_null());
	json_object_set_new(j, "count", signed_number(l->count));
	json_object_set_new(j, "deadline_in_ns", l->has_deadline ? signed_number(l->deadline_in_ns) : json_null());
	json_object_set_new(j, "matches", unsigned_number(l->matches));
	return j;
}

static json_t *owner(struct arena *a, const struct report_owner *o)
{
	return json_pack("{s:o, s:o, s:o}", "owner", key(a, &o->owner, 1), "count", signed_number(o->count), "last_ns",
			 o->last_ns ? unsigned_number(o->last_ns) : json_null());
}

/* Keys of each table by the state of their automata. */
static json_t *automata(const struct report *r)
{
	json_t *list = json_array(), *states;

	for (size_t i = 0; i < r->nautomata; i++) {
		const struct report_automaton *m = &r->automata[i];

		states = json_array();
		for (size_t j = 0; j < m->nstates; j++)
			json_array_append_new(states, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", string(m->states[j]),
								"keys", unsigned_number(m->keys[j]), "entered",
								unsigned_number(m->reach ? m->reach[j].entered : 0),
								"late", unsigned_number(m->reach ? m->reach[j].late : 0),
								"refused",
								unsigned_number(m->reach ? m->reach[j].refused : 0)));
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "set", string(m->set), "rule",
						      string(m->rule), "table", unsigned_number(m->table), "states",
						      states));
	}
	return list;
}

static json_t *sets(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->nsets; i++) {
		const struct report_set *s = &r->sets[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", string(s->name), "armed",
						      string(s->act), "braked_permille", unsigned_number(s->braked),
						      "missed", unsigned_number(s->missed), "notes_lost",
						      unsigned_number(s->notes_lost), "crash_returned",
						      unsigned_number(s->crash_returned), "verdicts",
						      unsigned_number(s->fires)));
	}
	return list;
}

static json_t *marks(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->nmarks; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "time_ns", unsigned_number(r->marks[i].ns), "seq",
						      unsigned_number(r->marks[i].seq), "text",
						      string(r->marks[i].text)));
	return list;
}

/* {event: {counter: n}} of the losses, or of the other counters. */
static json_t *counters(const struct report *r, bool losses)
{
	json_t *all = json_object(), *one;

	for (size_t i = 0; i < r->nlosses; i++) {
		const struct report_loss *l = &r->losses[i];

		if (l->is_loss != losses)
			continue;
		one = json_object_get(all, l->event);
		if (!one) {
			one = json_object();
			json_object_set_new(all, l->event, one);
		}
		json_object_set_new(one, l->counter, unsigned_number(l->count));
	}
	return all;
}

static json_t *unreadable(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->gaps.count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "what", string(r->gaps.items[i].what), "kind",
						      string(r->gaps.items[i].kind), "why",
						      string(r->gaps.items[i].why)));
	if (r->gaps.dropped)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "what", "more", "kind", "error", "why",
						      json_sprintf("%zu more such places", r->gaps.dropped)));
	return list;
}

/* What each CPU ran. */
static json_t *cpus(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->cpus.count; i++) {
		const struct cpu_state *c = &r->cpus.cpus[i];
		struct report_task t = { .pid = c->pid, .tid = c->tid, .comm = c->comm };

		json_array_append_new(list, json_pack("{s:i, s:o, s:b, s:b}", "cpu", (int)c->cpu, "task", task(&t),
						      "crashed", (int)c->cpu == r->cpus.crashed, "idle", c->idle));
	}
	return list;
}

static const char *reg_name(enum unwind_arch arch, size_t i, char text[8])
{
	static const char *const arm64[] = { "sp", "pc", "pstate" };

	if (arch == UNWIND_X86_64)
		return unwind_reg_names_x86_64[i];
	if (i > 30)
		return arm64[i - 31];
	snprintf(text, 8, "x%u", (unsigned int)i % 100);
	return text;
}

static json_t *registers(enum unwind_arch arch, const struct unwind_regs *regs)
{
	json_t *j = regs->count ? json_object() : json_null();
	char text[8];

	for (size_t i = 0; i < regs->count; i++)
		json_object_set_new(j, reg_name(arch, i, text), address(regs->r[i]));
	return j;
}

/* Where each frame is: what an unwinder needs to go on from there. */
static json_t *places(const struct report_stack *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->nframes; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "ip", address(s->places[i].ip), "sp",
						      address(s->places[i].sp), "bp",
						      s->places[i].bp ? address(s->places[i].bp) : json_null()));
	return list;
}

/* Stacks of the crashed task, the other CPUs and blocked tasks. */
static json_t *stacks(const struct report *r)
{
	json_t *list = json_array(), *guessed, *j;

	for (size_t i = 0; i < r->nstacks; i++) {
		const struct report_stack *s = &r->stacks[i];

		guessed = json_array();
		for (size_t f = 0; f < s->nframes; f++)
			if (s->frames[f].guessed)
				json_array_append_new(guessed, json_integer((json_int_t)f));
		j = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "task", task(&s->task), "state", s->state, "cpu",
			      s->cpu < 0 ? json_null() : json_integer(s->cpu), "guessed", guessed, "places", places(s), "end",
			      string(s->end), "user", s->user, "registers", registers(s->arch, &s->regs), "user_registers",
			      registers(s->arch, &s->user_regs));
		set_kstack(j, s->frames, s->nframes);
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *dmesg(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->ndmesg; i++)
		json_array_append_new(list, json_pack("{s:o, s:i, s:o}", "time_ns", unsigned_number(r->dmesg[i].ns),
						      "level", (int)r->dmesg[i].level, "text",
						      string(r->dmesg[i].text)));
	return list;
}

static json_t *first_line(const char *s)
{
	return s ? json_stringn(s, strcspn(s, "\n")) : json_null();
}

/* What the kernel said of its end. */
static json_t *words(const struct report *r)
{
	struct last_words w;

	last_words(r->dmesg, r->ndmesg, &w);
	return json_pack("{s:o, s:o, s:o}", "fault", first_line(w.fault), "panic", first_line(w.panic), "where",
			 first_line(w.where));
}

static json_t *missing(const struct report *r)
{
	json_t *list = json_array();
	const char **said;
	size_t n = report_missing(r, &said);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, string(said[i]));
	return list;
}

static json_t *build(const struct report *r)
{
	json_t *root = json_object(), *list;

	json_object_set_new(root, "rule", r->match ? string(r->match->rule) : json_null());
	json_object_set_new(root, "match", r->match ? match(r->arena, r->match) : json_null());
	if (r->asked)
		json_object_set_new(root, "asked_rule", string(r->asked));
	list = json_array();
	for (size_t i = 0; i < r->ncontext; i++)
		json_array_append_new(list, event(r->arena, &r->context[i]));
	json_object_set_new(root, "context", list);
	list = json_array();
	for (size_t i = 0; i < r->nlive; i++)
		json_array_append_new(list, live(r->arena, &r->live[i]));
	json_object_set_new(root, "live_keys", list);
	list = json_array();
	for (size_t i = 0; i < r->nowners; i++)
		json_array_append_new(list, owner(r->arena, &r->owners[i]));
	json_object_set_new(root, "unmatched", list);
	json_object_set_new(root, "losses", counters(r, true));
	json_object_set_new(root, "counters", counters(r, false));
	json_object_set_new(root, "missing", missing(r));
	json_object_set_new(root, "kernel", json_pack("{s:o}", "release", string(r->release)));
	json_object_set_new(root, "source", string(r->source));
	json_object_set_new(root, "unreadable", unreadable(r));
	list = json_array();
	for (size_t i = 0; i < r->nverdicts; i++)
		json_array_append_new(list, match(r->arena, &r->verdicts[i]));
	json_object_set_new(root, "verdicts", list);
	list = json_array();
	for (size_t i = 0; i < r->nrules; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", string(r->rules[i].name),
						      "about", string(r->rules[i].about), "set", string(r->rules[i].set), "armed", string(r->rules[i].act),
						      "live_keys", unsigned_number(r->rules[i].live)));
	json_object_set_new(root, "rules", list);
	json_object_set_new(root, "automata", automata(r));
	json_object_set_new(root, "sets", sets(r));
	json_object_set_new(root, "marks", marks(r));
	json_object_set_new(root, "cpus", cpus(r));
	json_object_set_new(root, "stacks", stacks(r));
	json_object_set_new(root, "blocked_tasks", unsigned_number(r->nblocked));
	json_object_set_new(root, "dmesg", dmesg(r));
	json_object_set_new(root, "last_words", words(r));
	json_object_set_new(root, "wall_offset_ns", r->has_wall ? signed_number(r->wall_offset_ns) : json_null());
	json_object_set_new(root, "dump", json_pack("{s:o, s:o}", "file", string(r->file), "format",
						    string(r->format)));
	return root;
}

/* jansson leaves out what it has no memory for: a report with less in it than there was. */
static bool lacked_memory;

static void *checked_malloc(size_t size)
{
	void *p = malloc(size);

	lacked_memory = lacked_memory || !p;
	return p;
}

int report_print_json(const struct report *r, FILE *out, struct err *err)
{
	json_t *root;
	int rc;

	lacked_memory = false;
	json_set_alloc_funcs(checked_malloc, free);
	root = build(r);
	rc = root && !lacked_memory ? json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : -1;
	json_decref(root);
	if (rc || lacked_memory)
		return err_set(err, ERR_NOMEM, "JSON cannot be written");
	fputc('\n', out);
	return 0;
}
