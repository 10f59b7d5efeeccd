// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vmcoreinfo_get(const char *text, const char *key, char *value, size_t size, struct err *err)
{
	size_t len = strlen(key), n;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		n = strcspn(line + len + 1, "\n");
		n = n < size ? n : size - 1;
		memcpy(value, line + len + 1, n);
		value[n] = '\0';
		return 0;
	}
	return err_set(err, ERR_ABSENT, "VMCOREINFO has no %s", key);
}

int vmcoreinfo_symbol(const char *text, const char *name, uint64_t *ret, struct err *err)
{
	char key[160], value[40], *end;
	uint64_t addr;

	snprintf(key, sizeof(key), "SYMBOL(%s)", name);
	if (vmcoreinfo_get(text, key, value, sizeof(value), err))
		return -1;
	errno = 0;
	addr = strtoull(value, &end, 16);
	if (errno || end == value || *end)
		return err_set(err, ERR_CORRUPT, "VMCOREINFO: %s=%s is not an address", key, value);
	*ret = addr;
	return 0;
}
