// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/lower_parts.h"

#include <stddef.h>
#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"
#include "rules/automaton.h"
#include "rules/layout.h"

/* Bodies in one function: their decision tree and all jumps must reach over them. */
#define BODIES_PER_FUNC 16

const struct hook_kind hook_kinds[HOOKS] = {
	[HOOK_KPROBE] = { "kprobe", "kprobe.multi", CTX_REGS },
	[HOOK_KRETPROBE] = { "kretprobe", "kretprobe.multi", CTX_REGS },
	[HOOK_SESSION] = { "session", "?kprobe.multi/session", CTX_REGS },
	[HOOK_USDT] = { "usdt", "uprobe", CTX_SITE, .nested = true },
	[HOOK_UPROBE] = { "uprobe", "uprobe", CTX_USER, .nested = true },
	[HOOK_TRACEPOINT] = { "tracepoint", "tracepoint", CTX_RECORD },
	[HOOK_PERF] = { "perf", "perf_event", CTX_PERF },
	[HOOK_FENTRY] = { "fentry", "?fentry", CTX_TRAMPOLINE, .direct = true, .nested = true, .skip = 2 },
	[HOOK_FEXIT] = { "fexit", "?fexit", CTX_TRAMPOLINE, .direct = true, .nested = true, .skip = 2 },
	[HOOK_RAWTP] = { "rawtp", "?tp_btf", CTX_WORDS, .direct = true, .nested = true, .skip = 2 },
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

#define STAT(member) ((int16_t)offsetof(struct df_stats, member))
#define REC(member) ((int16_t)offsetof(struct df_rec, member))
#define REC_WORD(i) ((int16_t)(offsetof(struct df_rec, w) + 8 * (i)))
#define REC_VAL(i) ((int16_t)(offsetof(struct df_rec, val) + 8 * (i)))
#define REC_KEY(i) ((int16_t)(offsetof(struct df_rec, key.part) + 8 * (i)))

static void count(struct lower *l, int16_t counter)
{
	ir_load(l->f, 8, BPF_REG_1, IR_STATS, counter);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, 1);
	ir_store(l->f, 8, IR_STATS, counter, BPF_REG_1);
}

/*
 * What the agent does itself is left out, but not where it prevents a match: an object that it allocated is freed by
 * another, in RCU's time; and what is counted up and down is counted for all.
 */
static bool counts_own(const struct rule *rule, const struct event *e)
{
	return (e->roles & ROLE_PREVENTS) || rule->match.kind == MATCH_BALANCE;
}

static uint32_t rec_flags(const struct rule *rule, const struct event *e)
{
	return (e->birth ? DF_BIRTH : 0) | (e->death ? DF_DEATH : 0) | (e->keep & KEEP_PIN ? DF_PIN : 0) |
	       (counts_own(rule, e) ? DF_OWN : 0);
}

/* The parts of the record that do not change, except what differs by table. */
static void lower_constants(struct lower *l)
{
	const struct event *e = l->event;

	ir_comment(l->f, "record: event %u", e->index);
	ir_storei(l->f, 8, IR_REC, REC(ns), 0);
	ir_storei(l->f, 4, IR_REC, REC(event), (int32_t)e->index);
	ir_storei(l->f, 4, IR_REC, REC(flags), (int32_t)rec_flags(l->rule, e));
	ir_storei(l->f, 2, IR_REC, REC(nwords), (int32_t)e->kstack_word);
	ir_storei(l->f, 2, IR_REC, REC(nframes), 0);
	ir_storei(l->f, 2, IR_REC, REC(stack_word), (int32_t)e->kstack_word);
}

static void lower_key(struct lower *l, const struct recording *rec, uint32_t parts, uint32_t fail)
{
	for (uint32_t i = 0; i < parts; i++) {
		if (i >= rec->nkey) {
			ir_storei(l->f, 8, IR_REC, REC_KEY(i), 0);
			continue;
		}
		ir_line(l->f, rec->key[i]->span);
		lower_value(l, rec->key[i], 0, fail);
		ir_store(l->f, 8, IR_REC, REC_KEY(i), IR_REG(0));
	}
}

