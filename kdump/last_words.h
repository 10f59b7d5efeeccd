/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * last_words.h - what the kernel itself said of its end, among the last messages of its log. A rule's panic says nothing
 * there (crash_kexec prints nothing): this is for machines that went down for another reason.
 */
#ifndef KDUMP_LAST_WORDS_H
#define KDUMP_LAST_WORDS_H

#include "kdump/dmesg.h"

/* Parts of the messages; NULL: not said. */
struct last_words {
	const char *fault;	/* "BUG: unable to handle page fault for address: 0000000000000008" */
	const char *panic;	/* what follows "Kernel panic - not syncing: " */
	const char *where;	/* what follows "RIP: 0010:": function+offset/size */
	size_t from;		/* the message that it begins with; only if one of these was said */
};

void last_words(const struct dmesg_line *lines, size_t count, struct last_words *ret);

#endif
