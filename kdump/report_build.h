/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_build.h - what the files that build a report share: report.c and report_live.c, _owners.c, _kept.c. */
#ifndef KDUMP_REPORT_BUILD_H
#define KDUMP_REPORT_BUILD_H

#include "kdump/frames.h"
#include "kdump/mappings.h"

/* State of the building. */
struct build {
	struct report *r;
	struct arena *arena;
	struct kernel *k;
	struct frames frames;
	const struct set_select *select;
	const struct df_set *set;	/* the one with the main verdict, or NULL */
	struct {
		uint64_t pid;
		struct mappings mappings;
	} *mapped;			/* processes whose mappings were looked for */
	size_t nmapped;
};

const char *report_act_name(uint64_t act);

/* The name of a task, which may be any bytes, as printable text. */
const char *report_comm(struct build *b, const char *comm);

/*
 * The rule that names the parts of a key: that of its table, if it is the rule's own (the first of its tables). NULL:
 * the parts have no names.
 */
const struct mf_rule *report_key_rule(const struct df_set *s, const struct set_key *key);

/* Live keys, automata, rules, sets and marks. */
void report_live_keys(struct build *b, const struct df_sets *sets);

/* The owners of a balance that is out, after the verdicts. */
void report_unmatched(struct build *b);

/* What an event keeps beside fields and kernel stack: user stack, branches. */
void report_kept(struct build *b, const struct mf_event *def, const struct set_event *e, struct report_event *ret);

/* The process of an event may have ended; where another event knows what file its build-id is, it is told, too. */
void report_share_paths(struct report *r);

#endif
