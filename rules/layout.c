// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/layout.h"

#include "bpf/layout.h"

/* Birth, death and steps of one generation. */
#define PINS_PER_GENERATION 4

static uint32_t words_of(uint32_t bytes)
{
	return (bytes + 7) / 8;
}

bool field_is_string(const struct field *f)
{
	const struct type *t = f->expr->type;

	return t->kind == TYPE_STR || (t->kind == TYPE_ARRAY && t->target->is_char);
}

/* Payload words of a field: 1, or those of a string. */
static uint32_t field_words(const struct field *f)
{
	uint32_t size = f->expr->type->size;

	if (!field_is_string(f))
		return 1;
	return words_of(size ? size : STR_DEFAULT);
}

uint32_t event_mask_word(const struct event *e)
{
	uint32_t word = 0;

	if (!e->nfields && !e->nbytes)
		return PAYLOAD_NO_MASK;
	for (uint32_t i = 0; i < e->nfields; i++)
		word += e->fields[i].words;
	return word;
}

uint32_t rule_pins(const struct rule *r)
{
	uint32_t steps = r->match.nsteps;

	return (steps > PINS_PER_GENERATION ? steps : PINS_PER_GENERATION) * (r->generations ? r->generations : 2);
}

static void layout_event(struct event *e, struct diags *diags)
{
	uint32_t at = 0, mask;

	for (uint32_t i = 0; i < e->nfields; i++) {
		e->fields[i].word = at;
		e->fields[i].words = field_words(&e->fields[i]);
		at += e->fields[i].words;
	}
	mask = event_mask_word(e);
	if (mask != PAYLOAD_NO_MASK)
		at++;
	for (uint32_t i = 0; i < e->nbytes; i++) {
		e->bytes[i].word = at;
		e->bytes[i].words = words_of(e->bytes[i].len);
		at += e->bytes[i].words;
	}
	if (e->keep & KEEP_USTACK) {
		e->ustack_word = at;
		at += 1 + USTACK_DEPTH * USTACK_FRAME_WORDS;
	}
	if (e->keep & KEEP_LBR) {
		e->lbr_word = at;
		at += 1 + LBR_DEPTH * LBR_ENTRY_WORDS;
	}
	e->kstack_word = at;
	if (!(e->keep & KEEP_KSTACK))
		e->kstack_depth = 0;
	else if (!e->kstack_depth)
		e->kstack_depth = DF_STACK_DEPTH;
	at += e->kstack_depth;
	e->nwords = at;
	if (at > DF_WORDS)
		diag_error(diags, TAG_TOO_BIG, e->span, "event '%s' keeps %u bytes, the most are %u", e->name, at * 8,
			   DF_WORDS * 8);
}

void layout_events(struct rule_set *set, struct diags *diags)
{
	for (uint32_t i = 0; i < set->nevents; i++)
		layout_event(set->events[i], diags);
}

bool match_has_deadline(const struct match *m)
{
	for (uint32_t i = 0; i < m->nstates; i++) {
		if (m->states[i].deadline)
			return true;
	}
	return m->kind == MATCH_MISSING;
}

uint32_t layout_words(const struct rule_set *set)
{
	uint32_t words = 4;

	for (uint32_t i = 0; i < set->nevents; i++)
		words = set->events[i]->nwords > words ? set->events[i]->nwords : words;
	/* a deadline's event is the stack of the task it waited for */
	for (uint32_t i = 0; i < set->nrules; i++) {
		if (match_has_deadline(&set->rules[i].match) && words < DF_STACK_DEPTH)
			words = DF_STACK_DEPTH;
	}
	return (words + 3) & ~3u;
}

void layout_set(const struct rule_set *set, const struct automata *am, struct set_layout *ret)
{
	struct set_layout s = { .key_parts = 1, .words = layout_words(set) };

	for (uint32_t i = 0; i < set->nevents; i++) {
		const struct event_plan *p = &am->plans[i];

		for (uint32_t r = 0; r < p->nrecordings; r++) {
			if (p->recordings[r].nkey > s.key_parts)
				s.key_parts = p->recordings[r].nkey;
		}
	}
	*ret = s;
}
