/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verlog.h - libbpf's and the verifier's words, kept quiet until something fails, then told in terms of the rule.
 *
 * A rule that checks must load: a refusal is a bug of ours. The message still names the rule's line, which the
 * object's line information carries into the verifier's log, and where the whole log was saved.
 */
#ifndef AGENT_VERLOG_H
#define AGENT_VERLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/*
 * Called, if set, for each program that the verifier accepted: its name, and how many instructions and states it looked at.
 */
typedef void verlog_accepted_fn(const char *program, uint32_t insns, uint32_t states);
extern verlog_accepted_fn *verlog_accepted;

struct verlog {
	struct buf text;
	void *old_print;
};

/* Take libbpf's messages from here ... */
void verlog_begin(struct verlog *log);

/* ... to here. One at a time in a process. */
void verlog_end(struct verlog *log);

/* Make an error of the messages and free them. errnum: what the failed call returned. Returns -1. */
int verlog_error(struct verlog *log, int errnum, struct err *err);

/* The last rule line a verifier's log mentions: "8: where: ..." with its place, into out; false if none. */
bool verlog_line(const char *text, char *out, size_t size);

#endif
