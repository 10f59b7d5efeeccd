// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/ksyms.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "rules/kbtf.h"

static bool is_function(char type, const char *name, const char *module)
{
	return strchr("tTwW", type) && strncmp(name, "__pfx_", 6) != 0 && !strstr(name, ".cold") &&
	       strcmp(module, "bpf") != 0 && strncmp(module, "__builtin__", 11) != 0;
}

int ksyms_each(const struct kbtf *k, const char *wanted, int (*fn)(const char *name, const char *module, void *arg), void *arg)
{
	_cleanup_fclose_ FILE *f = kbtf_is_running(k) ? fopen("/proc/kallsyms", "re") : NULL;
	char line[512], symbol[256], module[130], type;
	int ret = 0;

	if (wanted && !strcmp(wanted, "vmlinux"))
		wanted = "";
	while (f && !ret && fgets(line, sizeof(line), f)) {
		module[0] = '\0';
		if (sscanf(line, "%*s %c %255s [%128[^]]", &type, symbol, module) < 2 || !is_function(type, symbol, module) ||
		    (wanted && strcmp(wanted, module)))
			continue;
		ret = fn(symbol, module, arg);
	}
	return ret;
}

struct search {
	const char *name;
	char *out;
	size_t size;
};

static int same_name(const char *name, const char *module, void *arg)
{
	const struct search *s = arg;

	if (strcmp(name, s->name))
		return 0;
	snprintf(s->out, s->size, "%s", module);
	return 1;
}

bool ksyms_find(const struct kbtf *k, const char *wanted, const char *name, char *module, size_t size)
{
	struct search s = { .name = name, .out = module, .size = size };

	return ksyms_each(k, wanted, same_name, &s) != 0;
}

bool ksyms_is_made(const char *name)
{
	return strstr(name, ".constprop.") || strstr(name, ".isra.") || strstr(name, ".part.");
}

static int made_of(const char *name, const char *module, void *arg)
{
	const struct search *s = arg;
	size_t len = strlen(s->name);

	(void)module;
	if (fnmatch(s->name, name, 0) && !(ksyms_is_made(name) && !strncmp(name, s->name, len) && name[len] == '.'))
		return 0;
	snprintf(s->out, s->size, "%s", name);
	return 1;
}

bool ksyms_made_of(const struct kbtf *k, const char *wanted, const char *name, char *made, size_t size)
{
	struct search s = { .name = name, .out = made, .size = size };

	return ksyms_each(k, wanted, made_of, &s) != 0;
}
