/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - decode a struct whose layout is only known from BTF in the dump.
 *
 * A decoder names the members it wants and where their numbers go; they are looked up once and then decoded from any
 * number of byte images:
 *
 *	static const struct want event_wants[] = {
 *		WANT(struct event, seq, "seq"),
 *		WANT(struct event, cpu, "cpu"),
 *	};
 */
#ifndef KDUMP_LAYOUT_H
#define KDUMP_LAYOUT_H

#include "kdump/ktypes.h"

#define LAYOUT_MAX 24

/* One member: its path, and the offset of a uint64_t in the decoded struct. */
struct want {
	const char *path;
	size_t at;
	bool optional;		/* where there is no such member it is 0 */
};

#define WANT(type, member, path) { path, offsetof(type, member), false }
#define WANT_OPTIONAL(type, member, path) { path, offsetof(type, member), true }

struct layout {
	const struct want *wants;
	size_t count;
	struct kmember members[LAYOUT_MAX];
	uint32_t size;		/* of the whole struct */
};

/*
 * Look up the wanted members of struct `type`, found under `prefix` in it ("" or "m."). ERR_ABSENT names the first
 * that is missing and not optional.
 */
int layout_resolve(struct layout *l, const struct ktypes *t, const char *type, const char *prefix,
		   const struct want *wants, size_t count, struct err *err);

/* Where the last wanted member ends. */
uint32_t layout_end(const struct layout *l);

/* Fill the uint64_t members of *dest from a byte image; members beyond len become 0. */
void layout_decode(const struct layout *l, const uint8_t *bytes, size_t len, void *dest);

/* Little-endian number of size 1..8 at an offset; 0 when it lies outside. */
uint64_t bytes_number(const uint8_t *bytes, size_t len, size_t at, size_t size);

#endif
