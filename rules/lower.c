// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/lower_parts.h"

#include <stddef.h>
#include <string.h>

#include "bpf/layout.h"
#include "lib/arena.h"
#include "rules/automaton.h"
#include "rules/layout.h"

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
 * r0 = this CPU's element of a map of the runtime; jumps to `none` if there is no such. The lookup itself: a function for
 * it would cost as much again.
 */
static void lower_element(struct lower *l, const char *map, uint32_t index, uint32_t none)
{
	int16_t key = ir_frame(l->f, 8);

	ir_storei(l->f, 4, BPF_REG_10, key, (int32_t)index);
	ir_address(l->f, BPF_REG_1, map, 0);
	ir_mov(l->f, BPF_REG_2, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_2, key);
	ir_call(l->f, BPF_FUNC_map_lookup_elem);
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, none);
	ir_frame_release(l->f, 8);
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

/* Stored together. */
_Static_assert(offsetof(struct df_rec, stack_word) == offsetof(struct df_rec, nframes) + 2, "nframes and stack_word");
_Static_assert(offsetof(struct df_rec, key.pad) == offsetof(struct df_rec, key.table) + 4, "key.table and key.pad");

/* The parts of the record that do not change, except what differs by table. */
static void lower_constants(struct lower *l)
{
	const struct event *e = l->event;

	ir_comment(l->f, "record: event %u", e->index);
	ir_storei(l->f, 8, IR_REC, REC(ns), 0);
	ir_storei(l->f, 4, IR_REC, REC(event), (int32_t)e->index);
	ir_storei(l->f, 4, IR_REC, REC(flags), (int32_t)rec_flags(l->rule, e));
	ir_storei(l->f, 2, IR_REC, REC(nwords), (int32_t)e->kstack_word);
	ir_storei(l->f, 4, IR_REC, REC(recorded), 0);
	ir_storei(l->f, 4, IR_REC, REC(nframes), (int32_t)e->kstack_word << 16);	/* and stack_word behind it */
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
	ir_storei(l->f, 8, IR_REC, REC(key.table), (int32_t)rec->machine + 1);	/* and pad behind it */
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

/*
 * Parts that && joins, as far as they are counted each when they are false, at most DF_CLAUSES: in their order, a && (b && c)
 * as (a && b) && c.
 */
static uint32_t event_clauses(const struct expr *where)
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
		ir_jcci(l->f, BPF_JEQ, BPF_REG_0, 0, none);
	} else {
		lower_element(l, "df_scratch", l->body->hook, none);
	}
	ir_mov(l->f, IR_REC, BPF_REG_0);
}

/* The engine is done with the record. What it recorded it counted there: here the event's counters are at hand. */
static void lower_release(struct lower *l)
{
	ir_load(l->f, 4, BPF_REG_1, IR_REC, REC(recorded));
	ir_load(l->f, 8, BPF_REG_2, IR_STATS, STAT(recorded));
	ir_alu(l->f, BPF_ADD, BPF_REG_2, BPF_REG_1);
	ir_store(l->f, 8, IR_STATS, STAT(recorded), BPF_REG_2);
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

	lower_element(l, "df_stats", l->event->index, end);
	ir_mov(l->f, IR_STATS, BPF_REG_0);
	count(l, STAT(seen));
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

void lower_body(struct lower *l, uint32_t key_parts, uint32_t end)
{
	ir_line(l->f, l->event->span);
	ir_comment(l->f, "event %s of rule %s", l->event->name, l->rule->name);
	saved_collect(l);
	l->npeeks = 0;
	if (l->body->job == JOB_SAVE) {
		lower_save(l, end);
		return;
	}
	lower_ends(l, end);
	lower_event(l, key_parts, end);
	lower_saved_release(l);
}