/* A string field: bytes of a char array, or up to the NUL behind a char pointer. */
static void lower_string(struct lower *l, const struct field *field, uint32_t fail)
{
	const struct expr *e = field->expr;
	bool is_array = e->type->kind == TYPE_ARRAY;
	uint32_t size = e->type->size;

	if (!is_array) {
		lower_text_to(l, e, IR_REC, REC_WORD(field->word), e->type->size, fail);
		return;
	}
	lower_address(l, e, 0, fail);
	ir_mov(l->f, BPF_REG_3, IR_REG(0));
	ir_mov(l->f, BPF_REG_1, IR_REC);
	ir_alui(l->f, BPF_ADD, BPF_REG_1, REC_WORD(field->word));
	ir_movi(l->f, BPF_REG_2, size);
	ir_call(l->f, BPF_FUNC_probe_read_kernel);
	ir_jcci(l->f, BPF_JSLT, BPF_REG_0, 0, fail);
}

static void lower_field(struct lower *l, const struct field *field, uint32_t index, uint32_t mask_word)
{
	uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);

	ir_line(l->f, field->expr->span);
	if (field_is_string(field)) {
		lower_string(l, field, fail);
	} else {
		lower_value(l, field->expr, 0, fail);
		ir_store(l->f, 8, IR_REC, REC_WORD(field->word), IR_REG(0));
	}
	ir_jmp(l->f, done);
	ir_label(l->f, fail);
	ir_comment(l->f, "%s is unknown", field->name);
	ir_storei(l->f, 8, IR_REC, REC_WORD(field->word), 0);
	ir_load(l->f, 8, BPF_REG_1, IR_REC, REC_WORD(mask_word));
	ir_movi(l->f, BPF_REG_2, 1ULL << index);
	ir_alu(l->f, BPF_OR, BPF_REG_1, BPF_REG_2);
	ir_store(l->f, 8, IR_REC, REC_WORD(mask_word), BPF_REG_1);
	count(l, STAT(field_unknown));
	ir_label(l->f, done);
}

static void lower_fields(struct lower *l)
{
	uint32_t mask = event_mask_word(l->event);

	if (mask == PAYLOAD_NO_MASK)
		return;
	ir_storei(l->f, 8, IR_REC, REC_WORD(mask), 0);
	for (uint32_t i = 0; i < l->event->nfields; i++)
		lower_field(l, &l->event->fields[i], i, mask);
}

/* The stack is taken here and not in the engine: here it begins at the probed function, and costs a quarter. */
static void lower_kstack(struct lower *l)
{
	uint32_t done = ir_new_label(l->f);

	if (!l->event->kstack_depth)
		return;
	ir_comment(l->f, "kernel stack");
	ir_mov(l->f, BPF_REG_1, IR_CTX);
	ir_mov(l->f, BPF_REG_2, IR_REC);
	ir_alui(l->f, BPF_ADD, BPF_REG_2, REC_WORD(l->event->kstack_word));
	ir_movi(l->f, BPF_REG_3, l->event->kstack_depth * 8);
	ir_movi(l->f, BPF_REG_4, hook_kinds[l->body->hook].skip);
	ir_call(l->f, BPF_FUNC_get_stack);
	ir_jcci(l->f, BPF_JSLE, BPF_REG_0, 0, done);
	ir_alui(l->f, BPF_RSH, BPF_REG_0, 3);
	ir_store(l->f, 2, IR_REC, REC(nframes), BPF_REG_0);
	ir_alui(l->f, BPF_ADD, BPF_REG_0, (int32_t)l->event->kstack_word);
	ir_store(l->f, 2, IR_REC, REC(nwords), BPF_REG_0);
	ir_label(l->f, done);
}

