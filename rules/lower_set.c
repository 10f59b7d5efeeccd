// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_set.c - from events to programs: which bodies a set has under each hook, the functions that hold them, and the
 * dispatch by a body's number.
 */
#include "rules/lower_parts.h"

#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"

/*
 * Bodies in one function: all jumps must reach over them, so no more begin where the function is that long; and they are
 * few, but a program has no more than 256 functions, so they are more where a set has thousands.
 */
#define BODIES_PER_FUNC 16
#define FUNCS_OF_BODIES 160
#define ITEMS_PER_FUNC 8000

const struct hook_kind hook_kinds[HOOKS] = {
	[HOOK_KPROBE] = { "kprobe", "kprobe.multi", CTX_REGS },
	[HOOK_KRETPROBE] = { "kretprobe", "kretprobe.multi", CTX_REGS },
	[HOOK_SESSION] = { "session", "?kprobe.multi/session", CTX_REGS },
	[HOOK_USDT] = { "usdt", "uprobe", CTX_SITE, .nested = true },
	[HOOK_UPROBE] = { "uprobe", "uprobe", CTX_USER, .nested = true },
	[HOOK_TRACEPOINT] = { "tracepoint", "tracepoint", CTX_RECORD },
	[HOOK_PERF] = { "perf", "perf_event", CTX_PERF },
	[HOOK_FENTRY] = { "fentry", "?" DF_SEC_FENTRY, CTX_TRAMPOLINE, .direct = true, .nested = true, .skip = 2 },
	[HOOK_FEXIT] = { "fexit", "?" DF_SEC_FEXIT, CTX_TRAMPOLINE, .direct = true, .nested = true, .skip = 2 },
	[HOOK_RAWTP] = { "rawtp", "?" DF_SEC_RAWTP, CTX_WORDS, .direct = true, .nested = true, .skip = 2 },
};

/* An event at a return that needs values of the entry. */
static bool needs_entry(const struct event *e)
{
	return e->nargs || e->uses_old || e->times_call;
}

static bool uses_flags(const struct expr *e)
{
	if (!e)
		return false;
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (uses_flags(e->list[i]))
			return true;
	}
	return (e->op == EXPR_BUILTIN && e->index == BUILTIN_IRQS_OFF) || uses_flags(e->a) || uses_flags(e->b) ||
	       uses_flags(e->c);
}

/* What a trampoline cannot tell (whether interrupts were off) keeps an event with kprobe or kretprobe. */
static bool may_be_traced(const struct event *e)
{
	bool flags = uses_flags(e->where);

	for (uint32_t i = 0; i < e->nfields; i++)
		flags = flags || uses_flags(e->fields[i].expr);
	return !flags;
}

static bool may_be_fexit(const struct event *e, enum probe_kind kind)
{
	return kind == PROBE_FEXIT || may_be_traced(e);
}

/*
 * Has an event with such a probe a body under this hook, and for what? A return has several, since it is the target
 * that decides: kretprobe or session, which lose returns when many calls sleep, or fexit, for few functions. So has an
 * entry with a delay: while a kprobe waits, others on its CPU are missed, while fentry waits, none is.
 */
static bool has_body(const struct event *e, enum probe_kind kind, enum hook hook, enum body_job *job)
{
	bool is_return = kind == PROBE_KRETPROBE || kind == PROBE_SESSION || kind == PROBE_FEXIT;

	*job = JOB_EVENT;
	switch (hook) {
	case HOOK_KPROBE:
		return kind == PROBE_KPROBE;
	case HOOK_KRETPROBE:
		return kind == PROBE_KRETPROBE && !needs_entry(e);
	case HOOK_SESSION:
		return kind == PROBE_SESSION || (kind == PROBE_KRETPROBE && needs_entry(e));
	case HOOK_USDT:
		return kind == PROBE_USDT;
	case HOOK_UPROBE:
		return kind == PROBE_UPROBE || kind == PROBE_URETPROBE;
	case HOOK_TRACEPOINT:
		return kind == PROBE_TRACEPOINT;
	case HOOK_PERF:
		return kind == PROBE_INTERVAL || kind == PROBE_PROFILE;
	case HOOK_FENTRY:
		*job = is_return ? JOB_SAVE : JOB_EVENT;
		return kind == PROBE_FENTRY || (kind == PROBE_KPROBE && e->delay_ns && may_be_traced(e)) ||
		       (is_return && (e->uses_old || e->times_call) && may_be_fexit(e, kind));
	case HOOK_FEXIT:
		return is_return && may_be_fexit(e, kind);
	case HOOK_RAWTP:
		return kind == PROBE_RAWTP;
	case HOOKS:
		break;
	}
	return false;
}

bool hook_has_regs(enum hook hook)
{
	return hook < HOOKS && (hook_kinds[hook].context == CTX_REGS || hook_kinds[hook].context == CTX_PERF);
}

