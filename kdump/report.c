// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report.c - from sets as they lie in a dump to what is shown.
 */
#include "kdump/report_build.h"
#include "kdump/detected.h"
#include "kdump/reason.h"
#include "kdump/report_stacks.h"
#include "kdump/values.h"

#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "bpf/layout.h"

static const struct mf_rule *rule_of(const struct df_set *s, uint64_t number)
{
	return s->mf && number < s->mf->nrules ? &s->mf->rules[number] : NULL;
}

static const struct mf_event *event_of(const struct df_set *s, uint64_t number)
{
	return s->mf && number < s->mf->nevents ? &s->mf->events[number] : NULL;
}

static const char *event_name(struct build *b, const struct df_set *s, uint64_t number)
{
	const struct mf_event *def = event_of(s, number);

	return def ? def->name : arena_printf(b->arena, "event %llu", (unsigned long long)number);
}

/* The rule whose key this is: the names of its parts; NULL for tables that have keys of their own. */
static const struct mf_rule *key_rule(const struct df_set *s, const struct set_key *key)
{
	return report_key_rule(s, key);
}

/* The label of the step that the event with this sequence number is of the verdict, or NULL. */
static const char *step_label(const struct df_set *s, const struct set_fire *f, uint64_t seq)
{
	const struct mf_rule *rule = rule_of(s, f->rule);

	for (size_t i = 0; i < 8 && i < f->nsteps; i++)
		if (f->step[i] == seq && seq && rule && i < rule->nsteps)
			return rule->steps[i].label;
	return NULL;
}

static void build_stack(struct build *b, const struct set_event *e, struct report_event *ret)
{
	size_t n = (size_t)e->nframes;

	ret->kstack = arena_array(b->arena, n + 1, sizeof(*ret->kstack));
	for (size_t i = 0; i < n; i++) {
		uint64_t addr = e->w[e->stack_word + i];

		if (addr)
			ret->kstack[ret->nkstack++] = frames_lookup(&b->frames, addr, i > 0);
	}
}

/* Where the kernel's image and its modules are. */
#define IMAGE_BEGIN 0xffffffff80000000ull
/* What is further from a symbol is no part of it. */
#define SYMBOL_SIZE_MAX 0x10000

/* What the kernel and modules are made of has names: functions that were handed over, places of calls, variables. */
static void name_pointer(struct build *b, struct report_value *v)
{
	struct ksym sym;

	if ((v->type != VALUE_PTR && v->type != VALUE_UINT) || v->unknown || v->num < IMAGE_BEGIN || kernel_symbolize(b->k, v->num, &sym, NULL) ||
	    v->num - sym.start >= SYMBOL_SIZE_MAX)
		return;
	v->symbol = arena_strdup(b->arena, sym.name);
	if (v->num != sym.start)
		v->symbol = arena_printf(b->arena, "%s+0x%llx", v->symbol, (unsigned long long)(v->num - sym.start));
	if (*sym.module)
		v->symbol = arena_printf(b->arena, "%s [%s]", v->symbol, sym.module);
}