/* What an unknown condition does: nothing, or (where the event prevents a fire) it counts as the event. */
static void lower_unknown(struct lower *l, uint32_t unknown, uint32_t hit, int16_t flag, uint32_t end)
{
	ir_label(l->f, unknown);
	ir_comment(l->f, "the condition is unknown");
	count(l, STAT(unknown));
	if (!(l->event->roles & ROLE_PREVENTS)) {
		ir_jmp(l->f, end);
		return;
	}
	ir_storei(l->f, 8, BPF_REG_10, flag, 1);
	ir_jmp(l->f, hit);
}

/* The stack that lower_kstack took, as a number. */
static void lower_stack_value(struct lower *l, uint32_t fail)
{
	ir_load(l->f, 2, BPF_REG_3, IR_REC, REC(nframes));
	ir_jcci(l->f, BPF_JEQ, BPF_REG_3, 0, fail);
	ir_mov(l->f, BPF_REG_1, IR_REC);
	ir_movi(l->f, BPF_REG_2, l->event->kstack_word);
	ir_call_symbol(l->f, "df_stack_hash");
	ir_mov(l->f, IR_REG(0), BPF_REG_0);
}

/* A text is kept as a number. */
static void lower_kept(struct lower *l, const struct expr *e, uint32_t fail)
{
	if (e->type->kind == TYPE_STR)
		lower_text_hash(l, e, 0, fail);
	else
		lower_value(l, e, 0, fail);
}

/* Values for guards and registers: val[], with a mask of those that could not be read. */
static void lower_values(struct lower *l)
{
	const struct event_plan *p = &l->am->plans[l->event->index];

	if (!p->value_mask)
		return;
	ir_storei(l->f, 4, IR_REC, REC(val_bad), 0);
	for (uint32_t i = 0; i < DF_VALS; i++) {
		const struct value *v = &p->values[i];
		uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);

		if (!(p->value_mask >> i & 1))
			continue;
		switch (v->kind) {
		case VALUE_FIELD:
			lower_kept(l, v->field->expr, fail);
			break;
		case VALUE_EXPR:
			lower_kept(l, v->expr, fail);
			break;
		case VALUE_KSTACK:
			lower_stack_value(l, fail);
			break;
		case VALUE_TID:
			ir_call(l->f, BPF_FUNC_get_current_pid_tgid);
			ir_mov32(l->f, IR_REG(0), BPF_REG_0);
			break;
		case VALUE_NS:
			ir_call(l->f, BPF_FUNC_ktime_get_ns);
			ir_mov(l->f, IR_REG(0), BPF_REG_0);
			break;
		}
		ir_store(l->f, 8, IR_REC, REC_VAL(i), IR_REG(0));
		ir_jmp(l->f, done);
		ir_label(l->f, fail);
		ir_load(l->f, 4, BPF_REG_1, IR_REC, REC(val_bad));
		ir_alui(l->f, BPF_OR, BPF_REG_1, 1 << i);
		ir_store(l->f, 4, IR_REC, REC(val_bad), BPF_REG_1);
		ir_label(l->f, done);
	}
}

/* An event of the rule is not recorded: nobody knows which match it would have changed. */
static void lower_loss(struct lower *l)
{
	ir_movi(l->f, BPF_REG_1, l->rule->index);
	ir_call_symbol(l->f, "df_lose");
}

/* The record is full: to the engine. */
static void lower_send(struct lower *l)
{
	const struct hook_kind *kind = &hook_kinds[l->body->hook];

	if (kind->nested)
		ir_load(l->f, 4, BPF_REG_1, IR_REC, REC(slot));
	else
		ir_movi(l->f, BPF_REG_1, l->body->hook);
	ir_call_symbol(l->f, kind->direct ? "df_direct" : "df_hit");
}

