/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracefs.h - what the running kernel tells about its tracepoints in tracefs: that they are there, and the fields of
 * their records (events/CATEGORY/NAME/format, Documentation/trace/events.rst). Mostly for root only.
 */
#ifndef RULES_TRACEFS_H
#define RULES_TRACEFS_H

#include <stdint.h>

struct arena;

struct tracefs_field {
	const char *name;	/* a string's is that of the string: "name", where the record has __data_loc_name */
	uint32_t offset, size;	/* bytes */
};

/*
 * The folder of a tracepoint; category may be a glob, of which the first is taken. NULL: it is not there, or may not be
 * seen. In the arena.
 */
const char *tracefs_event(struct arena *a, const char *category, const char *name);

/* The category in a tracepoint's folder. In the arena. */
const char *tracefs_category(struct arena *a, const char *event);

/* The fields of the record of the tracepoint in this folder; how many, 0 if that cannot be read. In the arena. */
uint32_t tracefs_fields(struct arena *a, const char *event, struct tracefs_field **ret);

#endif
