// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/read.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/check.h"
#include "rules/lex.h"

/* A rule on its way: parts that need others read first. */
struct draft {
	struct rule rule;
	const struct node *tags, *params, *tables, *sets, *events, *match, *on_match, *context, *guard;
	uint32_t on_loss;
};

static void read_param(struct reader *r, const struct node *key, const struct node *n, struct param *p)
{
	bool negative = !n->quoted && n->kind == NODE_SCALAR && n->text[0] == '-';
	enum unit unit = UNIT_DECIMAL;

	p->span = key->span;
	if (n->kind != NODE_SCALAR || node_is_null(n)) {
		diag_error(r->diags, TAG_VALUE_KIND, n->span, "parameter '%s' takes a number, duration, size or text",
			   key->text);
		return;
	}
	p->kind = PARAM_STR;
	p->text = n->text;
	if (!n->quoted && !lex_number(n->text + negative, &p->value, &unit))
		p->kind = unit == UNIT_TIME ? PARAM_DURATION : unit == UNIT_SIZE ? PARAM_SIZE : PARAM_INT;
	if (negative)
		p->value = -p->value;
	if (p->kind == PARAM_STR && n->len > NAME_MAX_LEN)
		diag_error(r->diags, TAG_LIMIT, n->span, "a text parameter of more than %d bytes", NAME_MAX_LEN);
}

static void read_params(struct reader *r, const struct node *n, struct rule *rule)
{
	if (!read_map(r, n, "'params'"))
		return;
	rule->params = arena_array(r->arena, n->n, sizeof(*rule->params));
	for (uint32_t i = 0; i < n->n; i++) {
		struct param *p = &rule->params[rule->nparams];

		read_param(r, n->keys[i], n->items[i], p);
		if (read_name(r, n->keys[i], "a parameter", &p->name))
			rule->nparams++;
	}
}

static void read_tags(struct reader *r, const struct node *n, struct rule *rule)
{
	struct node *const *items = NULL;
	uint32_t count = read_items(r, n, "'tags'", &items);

	rule->tags = arena_array(r->arena, count, sizeof(*rule->tags));
	for (uint32_t i = 0; i < count; i++) {
		if (read_text(r, items[i], "a tag", NAME_MAX_LEN, &rule->tags[rule->ntags]))
			rule->ntags++;
	}
}

static const struct key context_keys[] = {
	{ "last", KEY_UINT, false, .offset = offsetof(struct rule, context_last), .min = 1, .max = 4096 },
	{ "keys", KEY_UINT, false, .offset = offsetof(struct rule, context_keys), .min = 1, .max = 1 << 22 },
	{ "cpu", KEY_UINT, false, .offset = offsetof(struct rule, context_cpu), .min = 0, .max = 65535 },
	{ "rule", KEY_UINT, false, .offset = offsetof(struct rule, context_rule), .min = 0, .max = 65535 },
	{ "generations", KEY_UINT, false, .offset = offsetof(struct rule, generations), .min = 1, .max = 16 },
	{ 0 }
};

/* "1 per 24h", or a number alone */
static void read_max_panics(struct reader *r, const struct node *n, void *object)
{
	struct rule *rule = object;
	struct node part = *n;
	const char *text, *per;
	uint64_t max;

	if (!read_text(r, n, "'max_panics'", TEXT_MAX, &text))
		return;
	per = strstr(text, " per ");
	if (per) {
		part.text = per + 5;
		part.len = (uint32_t)strlen(part.text);
		part.span = node_part(n, (uint32_t)(part.text - text), part.len);
		read_time(r, &part, "'max_panics: N per'", 1000000000, TIME_MAX, &rule->guard.per_ns);
		part.text = arena_strndup(r->arena, text, (size_t)(per - text));
		part.span = node_part(n, 0, (uint32_t)(per - text));
	}
	if (read_uint(r, &part, "'max_panics'", 0, 1000, &max))
		rule->guard.max_panics = (uint32_t)max;
}

