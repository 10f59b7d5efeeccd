/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell.h - what `deadfall run` says on stdout while a set is loaded: a line of text each, or with --json a JSON document
 * each, {"what": "armed", "text": the line} or, for a match, what docs/json.md says.
 */
#ifndef AGENT_TELL_H
#define AGENT_TELL_H

#include <stdbool.h>

#include "agent/setinfo.h"
#include "bpf/layout.h"
#include "kdump/manifest.h"

/*
 * Say what happened, in one word and in one line (without the end of line). Lines that find no room are counted, and that is
 * told before the next one.
 */
void tell(bool json, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * A rule matched: verdict is what was done, message the rule's own or NULL; fault what a lifecycle detected, or NULL.
 * only_logged: why it was not more, or NULL.
 */
void tell_match(bool json, const struct set_info *info, const struct df_said *s, const char *verdict, const struct mf_fault *fault,
		const char *only_logged, const char *message);

#endif
