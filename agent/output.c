// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_MS 1000

static struct {
	bool stuck;
	bool torn;	/* a line was begun, and there was no room for its end */
	uint64_t left_out;
} output;

static bool has_room(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	output.stuck = poll(&p, 1, output.stuck ? 0 : PATIENCE_MS) <= 0;
	return !output.stuck;
}

/* In pieces that a pipe takes if it has room for anything; false: it had none. What nobody can read any more is not missed. */
static bool write_pieces(const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		if (!has_room())
			return false;
		n = write(STDOUT_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR)
			return true;
		if (n < 0)
			n = 0;
		else
			output.torn = text[n - 1] != '\n';
	}
	return true;
}

void output_line(const char *line, size_t len)
{
	fflush(stdout);
	if (output.torn && !write_pieces("\n", 1))
		output.left_out++;
	else if (!write_pieces(line, len))
		output.left_out++;
}

uint64_t output_left_out(void)
{
	uint64_t n = output.left_out;

	if (!n || !has_room())
		return 0;
	output.left_out = 0;
	return n;
}