static void build_event(struct build *b, const struct df_set *s, const struct set_event *e, struct report_event *ret)
{
	const struct mf_machine *machine = set_machine(s, &e->key);
	const struct mf_event *def = event_of(s, e->event);
	struct ksym sym;

	*ret = (struct report_event){
		.event = event_name(b, s, e->event),
		.step = s->verdict ? step_label(s, s->verdict, e->seq) : NULL,
		.seq = e->seq,
		.ns = e->ns,
		.cpu = e->cpu,
		.gen = e->gen,
		.task = { .pid = e->pid, .tid = e->tid, .comm = report_comm(b, e->comm) },
		.pinned = e->pinned,
		.birth = e->flags & DF_BIRTH,
		.death = e->flags & DF_DEATH,
		.unknown = e->flags & DF_UNKNOWN,
		.fired = s->verdict && s->verdict->seq == e->seq,
	};
	if (machine && machine->tier)
		b->r->all_keys = true;	/* events of other keys stand beside those of the verdict's */
	else
		ret->key = values_of_key(b->arena, s->mf, key_rule(s, &e->key), &e->key, &ret->nkey);
	if (e->ip && !kernel_symbolize(b->k, e->ip, &sym, NULL))
		ret->func = arena_strdup(b->arena, sym.name);
	ret->fields = arena_array(b->arena, def ? def->nfields + 1 : 1, sizeof(*ret->fields));
	for (size_t i = 0; def && i < def->nfields; i++) {
		ret->fields[ret->nfields] = value_of_field(b->arena, def, i, e);
		name_pointer(b, &ret->fields[ret->nfields++]);
	}
	build_stack(b, e, ret);
	report_kept(b, def, e, ret);
}

/* What the placeholders of a message refer to. */
struct message {
	struct build *b;
	const struct df_set *s;
	const struct set_fire *fire;
	const struct report_match *m;
};

static const struct set_event *event_by_seq(const struct df_set *s, uint64_t seq)
{
	for (size_t i = 0; seq && i < s->nhistory; i++)
		if (s->history[i].seq == seq)
			return &s->history[i];
	return NULL;
}

static const char *event_property(struct message *msg, const struct set_event *e, const char *name, char format)
{
	const char *text = value_of_name(msg->b->arena, event_of(msg->s, e->event), e, report_comm(msg->b, e->comm), name, format);
	struct ksym sym;

	if (!text && !strcmp(name, "func") && e->ip && !kernel_symbolize(msg->b->k, e->ip, &sym, NULL))
		return arena_strdup(msg->b->arena, sym.name);
	if (!text && !strcmp(name, "rule"))
		return msg->m->rule;
	if (!text && !strcmp(name, "detected") && msg->m->detected)
		return msg->m->detected->words;
	return text;
}

/* The firing event as the verdict itself remembers it: its node may be missing. */
static struct set_event firing_event(const struct set_fire *f)
{
	struct set_event e = { .seq = f->seq, .ns = f->ns, .pid = f->pid, .tid = f->tid, .cpu = f->cpu,
			       .event = f->event, .gen = f->gen };

	memcpy(e.comm, f->comm, sizeof(e.comm));
	return e;
}

static const char *message_lookup(void *arg, const char *step, const char *name, char format)
{
	struct message *msg = arg;
	const struct mf_rule *rule = rule_of(msg->s, msg->fire->rule);
	const struct set_event *e = NULL;
	struct set_event firing = firing_event(msg->fire);
	uint64_t seq = msg->fire->seq;
	const char *text = values_key_name(msg->b->arena, msg->m->key, msg->m->nkey, step, name, format);

	if (text)
		return text;
	if (step) {
		seq = rule ? reason_step(rule, msg->fire->step, 8, step, msg->m->event, seq) : 0;
		if (!seq)
			return NULL;
	}
	e = event_by_seq(msg->s, seq);
	if (!e && seq == msg->fire->seq)
		e = &firing;
	return e ? event_property(msg, e, name, format) : NULL;
}

static void build_match(struct build *b, const struct df_set *s, const struct set_fire *f, struct report_match *m)
{
	const struct mf_rule *rule = rule_of(s, f->rule);
	struct message msg = { .b = b, .s = s, .fire = f, .m = m };

	*m = (struct report_match){
		.rule = rule ? rule->name : arena_printf(b->arena, "rule %llu", (unsigned long long)f->rule),
		.kind = rule ? rule->match : "",
		.detected = rule ? detected(rule, f->event, f->seq, f->step) : NULL,
		.event = event_name(b, s, f->event),
		.act = report_act_name(f->act),
		.ns = f->ns,
		.seq = f->seq,
		.cpu = f->cpu,
		.gen = f->gen,
		.losses = f->losses,
		.task = { .pid = f->pid, .tid = f->tid, .comm = report_comm(b, f->comm) },
	};
	m->key = values_of_key(b->arena, s->mf, key_rule(s, &f->key), &f->key, &m->nkey);
	for (size_t i = 0; i < m->nkey; i++)
		name_pointer(b, &m->key[i]);
	if (rule && rule->message)
		m->reason = reason_format(b->arena, rule->message, message_lookup, &msg);
	else
		m->reason = arena_printf(b->arena, "%s: %s complete with event %s", m->rule,
					 *m->kind ? m->kind : "match", m->event);
}