static void read_kdump(struct reader *r, const struct node *n, void *object)
{
	struct rule *rule = object;
	const char *text = "";

	if (!read_text(r, n, "'kdump'", TEXT_MAX, &text))
		return;
	rule->guard.kdump_required = strcmp(text, "optional") != 0;
	rule->guard.kdump_tested = !strcmp(text, "tested");
	if (strcmp(text, "optional") && strcmp(text, "required") && strcmp(text, "tested"))
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "'kdump' takes one of: required, tested, optional");
}

static const struct key guard_keys[] = {
	{ "kdump", KEY_CUSTOM, false, .read = read_kdump },
	{ "max_panics", KEY_CUSTOM, false, .read = read_max_panics },
	{ "after", KEY_TIME, false, .offset = offsetof(struct rule, guard.after_ns), .min = 0, .max = TIME_MAX },
	{ 0 }
};

/* signal: SIGSTOP, or its number */
static void read_signal(struct reader *r, const struct node *n, struct action *act)
{
	uint64_t number;
	int64_t value;

	if (n->kind == NODE_SCALAR && !strncmp(n->text, "SIG", 3) && macro_value(NULL, n->text, &value))
		act->signal = (uint32_t)value;
	else if (read_uint(r, n, "'signal'", 1, 64, &number))
		act->signal = (uint32_t)number;
}

static void add_action(struct reader *r, struct rule *rule, struct action act)
{
	rule->actions = arena_grow(r->arena, rule->actions, rule->nactions, sizeof(act));
	rule->actions[rule->nactions++] = act;
}

/* set: NAME, or {NAME: VALUE, ...}: an action for each, of which the last is added by the caller */
static void read_set_flags(struct reader *r, const struct node *n, struct rule *rule, struct action *act)
{
	act->value = 1;
	if (n->kind != NODE_MAP || !n->n) {
		read_name(r, n, "'set'", &act->message);
		return;
	}
	for (uint32_t i = 0; i < n->n; i++) {
		if (i)
			add_action(r, rule, *act);
		read_name(r, n->keys[i], "a flag", &act->message);
		read_uint(r, n->items[i], "a flag's value", 0, INT64_MAX, &act->value);
	}
}

static void read_action_value(struct reader *r, const struct node *value, struct rule *rule, struct action *act)
{
	switch (act->kind) {
	case ACTION_PANIC:
	case ACTION_LOG:
		if (value)
			read_text(r, value, "a message", TEXT_MAX, &act->message);
		act->node = value && value->kind == NODE_SCALAR ? node_keep(r->arena, value) : NULL;
		break;
	case ACTION_STOP:
		break;
	default:
		if (!value)
			diag_error(r->diags, TAG_BAD_VALUE, act->span, "written as: - signal: SIGSTOP, - set: FLAG");
		else if (act->kind == ACTION_SIGNAL)
			read_signal(r, value, act);
		else
			read_set_flags(r, value, rule, act);
	}
}

/* panic: "message" */
static void read_action(struct reader *r, const struct node *n, struct rule *rule)
{
	static const char *const names[] = {
		[ACTION_PANIC] = "panic", [ACTION_LOG] = "log", [ACTION_SIGNAL] = "signal", [ACTION_STOP] = "stop",
		[ACTION_SET_FLAG] = "set",
	};
	struct action act = { .span = n->span };
	const char *word = NULL;
	const struct node *value = NULL;

	if (n->bad)
		return;
	if (n->kind == NODE_SCALAR) {
		word = n->text;
	} else if (n->kind == NODE_MAP && n->n == 1) {
		word = n->keys[0]->text;
		value = n->items[0];
		act.span = value->span;
	} else {
		diag_error(r->diags, TAG_VALUE_KIND, n->span, "an action is written as: - panic: \"message\"");
		return;
	}
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]))
			continue;
		act.kind = i;
		read_action_value(r, value, rule, &act);
		add_action(r, rule, act);
		return;
	}
	diag_hint(r->diags, diag_error(r->diags, TAG_UNKNOWN_KEY, n->span, "no action '%s'", word),
		  "actions are panic, log, signal, stop, set");
}

