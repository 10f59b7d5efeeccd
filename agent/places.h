/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.h - the table by which a hook finds what runs at a function: df_places (struct df_place, bpf/layout.h).
 */
#ifndef AGENT_PLACES_H
#define AGENT_PLACES_H

#include "agent/resolve.h"
#include "bpf/layout.h"

struct arena;

struct places {
	struct df_places_at at;
	struct df_place *elements;	/* [n], in the arena; NULL: no hook uses the table */
	uint32_t n;			/* a power of two, 2 to 16 times the functions */
};

/* Make the table for all functions of the plan that links to many functions probe. */
struct places places_make(struct arena *a, const struct set_info *info, const struct attach_plan *plan);

/* Write the table into df_places, made with n elements. */
int places_write(const struct places *p, int map, struct err *err);

#endif
