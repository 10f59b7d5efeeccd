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
#define TEXT_MAX 1024
#define TIME_MAX (365ull * 86400 * 1000000000)

/* Fill *rule from a document; what is wrong is in diags, and the rest is read nevertheless. */
void read_rule(struct reader *r, const struct node *doc, struct rule *rule);

/* read_match.c: the match of a rule whose events are read. */
void read_match(struct reader *r, const struct node *n, struct rule *rule);

/* The event that a node names, or NULL after an error. */
struct event *read_event_name(struct reader *r, const struct node *n, struct rule *rule);

#endif
