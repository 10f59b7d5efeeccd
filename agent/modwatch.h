/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modwatch.h - when modules of the kernel come and go.
 *
 * The kernel's event for user space comes when a module's init function has returned, which may be long after its other
 * functions were called. So a small BPF program sits at the tracepoints module_load (the module's functions and types are
 * known, its init function is next) and module_free.
 */
#ifndef AGENT_MODWATCH_H
#define AGENT_MODWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct ring_buffer;

struct modwatch {
	int map, prog, links[2];
	struct ring_buffer *ring;
	uint32_t map_id;
};

/* Errors: ERR_SYSTEM. The caller ends with modwatch_close, also after an error. */
int modwatch_open(struct modwatch *w, struct err *err);

/* To wait on, or -1 when it is not open. */
int modwatch_fd(const struct modwatch *w);

/* Did modules come or go since it was asked last? */
bool modwatch_changed(struct modwatch *w);

void modwatch_close(struct modwatch *w);

/* A module whose init function is running, and the code that will be given back when that is through (0: not known). */
struct loading_module {
	char name[64];
	uint64_t init_begin, init_end;
};

/* Those that there are now, at most max; returns how many. */
uint32_t modules_loading(struct loading_module *ret, uint32_t max);

/* What tells a module that is loaded from one of its name that was loaded before; 0: it is not loaded. */
uint64_t module_identity(const char *name);

#endif