/* The decision tree over body numbers [lo, hi): r2 holds the number. */
static void lower_tree(struct ir_func *f, uint32_t first, const uint32_t *labels, uint32_t lo, uint32_t hi)
{
	uint32_t mid = lo + (hi - lo) / 2, right;

	if (hi - lo == 1) {
		ir_jmp(f, labels[lo - first]);
		return;
	}
	right = ir_new_label(f);
	ir_jcci(f, BPF_JGE, BPF_REG_2, (int32_t)mid, right);
	lower_tree(f, first, labels, lo, mid);
	ir_label(f, right);
	lower_tree(f, first, labels, mid, hi);
}

void add_func(struct arena *a, struct code_set *cs, struct ir_func *f)
{
	cs->funcs = arena_grow(a, cs->funcs, cs->nfuncs, sizeof(*cs->funcs));
	ir_drop_dead(f);
	cs->funcs[cs->nfuncs++] = f;
}

static void func_end(struct ir_func *f, uint32_t end)
{
	ir_label(f, end);
	ir_movi(f, BPF_REG_0, 0);
	ir_exit(f);
}

/*
 * The first of n bodies of a hook in one function, at most `most` and as many as it may hold; how many that are. With one
 * body and no number to look at, the function is the program.
 */
static uint32_t lower_func(struct lower *l, struct code_set *cs, struct body *bodies, uint32_t n, uint32_t most,
			   uint32_t key_parts)
{
	uint32_t *labels = arena_array(l->arena, n + 1, sizeof(*labels)), i = 0;
	uint32_t end = ir_new_label(l->f), tree = n > 1 ? ir_new_label(l->f) : 0;

	ir_mov(l->f, IR_CTX, BPF_REG_1);
	if (n > 1)
		ir_jmp(l->f, tree);
	for (; i < n && (!i || (i < most && l->f->n < ITEMS_PER_FUNC)); i++) {
		l->body = &bodies[i];
		l->event = bodies[i].event;
		l->rule = bodies[i].rule;
		bodies[i].func = l->f->name;
		labels[i] = ir_new_label(l->f);
		ir_label(l->f, labels[i]);
		lower_body(l, key_parts, end);
	}
	func_end(l->f, end);
	if (n > 1) {
		ir_label(l->f, tree);
		lower_tree(l->f, bodies[0].number, labels, bodies[0].number, bodies[0].number + i);
	}
	add_func(l->arena, cs, l->f);
	return i;
}

/* To the function that holds body number r2: function c holds those from first[c] on. */
static void lower_choose(struct ir_func *f, const uint32_t *first, const uint32_t *labels, uint32_t lo, uint32_t hi)
{
	uint32_t mid = lo + (hi - lo) / 2, right;

	if (hi - lo == 1) {
		ir_jmp(f, labels[lo]);
		return;
	}
	right = ir_new_label(f);
	ir_jcci(f, BPF_JGE, BPF_REG_2, (int32_t)first[mid], right);
	lower_choose(f, first, labels, lo, mid);
	ir_label(f, right);
	lower_choose(f, first, labels, mid, hi);
}

static uint32_t bodies_per_func(uint32_t n)
{
	return n > BODIES_PER_FUNC * FUNCS_OF_BODIES ? (n + FUNCS_OF_BODIES - 1) / FUNCS_OF_BODIES : BODIES_PER_FUNC;
}

uint64_t lower_functions(uint32_t bodies, uint64_t items)
{
	return 2 + bodies / bodies_per_func(bodies) + items / ITEMS_PER_FUNC;
}

/* df_run_<hook>(ctx, body): holds the bodies, or calls the function that does. */
static void lower_run(struct lower *l, struct code_set *cs, enum hook hook, struct body *bodies, uint32_t n,
		      uint32_t key_parts)
{
	uint32_t most = bodies_per_func(n);
	uint32_t *first = arena_array(l->arena, n + 1, sizeof(*first)), *labels, nfuncs = 0, done = 0, end;
	const char *name = arena_printf(l->arena, "df_run_%s", hook_kinds[hook].name);
	struct ir_func *run = ir_func_new(l->arena, name, ".text", 2);

	for (; done < n; nfuncs++) {
		first[nfuncs] = bodies[done].number;
		l->f = ir_func_new(l->arena, arena_printf(l->arena, "df_%s_%u", hook_kinds[hook].name, nfuncs), ".text", 2);
		done += lower_func(l, cs, bodies + done, n - done, most, key_parts);
	}
	if (nfuncs == 1) {
		l->f->name = name;
		for (uint32_t i = 0; i < n; i++)
			bodies[i].func = name;
		return;
	}
	end = ir_new_label(run);
	labels = arena_array(l->arena, nfuncs + 1, sizeof(*labels));
	for (uint32_t c = 0; c < nfuncs; c++)
		labels[c] = ir_new_label(run);
	if (nfuncs)
		lower_choose(run, first, labels, 0, nfuncs);
	for (uint32_t c = 0; c < nfuncs; c++) {
		ir_label(run, labels[c]);
		ir_call_symbol(run, arena_printf(l->arena, "df_%s_%u", hook_kinds[hook].name, c));
		ir_jmp(run, end);
	}
	func_end(run, end);
	add_func(l->arena, cs, run);
}

