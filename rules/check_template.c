// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_template.c - messages of actions: "widget {key:p} freed by {b.task}".
 *
 * {NAME} or {NAME:FORMAT}, {{ for a brace. What a reader fills in is listed in docs/manifest.md.
 */
#include "rules/check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/yaml.h"

/* Of any step, and of the event that fired. */
static const char *const of_event[] = { "task", "comm", "pid", "tid", "cpu", "time", "func" };
static const char *const of_match[] = { "key", "now", "rule", "detected" };

static bool is_one_of(const char *name, const char *const *names, size_t n, struct nearest *near)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return true;
		nearest_offer(near, names[i]);
	}
	return false;
}

static bool has_field(const struct event *ev, const char *name, struct nearest *near)
{
	for (uint32_t i = 0; i < ev->nfields; i++) {
		if (!strcmp(ev->fields[i].name, name))
			return true;
		nearest_offer(near, ev->fields[i].name);
	}
	return false;
}

static const struct event *find_step(const struct match *m, const char *name, struct nearest *near)
{
	const struct event *e;
	const char *label;

	for (uint32_t i = 0; (e = match_step(m, i, &label)); i++) {
		if (!strcmp(label, name))
			return e;
		nearest_offer(near, label);
	}
	return NULL;
}

static void unknown(struct check *c, struct span span, const char *what, const char *name, struct nearest *near)
{
	struct diag *d = diag_error(c->diags, TAG_TEMPLATE, span, "%s '%s'", what, name);

	if (nearest_best(near))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(near));
	else
		diag_hint(c->diags, d, "{key}, {now}, {STEP.task}, {STEP.FIELD}, {FIELD}; a brace is written {{");
}

/* key.0, key.1, ... */
static bool is_key_part(const struct rule *rule, const char *part)
{
	return part[0] >= '0' && part[0] <= '9' && !part[1] && (uint32_t)(part[0] - '0') < rule->nkey;
}

/* A field of the event that fires: the last step, or where there are no steps, any event that may fire. */
static bool fires_with_field(const struct rule *rule, const char *name, struct nearest *near)
{
	const struct match *m = &rule->match;
	bool found = false;

	if (m->kind == MATCH_EVENT || m->kind == MATCH_SEQUENCE)
		return m->nsteps && has_field(m->steps[m->nsteps - 1].event, name, near);
	for (uint32_t i = 0; i < rule->nevents; i++)
		found |= rule->events[i].roles && has_field(&rule->events[i], name, near);
	return found;
}

static void check_name_part(struct check *c, struct span span, char *name)
{
	const struct match *m = &c->rule->match;
	struct nearest near = nearest_init(name);
	char *dot = strchr(name, '.');
	const struct event *step;

	if (!dot) {
		if (is_one_of(name, of_match, m->kind == MATCH_LIFECYCLE ? 4 : 3, &near) || is_one_of(name, of_event, 7, &near))
			return;
		if (fires_with_field(c->rule, name, &near))
			return;
		unknown(c, span, "nothing to fill in is called", name, &near);
		return;
	}
	*dot = '\0';
	if (!strcmp(name, "key") && is_key_part(c->rule, dot + 1))
		return;
	step = find_step(m, name, &near);
	if (!step && !strcmp(name, "key")) {
		diag_error(c->diags, TAG_TEMPLATE, span, "the key has %u part%s, {key.0} is the first", c->rule->nkey,
			   c->rule->nkey == 1 ? "" : "s");
		return;
	}
	if (!step) {
		unknown(c, span, "the match has no step", name, &near);
		return;
	}
	near = nearest_init(dot + 1);
	if (is_one_of(dot + 1, of_event, 7, &near) || has_field(step, dot + 1, &near))
		return;
	unknown(c, span, arena_printf(c->arena, "event '%s' records no", step->name), dot + 1, &near);
}

void check_template(struct check *c, const struct node *node)
{
	const char *text = node ? node->text : NULL, *open, *close;

	for (; text && (open = strpbrk(text, "{}")); text = close + 1) {
		uint32_t off = (uint32_t)(open - node->text);
		char *name, *format;

		close = open + 1;
		if (open[0] == open[1])
			continue;
		close = strpbrk(open + 1, "{}");
		if (*open == '}' || !close || *close != '}') {
			diag_hint(c->diags, diag_error(c->diags, TAG_TEMPLATE, node_part(node, off, 1),
						       "a brace without its partner"),
				  "a brace that is meant is written %c%c", *open, *open);
			return;
		}
		name = arena_strndup(c->arena, open + 1, (size_t)(close - open - 1));
		format = strchr(name, ':');
		if (format) {
			*format++ = '\0';
			if (strlen(format) != 1 || !strchr("pxdei", *format))
				diag_error(c->diags, TAG_TEMPLATE, node_part(node, off, (uint32_t)(close - open + 1)),
					   "formats are :p (pointer), :x (hexadecimal), :d (decimal), :e (error number), :i (IPv4 address)");
		}
		check_name_part(c, node_part(node, off + 1, (uint32_t)strlen(name)), name);
	}
}
