/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capsule.h - a report's questions to a dead kernel, and the answers, in a small file.
 *
 * In the crash kernel there may be no time or room for a whole dump. While the report is built there from
 * /proc/vmcore, everything it asks (kernel.h: memory, symbols, members, VMCOREINFO) is written down with its answer,
 * errors too. Reading a capsule replays it: the same decoder asks the same questions and gets the same answers, so
 * the report from a capsule is the report from the dump.
 *
 * The file is a header and chunks. Each chunk holds some hundred answers, compressed, with its own checksum, and is
 * written as soon as it is full: of a capsule that was cut short or damaged, every whole chunk is used.
 *
 *	file:	"DFCAPSUL" u32 version, u32 zero, chunk...
 *	chunk:	u32 magic, u32 records, u32 raw length, u32 stored length, u32 crc32 of the stored bytes, zlib stream
 *	end:	a chunk with no records
 *	record:	u8 kind, u8 err_code, question, answer (or the error's text)
 *
 * All numbers little-endian; strings are u16 length and bytes.
 */
#ifndef KDUMP_CAPSULE_H
#define KDUMP_CAPSULE_H

#include "kdump/kernel.h"

#define CAPSULE_MAGIC "DFCAPSUL"
#define CAPSULE_VERSION 1

/*
 * A kernel that answers like `inner` and writes everything down to the file descriptor. inner stays the caller's and
 * must outlive it. redact: what may come from user space is blanked, in the answers as well (kernel_read_private()).
 * NULL: ERR_NOMEM, ERR_SYSTEM.
 */
struct kernel *capsule_record(struct kernel *inner, int fd, bool redact, struct err *err);

/*
 * From now on write down at most this much more memory (bytes, before compression), for at most so long: what is asked
 * beyond that gets ERR_ABSENT. For what is good to have, after what must be there.
 */
void capsule_limit(struct kernel *recorder, size_t bytes, unsigned int seconds);

/* Write what is still in memory and the end mark, and say whether all was written. Call before kernel_destroy. */
int capsule_finish(struct kernel *recorder, struct err *err);

/*
 * A kernel that answers from a capsule's bytes (copied out: the caller keeps them). Damage is no failure as long as
 * the header is right: *damage says what is missing (code ERR_NONE: nothing), and questions whose answers are
 * missing get ERR_ABSENT. NULL: *err.
 */
struct kernel *capsule_replay(const void *bytes, size_t len, struct err *damage, struct err *err);

#endif
