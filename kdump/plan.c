// SPDX-License-Identifier: GPL-2.0-or-later
/* plan.c - see plan.h. */
#include "kdump/plan.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned int limit;	/* default, seconds */
} steps[STEP_COUNT] = {
	[STEP_MODULES] = { "modules", 60 },
	[STEP_TARGET] = { "target", 90 },
	[STEP_CAPSULE] = { "capsule", 120 },
	[STEP_DMESG] = { "dmesg", 60 },
	[STEP_VMCORE] = { "vmcore", 3600 },
	[STEP_CHECK] = { "check", 120 },
};

static const char *const finals[] = { [FINAL_REBOOT] = "reboot", [FINAL_POWEROFF] = "poweroff" };

/* Keys whose value is a string of the struct. */
static const struct {
	const char *key;
	size_t offset, size;
} strings[] = {
#define STRING(field) { #field, offsetof(struct plan, field), sizeof(((struct plan *)0)->field) }
	STRING(kernel), STRING(target), STRING(source), STRING(net), STRING(port), STRING(hostalias),
	STRING(device), STRING(fstype), STRING(fsid), STRING(options),
	STRING(dir), STRING(compress),
#undef STRING
};

const char *plan_step_name(enum plan_step step)
{
	return steps[step].name;
}

void plan_init(struct plan *p)
{
	*p = (struct plan){ .level = 23, .total = 60, .final = FINAL_REBOOT };
	for (int i = 0; i < STEP_COUNT; i++) {
		p->limits[i] = steps[i].limit;
		p->total += steps[i].limit;
	}
}

void plan_write(const struct plan *p, struct buf *out)
{
	buf_puts(out, "deadfall-plan 1\n");
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		const char *value = (const char *)p + strings[i].offset;

		if (*value)
			buf_printf(out, "%s %s\n", strings[i].key, value);
	}
	for (unsigned int i = 0; i < p->module_count; i++)
		buf_printf(out, "module %s\n", p->modules[i]);
	buf_printf(out, "built %lld\n", (long long)p->built);
	buf_printf(out, "level %d\n", p->level);
	if (p->capsule_only)
		buf_puts(out, "capsule-only yes\n");
	if (p->watchdog)
		buf_puts(out, "watchdog yes\n");
	for (int i = 0; i < STEP_COUNT; i++)
		buf_printf(out, "limit %s %u\n", steps[i].name, p->limits[i]);
	buf_printf(out, "total %u\nfinal %s\n", p->total, finals[p->final]);
}

static bool number(const char *text, long long min, long long max, long long *ret)
{
	char *end;
	long long v = strtoll(text, &end, 10);

	if (end == text || *end || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

/* "STEP SECONDS" with any one byte between. */
static bool parse_limit(struct plan *p, const char *value, char separator)
{
	const char *blank = strchr(value, separator);
	long long n;

	if (!blank || !number(blank + 1, 1, 1000000, &n))
		return false;
	for (int i = 0; i < STEP_COUNT; i++) {
		if (strlen(steps[i].name) == (size_t)(blank - value) &&
		    !strncmp(steps[i].name, value, (size_t)(blank - value))) {
			p->limits[i] = (unsigned int)n;
			return true;
		}
	}
	return false;
}

bool plan_set_limit(struct plan *p, const char *text)
{
	if (!parse_limit(p, text, '='))
		return false;
	p->total = 60;
	for (int i = 0; i < STEP_COUNT; i++)
		p->total += p->limits[i];
	return true;
}

static bool parse_module(struct plan *p, const char *value)
{
	if (p->module_count == PLAN_MODULES_MAX || strlen(value) >= sizeof(p->modules[0]))
		return false;
	strcpy(p->modules[p->module_count++], value);
	return true;
}

static bool parse_pair(struct plan *p, const char *key, const char *value)
{
	long long n;

	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		if (strcmp(strings[i].key, key))
			continue;
		if (strlen(value) >= strings[i].size)
			return false;
		strcpy((char *)p + strings[i].offset, value);
		return true;
	}
	if (!strcmp(key, "module"))
		return parse_module(p, value);
	if (!strcmp(key, "limit"))
		return parse_limit(p, value, ' ');
	if (!strcmp(key, "capsule-only"))
		return p->capsule_only = !strcmp(value, "yes");
	if (!strcmp(key, "watchdog"))
		return p->watchdog = !strcmp(value, "yes");
	if (!strcmp(key, "final")) {
		p->final = !strcmp(value, finals[FINAL_POWEROFF]) ? FINAL_POWEROFF : FINAL_REBOOT;
		return !strcmp(value, finals[p->final]);
	}
	if (!strcmp(key, "built") && number(value, 0, INT64_MAX, &n)) {
		p->built = n;
		return true;
	}
	if (!strcmp(key, "level") && number(value, 0, 31, &n)) {
		p->level = (int)n;
		return true;
	}
	if (!strcmp(key, "total") && number(value, 1, 10000000, &n)) {
		p->total = (unsigned int)n;
		return true;
	}
	return false;
}

int plan_parse(const char *text, struct plan *ret, struct err *err)
{
	struct plan p;
	int lineno = 0;

	plan_init(&p);
	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[1200], *value;

		lineno++;
		if (len >= sizeof(line))
			return err_set(err, ERR_CORRUPT, "plan:%d: line too long", lineno);
		memcpy(line, text, len);
		line[len] = 0;
		text += len + (text[len] == '\n');
		if (lineno == 1) {
			if (strcmp(line, "deadfall-plan 1"))
				return err_set(err, ERR_CORRUPT, "plan:1: '%.40s' is not a plan of version 1", line);
			continue;
		}
		value = strchr(line, ' ');
		if (!value)
			return err_set(err, ERR_CORRUPT, "plan:%d: no value in '%.80s'", lineno, line);
		*value++ = 0;
		if (!parse_pair(&p, line, value))
			return err_set(err, ERR_CORRUPT, "plan:%d: cannot use '%.40s %.80s'", lineno, line, value);
	}
	if (!lineno)
		return err_set(err, ERR_CORRUPT, "the plan is empty");
	*ret = p;
	return 0;
}
