/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - where things lie in an event's payload, and how large a set's records and tables are.
 *
 * Payload: one word per scalar field, whole words for strings and bytes, one word for the mask of fields that
 * could not be read (only if one can fail), last the kernel stack, so that only the frames there are copied.
 */
#ifndef RULES_LAYOUT_H
#define RULES_LAYOUT_H

#include "rules/diag.h"
#include "rules/automaton.h"
#include "rules/rule.h"

#define PAYLOAD_NO_MASK (~0u)

struct set_layout {
	uint32_t key_parts;	/* of the longest key */
	uint32_t words;		/* of the longest payload, a multiple of 4 */
};

/*
 * User stacks are kept by build-id and offset (struct bpf_stack_build_id: status, 20 bytes of build-id, offset or
 * address; 32 bytes), so that they can be read without the process: a word with the number of frames, then these.
 * Branch records are struct perf_branch_entry: from, to, flags; 24 bytes.
 */
#define USTACK_DEPTH 12
#define USTACK_FRAME_WORDS 4
#define LBR_DEPTH 16
#define LBR_ENTRY_WORDS 3

/* Keys that the smallest table holds: as many as a new key may try. Sizes are powers of two. */
#define SLOTS_MIN 8
/* ... that of a rule which does not say how many. */
#define SLOTS_UNSAID 64

/* Sets field->word, event->nwords ... of all events. Errors (payload too long) are diagnostics. */
void layout_events(struct rule_set *set, struct diags *diags);

/* Payload words of every event of the set, whose events are laid out: those of the longest, a multiple of 4. */
uint32_t layout_words(const struct rule_set *set);

/* May the match fire, or go on, because time has passed? */
bool match_has_deadline(const struct match *m);

/* Sizes of a set whose automata are built. */
void layout_set(const struct rule_set *set, const struct automata *am, struct set_layout *ret);

/* Bytes of a string whose length nothing tells. */
#define STR_DEFAULT 64

bool field_is_string(const struct field *f);

/* The word that holds the mask of unreadable fields, or PAYLOAD_NO_MASK. */
uint32_t event_mask_word(const struct event *e);

/* Pinned events that a key of the rule holds. */
uint32_t rule_pins(const struct rule *r);

#endif
