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

/* Keys whose value is a string of a target. "target" begins one. */
static const struct {
	const char *key;
	size_t offset, size;
} target_strings[] = {
#define STRING(field) { #field, offsetof(struct plan_target, field), sizeof(((struct plan_target *)0)->field) }
	STRING(target), STRING(source), STRING(net), STRING(port), STRING(hostalias), STRING(device), STRING(fstype),
	STRING(fsid), STRING(options), STRING(dir),
#undef STRING
};

/* Those whose value is a number of the plan. */
static const struct {
	const char *key;
	size_t offset, size;
	long long min, max;
} numbers[] = {
#define NUMBER(key, field, min, max) { key, offsetof(struct plan, field), sizeof(((struct plan *)0)->field), min, max }
	NUMBER("built", built, 0, INT64_MAX),
	NUMBER("level", level, 0, 31),
	NUMBER("total", total, 1, 10000000),
	NUMBER("max-dumps", max_dumps, 0, 1000000),
	NUMBER("max-bytes", max_bytes, 0, INT64_MAX),
#undef NUMBER
};

/* Strings of the plan itself. Its kernel comes first. */
static const struct {
	const char *key;
	size_t offset, size;
} strings[] = {
#define STRING(field) { #field, offsetof(struct plan, field), sizeof(((struct plan *)0)->field) }
	STRING(kernel), STRING(program), STRING(service), STRING(compress),
#undef STRING
};

/* And yes or no. */
static const struct {
	const char *key;
	size_t offset;
} flags[] = {
	{ "capsule-only", offsetof(struct plan, capsule_only) },
	{ "redact", offsetof(struct plan, redact) },
	{ "watchdog", offsetof(struct plan, watchdog) },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const char *plan_step_name(enum plan_step step)
{
	return steps[step].name;
}

void plan_init(struct plan *p)
{
	*p = (struct plan){ .program = "/bin/deadfall", .level = 23, .final = FINAL_REBOOT };
	for (int i = 0; i < STEP_COUNT; i++)
		p->limits[i] = steps[i].limit;
	plan_set_total(p);
}

void plan_set_total(struct plan *p)
{
	unsigned int each = 0;

	for (int i = STEP_TARGET; i <= (*p->service ? STEP_CAPSULE : STEP_CHECK); i++)
		each += p->limits[i];
	p->total = 60 + p->limits[STEP_MODULES] + each * (p->target_count ? p->target_count : 1);
}

void plan_write(const struct plan *p, struct buf *out)
{
	buf_printf(out, "deadfall-plan 1\n");
	for (size_t i = 0; i < COUNT(strings); i++) {
		const char *value = (const char *)p + strings[i].offset;

		if (*value)
			buf_printf(out, "%s %s\n", strings[i].key, value);
	}
	for (unsigned int t = 0; t < p->target_count; t++) {
		for (size_t i = 0; i < COUNT(target_strings); i++) {
			const char *value = (const char *)&p->targets[t] + target_strings[i].offset;

			if (*value)
				buf_printf(out, "%s %s\n", target_strings[i].key, value);
		}
	}
	for (unsigned int i = 0; i < p->module_count; i++)
		buf_printf(out, "module %s\n", p->modules[i]);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const char *at = (const char *)p + numbers[i].offset;
		long long value;

		value = numbers[i].size == sizeof(int64_t) ? *(const int64_t *)(const void *)at : *(const int *)(const void *)at;
		buf_printf(out, "%s %lld\n", numbers[i].key, value);
	}
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (*((const bool *)p + flags[i].offset))
			buf_printf(out, "%s yes\n", flags[i].key);
	}
	for (int i = 0; i < STEP_COUNT; i++)
		buf_printf(out, "limit %s %u\n", steps[i].name, p->limits[i]);
	buf_printf(out, "final %s\n", finals[p->final]);
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
	plan_set_total(p);
	return true;
}

static bool parse_module(struct plan *p, const char *value)
{
	if (p->module_count == PLAN_MODULES_MAX || strlen(value) >= sizeof(p->modules[0]))
		return false;
	strcpy(p->modules[p->module_count++], value);
	return true;
}

static bool copy(char *to, size_t size, const char *value)
{
	return snprintf(to, size, "%s", value) < (int)size;
}

static bool parse_target(struct plan *p, const char *key, const char *value, bool *known)
{
	for (size_t i = 0; i < COUNT(target_strings); i++) {
		if (strcmp(target_strings[i].key, key))
			continue;
		*known = true;
		if (i == 0 && p->target_count++ == PLAN_TARGETS_MAX)
			return false;
		return p->target_count &&
		       copy((char *)&p->targets[p->target_count - 1] + target_strings[i].offset, target_strings[i].size, value);
	}
	return false;
}

static bool parse_number(struct plan *p, const char *key, const char *value)
{
	long long n;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		void *at = (char *)p + numbers[i].offset;

		if (strcmp(numbers[i].key, key))
			continue;
		if (!number(value, numbers[i].min, numbers[i].max, &n))
			return false;
		if (numbers[i].size == sizeof(int64_t))
			*(int64_t *)at = n;
		else
			*(int *)at = (int)n;
		return true;
	}
	return false;
}

static bool parse_pair(struct plan *p, const char *key, const char *value)
{
	bool known = false, ok = parse_target(p, key, value, &known);

	if (known)
		return ok;
	for (size_t i = 0; i < COUNT(strings); i++) {
		if (!strcmp(key, strings[i].key))
			return copy((char *)p + strings[i].offset, strings[i].size, value);
	}
	if (!strcmp(key, "module"))
		return parse_module(p, value);
	if (!strcmp(key, "limit"))
		return parse_limit(p, value, ' ');
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (!strcmp(key, flags[i].key))
			return *((bool *)p + flags[i].offset) = !strcmp(value, "yes");
	}
	if (!strcmp(key, "final")) {
		p->final = !strcmp(value, finals[FINAL_POWEROFF]) ? FINAL_POWEROFF : FINAL_REBOOT;
		return !strcmp(value, finals[p->final]);
	}
	return parse_number(p, key, value);
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
