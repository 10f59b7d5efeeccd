// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/help.h"

#include <stdbool.h>
#include <string.h>

/* agent/help_blob.S */
extern const char help_blob[], help_blob_end[];

/* Does the heading "## arm, disarm" name the command? */
static bool names(const char *line, size_t len, const char *command)
{
	size_t n = strlen(command);

	for (const char *p = line + 3; p + n <= line + len; p++) {
		bool begins = p[-1] == ' ', ends = p + n == line + len || p[n] == ',';

		if (begins && ends && !memcmp(p, command, n))
			return true;
	}
	return false;
}

void help_print(const char *command, FILE *out)
{
	bool inside = false;

	for (const char *line = help_blob, *next; line < help_blob_end; line = next) {
		const char *end = memchr(line, '\n', (size_t)(help_blob_end - line));
		size_t len = (size_t)((end ? end : help_blob_end) - line);

		next = line + len + 1;
		if (len > 3 && !memcmp(line, "## ", 3)) {
			inside = names(line, len, command);
			next += inside && next < help_blob_end && *next == '\n';
			continue;
		}
		if (inside && (len || (next < help_blob_end && *next != '#')))
			fprintf(out, "%.*s\n", (int)len, line);
	}
}