/* The event in one of its tables: machine, column, key; then the engine. unknown: the flag's place, 0: none. */
static void lower_recording(struct lower *l, const struct recording *rec, uint32_t key_parts, int16_t unknown)
{
	uint32_t bad_key = ir_new_label(l->f), done = ir_new_label(l->f), known = ir_new_label(l->f);
	bool key_fails = false;

	for (uint32_t i = 0; i < rec->nkey; i++)
		key_fails = key_fails || expr_fails(l, rec->key[i]);
	ir_storei(l->f, 4, IR_REC, REC(machine), (int32_t)rec->machine);
	ir_storei(l->f, 4, IR_REC, REC(key.table), (int32_t)rec->machine + 1);
	ir_storei(l->f, 4, IR_REC, REC(key.pad), 0);
	ir_storei(l->f, 2, IR_REC, REC(col), rec->col);
	if (unknown && rec->col != DF_NO_COL) {
		ir_load(l->f, 8, BPF_REG_1, BPF_REG_10, unknown);
		ir_jcci(l->f, BPF_JEQ, BPF_REG_1, 0, known);
		ir_storei(l->f, 4, IR_REC, REC(flags), (int32_t)(rec_flags(l->rule, l->event) | DF_UNKNOWN));
		ir_storei(l->f, 2, IR_REC, REC(col), rec->col + 1);
		ir_label(l->f, known);
	}
	lower_key(l, rec, key_parts, bad_key);
	ir_line(l->f, l->event->span);
	lower_send(l);
	if (!key_fails)
		return;
	ir_jmp(l->f, done);
	ir_label(l->f, bad_key);
	ir_comment(l->f, "the key is unknown");
	count(l, STAT(key_unknown));
	if (rec->col != DF_NO_COL)
		lower_loss(l);
	ir_label(l->f, done);
}

/* Parts that && joins, as far as they are counted each: in their order, a && (b && c) as (a && b) && c. */
uint32_t event_clauses(const struct expr *where)
{
	uint32_t n;

	if (where->op != EXPR_LAND)
		return 1;
	n = event_clauses(where->a) + event_clauses(where->b);
	return n < DF_CLAUSES ? n : DF_CLAUSES;
}

static void lower_where(struct lower *l, int16_t flag, bool may_be_unknown, uint32_t hit, uint32_t end)
{
	uint32_t unknown = ir_new_label(l->f), clauses[DF_CLAUSES], n = 0;
	const struct expr *where = l->event->where;

	if (may_be_unknown && (l->event->roles & ROLE_PREVENTS))
		ir_storei(l->f, 8, BPF_REG_10, flag, 0);
	if (where) {
		for (n = 0; n < event_clauses(where); n++)
			clauses[n] = ir_new_label(l->f);
		ir_line(l->f, where->span);
		l->clauses = where->op == EXPR_LAND ? clauses : NULL;
		lower_cond(l, where, hit, clauses[0], unknown, may_be_unknown ? unknown : hit);
		l->clauses = NULL;
	}
	if (may_be_unknown)
		lower_unknown(l, unknown, hit, flag, end);
	else
		ir_label(l->f, unknown);
	if (!n)
		return;
	/* only reached by jumps: what was not false goes on behind */
	ir_jmp(l->f, hit);
	for (uint32_t i = 0; i < n; i++) {
		ir_label(l->f, clauses[i]);
		count(l, (int16_t)(STAT(failed0) + 8 * i));
		ir_jmp(l->f, end);
	}
}

/* Offset of ip in struct pt_regs. */
#define PT_REGS_IP 128

/* Where it happened: the probed function, the user's instruction, or (tracepoints) nowhere in particular. */
static void lower_ip(struct lower *l)
{
	switch (hook_kinds[l->body->hook].context) {
	case CTX_REGS:
	case CTX_TRAMPOLINE:
		ir_mov(l->f, BPF_REG_1, IR_CTX);
		ir_call(l->f, BPF_FUNC_get_func_ip);
		break;
	case CTX_SITE:
	case CTX_USER:
	case CTX_PERF:
		ir_load(l->f, 8, BPF_REG_0, IR_CTX, PT_REGS_IP);
		break;
	default:
		ir_movi(l->f, BPF_REG_0, 0);
	}
	ir_store(l->f, 8, IR_REC, REC(ip), BPF_REG_0);
}