/* The main verdict of several sets: a panic before a log entry, the earlier panic first. */
static bool outranks(const struct set_fire *x, const struct set_fire *y)
{
	if (!y || x->act != y->act)
		return !y || x->act > y->act;
	return x->act == DF_ACT_PANIC ? x->ns < y->ns : x->ns > y->ns;
}

static void build_verdicts(struct build *b, const struct df_sets *sets)
{
	struct report *r = b->r;
	const struct set_fire *best = NULL;
	size_t n = 0, main_index = 0;

	for (size_t i = 0; i < sets->count; i++) {
		n += sets->sets[i].nfires;
		if (sets->sets[i].verdict && outranks(sets->sets[i].verdict, best)) {
			best = sets->sets[i].verdict;
			b->set = &sets->sets[i];
		}
	}
	r->verdicts = arena_array(b->arena, n + 1, sizeof(*r->verdicts));
	for (size_t i = 0; i < sets->count; i++) {
		for (size_t j = 0; j < sets->sets[i].nfires; j++) {
			if (&sets->sets[i].fires[j] == best)
				main_index = r->nverdicts;
			build_match(b, &sets->sets[i], &sets->sets[i].fires[j], &r->verdicts[r->nverdicts++]);
		}
	}
	if (best)
		r->match = &r->verdicts[main_index];
}

static void build_context(struct build *b, const struct df_sets *sets)
{
	const struct mf_rule *rule = b->set ? rule_of(b->set, b->set->verdict->rule) : NULL;
	const struct mf_machine *machine = b->set ? set_machine(b->set, &b->set->verdict->key) : NULL;
	struct report *r = b->r;
	size_t n = 0;

	r->pins = machine ? machine->pins : 0;
	r->about = rule ? rule->about : NULL;
	r->source = rule ? rule->source : NULL;
	r->context_whole = true;
	for (size_t i = 0; i < sets->count; i++)
		n += sets->sets[i].nhistory;
	r->context = arena_array(b->arena, n + 1, sizeof(*r->context));
	for (size_t i = 0; i < sets->count; i++) {
		const struct df_set *s = &sets->sets[i];

		if (b->select->which == SELECT_VERDICT && s != b->set)
			continue;
		for (size_t j = 0; j < s->nhistory; j++)
			if (s->history[j].selected)
				build_event(b, s, &s->history[j], &r->context[r->ncontext++]);
		r->context_whole = r->context_whole && s->history_whole;
	}
	report_share_paths(r);
}

/* An event's name; with its rule's in front where several rules could be meant. */
static const char *loss_event(struct build *b, const struct df_set *s, const struct df_sets *sets, size_t event)
{
	const struct mf_rule *rule = rule_of(s, s->mf->events[event].rule);

	if ((sets->count == 1 && s->mf->nrules == 1) || !rule)
		return s->mf->events[event].name;
	return arena_printf(b->arena, "%s/%s", rule->name, s->mf->events[event].name);
}

/*
 * "own" counts deadfall's own events, which are left out on purpose; "failed0" ... are parts of conditions; no wait
 * loses anything.
 */
static bool is_loss(const char *counter)
{
	static const char *const work[] = { "seen", "hit", "recorded", "fired", "own" };

	for (size_t i = 0; i < sizeof(work) / sizeof(*work); i++)
		if (!strcmp(counter, work[i]))
			return false;
	return strncmp(counter, "failed", 6) != 0 && strncmp(counter, "delay", 5) != 0;
}

