/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * said.h - what a rule says when it matches and the machine runs on: its message, filled in from the event that
 * completed the match, and from those of earlier steps. What is not known of them is "?".
 */
#ifndef AGENT_SAID_H
#define AGENT_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/told.h"
#include "bpf/layout.h"
#include "kdump/manifest.h"

struct symbols;

/*
 * The message of the match that this record completed, in the arena; NULL: the rule has none. syms are for {func}, and
 * are only looked at if said_needs_symbols(). fault: what it detected, or NULL (kdump/detected.h).
 */
const char *said_message(struct arena *a, const struct manifest *mf, const struct symbols *syms, uint32_t rule,
			 const struct df_rec *rec, const struct mf_fault *fault, const struct told *told);

bool said_needs_symbols(const struct manifest *mf, uint32_t rule);

#endif
