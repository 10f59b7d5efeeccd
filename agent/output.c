// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_MS 1000

static bool stuck;
static bool torn;	/* a line was begun, and there was no room for its end */

static bool has_room(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	stuck = poll(&p, 1, stuck ? 0 : PATIENCE_MS) <= 0;
	return !stuck;
}

/* In pieces that a pipe takes if it has room for anything. */
static bool write_pieces(const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		if (!has_room())
			return false;
		n = write(STDOUT_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR)
			return errno == EPIPE;
		if (n < 0)
			n = 0;
		else
			torn = text[n - 1] != '\n';
	}
	return true;
}

bool output_line(const char *line, size_t len)
{
	fflush(stdout);
	return (!torn || write_pieces("\n", 1)) && write_pieces(line, len);
}
