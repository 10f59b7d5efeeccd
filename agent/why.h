/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.h - why a rule has not matched: which parts of conditions were false, how far keys came, what they just missed.
 */
#ifndef AGENT_WHY_H
#define AGENT_WHY_H

#include <jansson.h>

#include "agent/running.h"

/* Lines below an event, and below the events of a rule. */
void why_print_event(const struct info_event *e, const struct df_stats *stats);
void why_print_rule(const struct running *r, uint32_t rule);

/* The same for --json: a list of parts with counts; a list of states. The caller owns them. */
json_t *why_event_json(const struct info_event *e, const struct df_stats *stats);
json_t *why_rule_json(const struct running *r, uint32_t rule);

#endif
