// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/params.h"

#include <stdio.h>
#include <string.h>

#include "rules/lex.h"

/* Does name[0..len) name this parameter, with or without its rule? */
static bool names(const struct set_info *info, const struct info_param *p, const char *name, size_t len)
{
	const char *rule = info->rules[p->rule].name;
	size_t rule_len = strlen(rule);

	if (strlen(p->name) == len && !memcmp(name, p->name, len))
		return true;
	return len == rule_len + 1 + strlen(p->name) && !memcmp(name, rule, rule_len) && name[rule_len] == '.' &&
	       !memcmp(name + rule_len + 1, p->name, strlen(p->name));
}

/* Those of that name, or all where it is NULL. */
static void list_params(const struct set_info *info, const char *name, size_t name_len, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < info->nparams && len < size; i++) {
		if (name && !names(info, &info->params[i], name, name_len))
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s.%s", len ? ", " : "",
					info->rules[info->params[i].rule].name, info->params[i].name);
	}
}

static int find(const struct set_info *info, const char *name, size_t len, uint32_t *index, struct err *err)
{
	uint32_t found = 0;
	char all[400];

	for (uint32_t i = info->nparams; i > 0; i--) {
		if (!names(info, &info->params[i - 1], name, len))
			continue;
		*index = i - 1;
		found++;
	}
	if (found == 1)
		return 0;
	for (uint32_t i = 0; i < info->nsets && !found; i++) {
		if (strlen(info->sets[i].name) == len && !memcmp(info->sets[i].name, name, len))
			return err_set(err, ERR_INVALID, "'%s' is a set, no parameter: %s+=N adds a number, %s-=N takes it out",
				       info->sets[i].name, info->sets[i].name, info->sets[i].name);
	}
	list_params(info, found ? name : NULL, len, all, sizeof(all));
	if (found)
		return err_set(err, ERR_INVALID, "several rules have a parameter '%.*s', put the rule in front: %s", (int)len,
			       name, all);
	return err_set(err, ERR_INVALID, "no parameter '%.*s'%s%s", (int)len, name,
		       info->nparams ? "; there are: " : ": the rules have none", all);
}

static int parse_value(const struct info_param *p, const char *text, uint64_t *value, struct err *err)
{
	bool negative = text[0] == '-', is_int = !strcmp(p->kind, "int");
	enum unit unit = UNIT_DECIMAL;
	const char *problem;

	if (!strcmp(p->kind, "str"))
		return err_set(err, ERR_INVALID, "'%s' is text, which is compiled in: change the rule", p->name);
	problem = lex_number(text + negative, value, &unit);
	if (problem)
		return err_set(err, ERR_INVALID, "%s=%s: %s", p->name, text, problem);
	if (!strcmp(p->kind, "duration") != (unit == UNIT_TIME))
		return err_set(err, ERR_INVALID, "%s=%s: '%s' is %s", p->name, text, p->name,
			       unit == UNIT_TIME ? "a number, no duration" : "a duration: give a unit, 500ms, 10s, 5min");
	if (negative && !is_int)
		return err_set(err, ERR_INVALID, "%s=%s: a %s is not negative", p->name, text, p->kind);
	if (negative)
		*value = -*value;
	return 0;
}

int param_parse(const struct set_info *info, const char *text, uint32_t *index, uint64_t *value, struct err *err)
{
	const char *eq = strchr(text, '=');

	if (!eq || eq == text)
		return err_set(err, ERR_INVALID, "'%s' is not NAME=VALUE", text);
	if (find(info, text, (size_t)(eq - text), index, err))
		return -1;
	return parse_value(&info->params[*index], eq + 1, value, err);
}

bool is_member_change(const char *text)
{
	const char *eq = strchr(text, '=');

	return eq && eq > text && (eq[-1] == '+' || eq[-1] == '-');
}

int member_parse(const struct set_info *info, const char *text, uint32_t *index, uint64_t *value, bool *removes,
		 struct err *err)
{
	const char *eq = strchr(text, '=');
	size_t len = (size_t)(eq - text) - 1;
	bool negative = eq[1] == '-';
	enum unit unit = UNIT_DECIMAL;
	const char *problem;

	for (*index = 0; *index < info->nsets; (*index)++) {
		const char *name = info->sets[*index].name;

		if (strlen(name) == len && !memcmp(name, text, len))
			break;
	}
	if (*index == info->nsets)
		return err_set(err, ERR_INVALID, "no set '%.*s' in these rules", (int)len, text);
	*removes = eq[-1] == '-';
	problem = lex_number(eq + 1 + negative, value, &unit);
	if (problem)
		return err_set(err, ERR_INVALID, "%s: %s", text, problem);
	if (negative)
		*value = -*value;
	return 0;
}
