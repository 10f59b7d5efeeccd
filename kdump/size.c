// SPDX-License-Identifier: GPL-2.0-or-later
/* size.c - see size.h. */
#include "kdump/size.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool size_parse(const char *text, long long *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	int shift = 0;
	char *end;
	long long v = strtoll(text, &end, 10);

	if (end == text || v <= 0)
		return false;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (int)(unit - units + 1);
	}
	if (v > LLONG_MAX >> shift)
		return false;
	*ret = v << shift;
	return true;
}
