/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason.h - fill in the message of an action: "widget {key:p} freed twice: first by {a.task}".
 *
 * {{ and }} stand for braces. A placeholder is NAME, STEP.NAME, either with :p (hexadecimal pointer), :x or :d. What
 * cannot be resolved stays visible as "?".
 */
#ifndef KDUMP_REASON_H
#define KDUMP_REASON_H

#include "kdump/manifest.h"
#include "lib/arena.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Text of one placeholder, from the arena or static; NULL: not known. step is NULL for a plain NAME. format is 'p',
 * 'x', 'd', or 0 for the value's own.
 */
typedef const char *reason_lookup_fn(void *arg, const char *step, const char *name, char format);

/*
 * The sequence number of the event that STEP of a message stands for, given those that the verdict has for the rule's
 * steps; 0: it is not known. fired is the event that fired, seq its number: the steps of an automaton are those before it,
 * so it stands for its own name only where it did not come before.
 */
uint64_t reason_step(const struct mf_rule *rule, const uint64_t *steps, size_t nsteps, const char *step, const char *fired,
		     uint64_t seq);

/* The message with all placeholders filled in, in the arena. */
const char *reason_format(struct arena *a, const char *message, reason_lookup_fn *lookup, void *arg);

#endif
