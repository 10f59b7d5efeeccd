// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/last_words.h"

#include <ctype.h>
#include <string.h>

static const char panic[] = "Kernel panic - not syncing: ", rip[] = "RIP: 0010:", pc[] = "pc : ";

/* How a message begins that tells of a fault: x86-64 and arm64. */
static const char *fault_in(const char *text)
{
	static const char *const words[] = { "BUG: ", "kernel BUG at ", "general protection fault", "Unable to handle kernel ",
					     "Unable to handle ", "divide error: " };
	const char *at;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if ((at = strstr(text, words[i])) && (at == text || !isalpha((unsigned char)at[-1])))
			return at;	/* not "DEBUG: " */
	return NULL;
}

/* What stands behind a prefix. */
static const char *behind(const char *text, const char *prefix)
{
	const char *at = strstr(text, prefix);

	return at ? at + strlen(prefix) : NULL;
}

void last_words(const struct dmesg_line *lines, size_t count, struct last_words *ret)
{
	size_t fault = count, said = count;
	const char *where;

	*ret = (struct last_words){ 0 };
	/* The last fault is the one; the first panic is, since another may follow from it. */
	for (size_t i = 0; i < count; i++) {
		if (fault_in(lines[i].text))
			fault = i;
		if (said == count && strstr(lines[i].text, panic))
			said = i;
	}
	if (fault < count)
		ret->fault = fault_in(lines[fault].text);
	if (said < count)
		ret->panic = behind(lines[said].text, panic);
	ret->from = fault < said ? fault : said;
	for (size_t i = fault < count ? fault : 0; i < count && !ret->where; i++) {
		where = behind(lines[i].text, rip);
		ret->where = where ? where : behind(lines[i].text, pc);
	}
}