static void read_actions(struct reader *r, const struct node *n, struct rule *rule)
{
	struct node *const *items = NULL;
	uint32_t count;

	if (n->kind == NODE_MAP) {
		read_action(r, n, rule);
		return;
	}
	count = read_items(r, n, "'on_match'", &items);
	for (uint32_t i = 0; i < count; i++)
		read_action(r, items[i], rule);
}

static void read_rule_name(struct reader *r, const struct node *n, void *object)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	struct draft *d = object;

	if (!read_text(r, n, "'rule'", NAME_MAX_LEN, &d->rule.name))
		return;
	if (d->rule.name[strspn(d->rule.name, allowed)])
		diag_error(r->diags, TAG_BAD_VALUE, n->span,
			   "the name of a rule has letters, digits and any of _ - .");
}

static void read_version(struct reader *r, const struct node *n, void *object)
{
	const char *text;

	(void)object;
	if (read_text(r, n, "'deadfall'", TEXT_MAX, &text) && strcmp(text, "1"))
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "version 1 of the language is known here, not '%s'", text);
}

static const char *const on_loss_words[] = { "suppress", "log", "fire", NULL };

static const struct key rule_keys[] = {
	{ "deadfall", KEY_CUSTOM, true, .read = read_version },
	{ "rule", KEY_CUSTOM, true, .read = read_rule_name },
	{ "about", KEY_TEXT, false, .offset = offsetof(struct draft, rule.about), .max = 4096 },
	{ "tags", KEY_NODE, false, .offset = offsetof(struct draft, tags) },
	{ "params", KEY_NODE, false, .offset = offsetof(struct draft, params) },
	{ "types", KEY_NODE, false, .offset = offsetof(struct draft, rule.types) },
	{ "tables", KEY_NODE, false, .offset = offsetof(struct draft, tables) },
	{ "sets", KEY_NODE, false, .offset = offsetof(struct draft, sets) },
	{ "events", KEY_NODE, true, .offset = offsetof(struct draft, events) },
	{ "match", KEY_NODE, true, .offset = offsetof(struct draft, match) },
	{ "context", KEY_NODE, false, .offset = offsetof(struct draft, context) },
	{ "on_match", KEY_NODE, true, .offset = offsetof(struct draft, on_match) },
	{ "on_loss", KEY_CHOICE, false, .offset = offsetof(struct draft, on_loss), .choices = on_loss_words },
	{ "guard", KEY_NODE, false, .offset = offsetof(struct draft, guard) },
	{ 0 }
};

static void set_defaults(struct draft *d, const struct node *doc)
{
	d->rule.name = "?";
	d->rule.span = doc->span;
	d->rule.context_last = 32;
	d->rule.context_keys = 0;
	d->rule.generations = 2;
	d->rule.guard.kdump_required = true;
	d->rule.guard.max_panics = 1;
	d->rule.guard.per_ns = 86400ull * 1000000000;
	d->on_loss = ON_LOSS_DEFAULT;
}

void read_rule(struct reader *r, const struct node *doc, struct rule *rule)
{
	struct draft d = { 0 };

	set_defaults(&d, doc);
	schema_read(r, doc, "a rule", rule_keys, &d);
	if (d.tags)
		read_tags(r, d.tags, &d.rule);
	if (d.params)
		read_params(r, d.params, &d.rule);
	if (d.context) {
		d.rule.context_span = d.context->span;
		schema_read(r, d.context, "'context'", context_keys, &d.rule);
	}
	if (d.guard)
		schema_read(r, d.guard, "'guard'", guard_keys, &d.rule);
	if (d.on_match)
		read_actions(r, d.on_match, &d.rule);
	if (d.tables)
		read_tables(r, d.tables, &d.rule);
	if (d.sets)
		read_sets(r, d.sets, &d.rule);
	if (d.events)
		read_events(r, d.events, &d.rule);
	if (d.rule.types)
		d.rule.types = node_keep(r->arena, d.rule.types);
	*rule = d.rule;
	if (d.match)
		read_match(r, d.match, rule);
	rule->on_loss = (int)d.on_loss;
}
