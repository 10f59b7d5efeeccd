/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datamap.h - global variables of a set (.data.df_*) in our memory: all pages of the map.
 */
#ifndef AGENT_DATAMAP_H
#define AGENT_DATAMAP_H

#include <stddef.h>

/* All of the map, writable; *len receives the bytes that belong to it. NULL on error, errno is set. */
void *datamap_open(int fd, size_t *len);

/* p may be NULL. */
void datamap_close(void *p, size_t len);

#endif
