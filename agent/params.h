/* SPDX-License-Identifier: GPL-2.0-or-later */
/* params.h - "window=5s", "rule.window=5s": a parameter of a set and a new value for it. */
#ifndef AGENT_PARAMS_H
#define AGENT_PARAMS_H

#include "agent/setinfo.h"
#include "lib/err.h"

/*
 * Which parameter `text` names, and the value in the rule language's spelling. A name that several rules have needs
 * its rule in front. ERR_INVALID says what is wrong, with the names there are.
 */
int param_parse(const struct set_info *info, const char *text, uint32_t *index, uint64_t *value, struct err *err);

/*
 * "watched+=5", "watched-=5": a set of numbers, and what becomes a member of it, or is to be none any more.
 */
bool is_member_change(const char *text);
int member_parse(const struct set_info *info, const char *text, uint32_t *index, uint64_t *value, bool *removes,
		 struct err *err);

#endif
