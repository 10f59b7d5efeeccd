/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values.h - words of a payload or key as typed values, by the manifest.
 */
#ifndef KDUMP_VALUES_H
#define KDUMP_VALUES_H

#include "kdump/report.h"

/* Field number `field` of an event, from its payload. */
struct report_value value_of_field(struct arena *a, const struct mf_event *def, size_t field,
				   const struct set_event *e);

/* The parts of a key of the rule; *count of them, in the arena. */
struct report_value *values_of_key(struct arena *a, const struct manifest *mf, const struct mf_rule *rule,
				   const struct set_key *key, size_t *count);

/* A value as text in a given format: 'p', 'x', 'd', 'e' (-5: -EIO), 'i' (a __be32: 10.0.0.1), or 0 for its own. */
const char *value_format(struct arena *a, const struct report_value *v, char format);

/*
 * What a message's NAME says of an event: one of its fields, else task, comm, pid, tid, cpu, time (or now: in seconds, with
 * a format in ns). NULL: neither. def may be NULL. comm: the task's, in the arena or static.
 */
const char *value_of_name(struct arena *a, const struct mf_event *def, const struct set_event *e, const char *comm,
			  const char *name, char format);

/* All parts of a key, separated by commas. */
const char *values_text(struct arena *a, const struct report_value *v, size_t count, char format);

/* What a message's {key} and {key.0}, {key.1} ... say (step NULL and name "key"; step "key"). NULL: it is none of them. */
const char *values_key_name(struct arena *a, const struct report_value *v, size_t count, const char *step, const char *name,
			    char format);

#endif