/* A record to fill: that of the hook, or one that is free; jumps to `none`. */
static void lower_take(struct lower *l, uint32_t none)
{
	if (hook_kinds[l->body->hook].nested) {
		ir_call_symbol(l->f, "df_take");
	} else {
		ir_movi(l->f, BPF_REG_1, l->body->hook);
		ir_call_symbol(l->f, "df_record");
	}
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, none);
	ir_mov(l->f, IR_REC, BPF_REG_0);
}

static void lower_release(struct lower *l)
{
	if (hook_kinds[l->body->hook].nested)
		ir_storei(l->f, 4, IR_REC, REC(busy), 0);
}

/* Is the function over when the event happens? */
static bool is_at_return(const struct lower *l)
{
	enum hook hook = l->body->hook;
	bool user_return = hook == HOOK_UPROBE && l->event->probes[0].kind == PROBE_URETPROBE;

	return hook == HOOK_KRETPROBE || hook == HOOK_SESSION || hook == HOOK_FEXIT || user_return;
}

/* A session's body is called at both ends of a call; at a return the values of the entry come back first. */
static void lower_ends(struct lower *l, uint32_t end)
{
	uint32_t is_return;

	if (!l->saved.n && l->body->hook != HOOK_SESSION)
		return;
	if (l->body->hook == HOOK_SESSION) {
		is_return = ir_new_label(l->f);
		ir_call_symbol(l->f, "df_is_return");
		ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, is_return);
		if (l->saved.n)
			lower_save(l, end);
		else
			ir_jmp(l->f, end);
		ir_label(l->f, is_return);
	}
	if (l->saved.n)
		lower_saved(l);
}

/* One event, from "the probe was hit" to "the engine has it"; ends by jumping to `end`. */
static void lower_event(struct lower *l, uint32_t key_parts, uint32_t end)
{
	const struct event_plan *p = &l->am->plans[l->event->index];
	uint32_t hit = ir_new_label(l->f), none = ir_new_label(l->f);
	bool may_be_unknown = l->event->where && expr_fails(l, l->event->where);
	bool keeps_unknown = may_be_unknown && (l->event->roles & ROLE_PREVENTS);
	int16_t flag = ir_frame(l->f, 8);

	ir_movi(l->f, BPF_REG_1, l->event->index);
	ir_call_symbol(l->f, "df_begin");
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, end);
	ir_mov(l->f, IR_STATS, BPF_REG_0);
	lower_where(l, flag, may_be_unknown, hit, end);
	ir_label(l->f, hit);
	ir_line(l->f, l->event->span);
	count(l, STAT(hit));
	/* the wait is never between what is recorded and what it is recorded of */
	if (!is_at_return(l))
		lower_delay(l);
	lower_take(l, none);
	lower_constants(l);
	lower_fields(l);
	ir_line(l->f, l->event->span);
	lower_ip(l);
	lower_keep(l);
	lower_kstack(l);
	lower_values(l);
	for (uint32_t i = 0; i < p->nrecordings; i++)
		lower_recording(l, &p->recordings[i], key_parts, keeps_unknown ? flag : 0);
	lower_release(l);
	if (is_at_return(l))
		lower_delay(l);
	ir_jmp(l->f, end);
	ir_label(l->f, none);
	ir_comment(l->f, "no record is free");
	count(l, STAT(busy));
	lower_loss(l);
	ir_jmp(l->f, end);
	ir_frame_release(l->f, 8);
}

