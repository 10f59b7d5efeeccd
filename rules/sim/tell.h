/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tell.h - what a simulation found, as text or JSON. */
#ifndef RULES_SIM_TELL_H
#define RULES_SIM_TELL_H

#include "lib/buf.h"
#include "rules/sim/run.h"

void sim_tell(const struct sim_run *r, struct buf *out);

/* Returns 0, or -1 without memory. */
int sim_tell_json(const struct sim_run *r, struct buf *out);

#endif