static void build_losses(struct build *b, const struct df_sets *sets, const struct df_set *s)
{
	struct report *r = b->r;

	for (size_t e = 0; s->counters && e < s->mf->nevents; e++) {
		for (size_t i = 0; i < s->ncounters; i++) {
			const struct set_counter *c = &s->counters[e][i];

			if (!c->count)
				continue;
			r->losses = arena_grow(b->arena, r->losses, r->nlosses, sizeof(*r->losses));
			r->losses[r->nlosses++] = (struct report_loss){ .event = loss_event(b, s, sets, e),
									.counter = c->name,
									.count = c->count,
									.is_loss = is_loss(c->name) };
		}
	}
}

static void build_kernel(struct build *b)
{
	char value[256];
	struct err err;

	b->r->release = "";
	if (!kernel_vmcoreinfo(b->k, "OSRELEASE", value, sizeof(value), &err))
		b->r->release = arena_strdup(b->arena, value);
	else
		gaps_add(&b->r->gaps, &err, "kernel release");
	if (!kernel_vmcoreinfo(b->k, "CRASHTIME", value, sizeof(value), NULL))
		b->r->crash_time = arena_strdup(b->arena, value);
}

static void build_dmesg(struct build *b)
{
	struct dmesg d;
	struct err err;

	if (dmesg_tail(b->k, b->arena, REPORT_DMESG_LINES, &d, &err))
		gaps_add(&b->r->gaps, &err, "kernel messages");
	if (d.unreadable)
		gaps_add(&b->r->gaps, &d.why, "%zu of the last %zu kernel messages", d.unreadable, d.count + d.unreadable);
	b->r->dmesg = d.lines;
	b->r->ndmesg = d.count;
}

bool report_parse_key(const char *text, struct set_select *ret)
{
	char *end;

	*ret = (struct set_select){ .which = SELECT_KEY, .rule = ret->rule };
	for (; ret->nparts < 8; text = end + 1) {
		ret->part[ret->nparts++] = strtoull(text, &end, 0);
		if (end == text || (*end && *end != ','))
			return false;
		if (!*end)
			return true;
	}
	return false;
}

struct report *report_build(struct kernel *k, struct arena *a, const char *file, const char *format)
{
	static const struct set_select fired = { .which = SELECT_VERDICT };

	return report_build_selected(k, a, &fired, file, format);
}

struct report *report_build_selected(struct kernel *k, struct arena *a, const struct set_select *select,
				     const char *file, const char *format)
{
	struct report *r = arena_new(a, struct report);
	struct build b = { .r = r, .arena = a, .k = k, .frames = { .k = k, .arena = a },
			   .select = select };
	struct df_sets sets;

	r->arena = a;
	r->gaps.arena = a;
	r->file = arena_strdup(a, file);
	r->format = arena_strdup(a, format);
	r->asked = select->rule ? arena_strdup(a, select->rule) : NULL;
	build_kernel(&b);
	r->all_keys = b.select->which != SELECT_VERDICT;
	r->sets_known = !sets_read(k, a, b.select, &r->gaps, &sets) && sets.known;
	cpus_read(k, a, &r->gaps, &r->cpus);
	build_verdicts(&b, &sets);
	build_context(&b, &sets);
	report_unmatched(&b);
	report_live_keys(&b, &sets);
	for (size_t i = 0; i < sets.count; i++)
		build_losses(&b, &sets, &sets.sets[i]);
	report_stacks(r, &b.frames);
	build_dmesg(&b);
	if (b.set || sets.count) {
		r->wall_offset_ns = (int64_t)(b.set ? b.set : sets.sets)->ctl.wall_offset_ns;
		r->has_wall = r->wall_offset_ns != 0;
	}
	return r;
}