static void lower_body(struct lower *l, uint32_t key_parts, uint32_t end)
{
	ir_line(l->f, l->event->span);
	ir_comment(l->f, "event %s of rule %s", l->event->name, l->rule->name);
	saved_collect(l);
	if (l->body->job == JOB_SAVE) {
		lower_save(l, end);
		return;
	}
	lower_ends(l, end);
	lower_event(l, key_parts, end);
	lower_saved_release(l);
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

/* Bodies [first, first + n) of a hook in one function; with one body and no number to look at, it is the program. */
static void lower_func(struct lower *l, struct code_set *cs, struct body *bodies, uint32_t n, uint32_t key_parts)
{
	uint32_t *labels = arena_array(l->arena, n + 1, sizeof(*labels)), end = ir_new_label(l->f);

	ir_mov(l->f, IR_CTX, BPF_REG_1);
	for (uint32_t i = 0; i < n; i++)
		labels[i] = ir_new_label(l->f);
	if (n > 1)
		lower_tree(l->f, bodies[0].number, labels, bodies[0].number, bodies[0].number + n);
	for (uint32_t i = 0; i < n; i++) {
		l->body = &bodies[i];
		l->event = bodies[i].event;
		l->rule = bodies[i].rule;
		bodies[i].func = l->f->name;
		ir_label(l->f, labels[i]);
		lower_body(l, key_parts, end);
	}
	func_end(l->f, end);
	add_func(l->arena, cs, l->f);
}

/* df_run_<hook>(ctx, body): calls the function that holds the body. */
static void lower_run(struct lower *l, struct code_set *cs, enum hook hook, struct body *bodies, uint32_t n,
		      uint32_t key_parts)
{
	uint32_t chunks = (n + BODIES_PER_FUNC - 1) / BODIES_PER_FUNC, end, *labels, c;
	const char *name = arena_printf(l->arena, "df_run_%s", hook_kinds[hook].name);
	struct ir_func *run = ir_func_new(l->arena, name, ".text", 2);

	if (chunks == 1) {
		l->f = run;
		lower_func(l, cs, bodies, n, key_parts);
		return;
	}
	end = ir_new_label(run);
	labels = arena_array(l->arena, chunks + 1, sizeof(*labels));
	for (c = 0; c < chunks; c++)
		labels[c] = ir_new_label(run);
	if (chunks) {
		ir_mov(run, BPF_REG_3, BPF_REG_2);
		ir_alui(run, BPF_DIV, BPF_REG_2, BODIES_PER_FUNC);
		lower_tree(run, 0, labels, 0, chunks);
	}
	for (c = 0; c < chunks; c++) {
		uint32_t first = c * BODIES_PER_FUNC, left = n - first;

		name = arena_printf(l->arena, "df_%s_%u", hook_kinds[hook].name, c);
		l->f = ir_func_new(l->arena, name, ".text", 2);
		lower_func(l, cs, bodies + first, left < BODIES_PER_FUNC ? left : BODIES_PER_FUNC, key_parts);
		ir_label(run, labels[c]);
		ir_mov(run, BPF_REG_2, BPF_REG_3);
		ir_call_symbol(run, name);
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
		lower_func(l, cs, &bodies[i], 1, key_parts);
	}
}

void lower_set(struct arena *a, struct diags *diags, struct core_types *core, struct rule_set *set,
	       const struct automata *am, struct code_set *ret)
{
	struct lower l = { .arena = a, .diags = diags, .core = core, .set = set, .am = am, .cs = ret };
	uint32_t key_parts = longest_key(set, am);

	memset(ret, 0, sizeof(*ret));
	for (enum hook hook = 0; hook < HOOKS; hook++) {
		uint32_t first = ret->nbodies;

		collect_bodies(a, set, hook, ret);
		if (hook_kinds[hook].direct) {
			lower_direct(&l, ret, hook, ret->bodies + first, key_parts);
		} else if (ret->per_hook[hook] == 1) {
			ret->single[hook] = arena_printf(a, "df_only_%s", hook_kinds[hook].name);
			l.f = ir_func_new(a, ret->single[hook], hook_kinds[hook].section, 1);
			lower_func(&l, ret, &ret->bodies[first], 1, key_parts);
			lower_run(&l, ret, hook, NULL, 0, key_parts);
		} else {
			lower_run(&l, ret, hook, ret->bodies + first, ret->per_hook[hook], key_parts);
		}
	}
	lower_guards(&l, ret);
}