/* Make the bodies of one event under one hook: one for each vector of argument positions. */
static void add_bodies(struct arena *a, struct code_set *cs, struct rule *rule, struct event *e, enum hook hook,
		       enum body_job job, const struct probe *probe, uint32_t first)
{
	for (uint32_t i = 0; i < (probe->nfuncs ? probe->nfuncs : 1); i++) {
		uint32_t variant = probe->nfuncs ? probe->funcs[i].body : 0, j;
		struct body *b;

		for (j = first; j < cs->nbodies; j++) {
			if (cs->bodies[j].variant == variant && cs->bodies[j].job == job)
				break;
		}
		if (j < cs->nbodies)
			continue;
		cs->bodies = arena_grow(a, cs->bodies, cs->nbodies, sizeof(*cs->bodies));
		b = &cs->bodies[cs->nbodies++];
		memset(b, 0, sizeof(*b));
		b->event = e;
		b->rule = rule;
		b->hook = hook;
		b->job = job;
		b->variant = variant;
		b->argpos = probe->nfuncs ? probe->funcs[i].argpos : NULL;
		b->number = cs->per_hook[hook]++;
		b->index = cs->nbodies - 1;
	}
}

static void collect_bodies(struct arena *a, struct rule_set *set, enum hook hook, struct code_set *cs)
{
	enum body_job job;

	for (uint32_t r = 0; r < set->nrules; r++) {
		for (uint32_t i = 0; i < set->rules[r].nevents; i++) {
			struct event *e = &set->rules[r].events[i];
			uint32_t first = cs->nbodies;

			/* nothing of it is checked: there is no such function here */
			for (uint32_t p = 0; p < e->nprobes && !e->unresolved; p++) {
				if (has_body(e, e->probes[p].kind, hook, &job))
					add_bodies(a, cs, &set->rules[r], e, hook, job, &e->probes[p], first);
			}
		}
	}
}

static uint32_t longest_key(const struct rule_set *set, const struct automata *am)
{
	uint32_t parts = 1;

	for (uint32_t i = 0; i < set->nevents; i++) {
		for (uint32_t r = 0; r < am->plans[i].nrecordings; r++) {
			if (am->plans[i].recordings[r].nkey > parts)
				parts = am->plans[i].recordings[r].nkey;
		}
	}
	return parts;
}

/* A direct hook: each body is a program. */
static void lower_direct(struct lower *l, struct code_set *cs, enum hook hook, struct body *bodies, uint32_t key_parts)
{
	for (uint32_t i = 0; i < cs->per_hook[hook]; i++) {
		const char *name = arena_printf(l->arena, "df_%s_%u", hook_kinds[hook].name, i);

		l->f = ir_func_new(l->arena, name, hook_kinds[hook].section, 1);
		l->f->frame_limit = IR_FRAME_DIRECT;
		lower_func(l, cs, &bodies[i], 1, 1, key_parts);
	}
}

void lower_set(struct arena *a, struct diags *diags, struct core_types *core, struct rule_set *set,
	       const struct automata *am, struct code_set *ret)
{
	struct lower l = { .arena = a, .diags = diags, .core = core, .set = set, .am = am, .cs = ret };
	uint32_t key_parts = longest_key(set, am);

	memset(ret, 0, sizeof(*ret));
	ret->bodies = arena_array(a, 1, sizeof(*ret->bodies));
	for (enum hook hook = 0; hook < HOOKS; hook++) {
		uint32_t first = ret->nbodies;

		ret->first_func[hook] = ret->nfuncs;
		collect_bodies(a, set, hook, ret);
		if (hook_kinds[hook].direct) {
			lower_direct(&l, ret, hook, ret->bodies + first, key_parts);
		} else if (ret->per_hook[hook] == 1) {
			ret->single[hook] = arena_printf(a, "df_only_%s", hook_kinds[hook].name);
			l.f = ir_func_new(a, ret->single[hook], hook_kinds[hook].section, 1);
			lower_func(&l, ret, &ret->bodies[first], 1, 1, key_parts);
			lower_run(&l, ret, hook, NULL, 0, key_parts);
		} else {
			lower_run(&l, ret, hook, ret->bodies + first, ret->per_hook[hook], key_parts);
		}
	}
	ret->first_func[HOOKS] = ret->nfuncs;
	lower_guards(&l, ret);
}
