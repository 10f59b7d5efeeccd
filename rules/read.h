/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read.h - the tree of a document to a struct rule: shape, names and ranges, expressions parsed but not checked.
 */
#ifndef RULES_READ_H
#define RULES_READ_H

#include "rules/rule.h"
#include "rules/schema.h"

/* Limits, all documented in docs/rule-language.md. */
#define EVENTS_MAX 1024
#define FIELDS_MAX 64
#define KEY_PARTS_MAX 8
#define STEPS_MAX 8
#define STATES_MAX 64
#define TRANSITIONS_MAX 256
#define TABLES_MAX 16
#define SET_VALUES_MAX 4096
#define TEXT_MAX 1024
#define TIME_MAX (365ull * 86400 * 1000000000)

/* Fill *rule from a document; what is wrong is in diags, and the rest is read nevertheless. */
void read_rule(struct reader *r, const struct node *doc, struct rule *rule);

/* read_event.c, read_tables.c: the parts of a rule. */
void read_events(struct reader *r, const struct node *n, struct rule *rule);
uint32_t read_key_parts(struct reader *r, const struct node *n, struct expr ***key);
void read_tables(struct reader *r, const struct node *n, struct rule *rule);
void read_sets(struct reader *r, const struct node *n, struct rule *rule);

/* read_automaton.c */
void read_automaton(struct reader *r, const struct node *n, struct rule *rule);

/* read_match.c: the match of a rule whose events are read. */
void read_match(struct reader *r, const struct node *n, struct rule *rule);

/* The event that a node names, or NULL after an error. */
struct event *read_event_name(struct reader *r, const struct node *n, struct rule *rule);

#endif
