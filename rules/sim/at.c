// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/sim/at.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/check.h"

uint64_t sim_symbol(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3;
	return 0xffff000000000000 | (h >> 16 & ~15ull);
}

/* Is the expression written as this text, white space aside? */
static bool is_written(struct span span, const char *text)
{
	const char *p, *end;

	if (!span.src)
		return false;
	p = span.src->text + span.off;
	end = p + span.len;
	for (;;) {
		while (p < end && isspace((unsigned char)*p))
			p++;
		while (isspace((unsigned char)*text))
			text++;
		if (p == end || !*text)
			return p == end && !*text;
		if (*p++ != *text++)
			return false;
	}
}

static bool same_expr(const struct expr *a, const struct expr *b)
{
	char *text;
	bool same;

	if (!a->span.src || !b->span.src)
		return false;
	text = strndup(b->span.src->text + b->span.off, b->span.len);
	same = text && is_written(a->span, text);
	free(text);
	return same;
}

static const struct eval_value *find(const struct sim_given *given, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(given[i].name, name))
			return &given[i].value;
	}
	return NULL;
}

static const struct eval_value *find_arg(const struct sim_at *at, const struct event_arg *arg)
{
	char name[16];

	if (arg->name)
		return find(at->args, at->nargs, arg->name);
	snprintf(name, sizeof(name), "arg%u", arg->number);
	return find(at->args, at->nargs, name);
}

/* A field that was recorded tells the value of its expression. */
static const struct eval_value *find_recorded(const struct sim_at *at, const struct expr *e)
{
	for (uint32_t i = 0; i < at->nfields; i++) {
		for (uint32_t f = 0; f < at->event->nfields; f++) {
			const struct field *field = &at->event->fields[f];

			if (!strcmp(field->name, at->fields[i].name) && same_expr(e, field->expr))
				return &at->fields[i].value;
		}
	}
	return NULL;
}

static const struct eval_value *find_value(const struct sim_at *at, const struct expr *e)
{
	for (uint32_t i = 0; i < at->nvalues; i++) {
		if (is_written(e->span, at->values[i].name))
			return &at->values[i].value;
	}
	return find_recorded(at, e);
}

static bool builtin(const struct sim_at *at, const struct expr *e, struct eval_value *ret)
{
	*ret = (struct eval_value){ 0 };
	switch (e->index) {
	case BUILTIN_COMM:
		ret->unknown = !at->comm;
		return !at->comm;		/* the evaluator has its text */
	case BUILTIN_PID:
		*ret = (struct eval_value){ .num = at->pid, .unknown = !at->has_task };
		return true;
	case BUILTIN_TID:
		*ret = (struct eval_value){ .num = at->tid, .unknown = !at->has_task };
		return true;
	case BUILTIN_CPU:
		*ret = (struct eval_value){ .num = at->cpu, .unknown = !at->has_cpu };
		return true;
	case BUILTIN_NOW:
		ret->num = at->ns;
		return true;
	case BUILTIN_FUNC:
		*ret = (struct eval_value){ .num = at->func ? sim_symbol(at->func) : 0, .unknown = !at->func };
		return true;
	default:
		ret->unknown = true;
		return true;
	}
}

struct eval_value sim_named(const struct type *t, struct eval_value v)
{
	int64_t num;

	if (t->kind == TYPE_ENUM && v.len && type_enum_value(t, v.str, &num))
		return (struct eval_value){ .num = (uint64_t)num };
	return v;
}

/* Asked before anything is evaluated: true if this tells the value, or that it is not known. */
static bool given(void *arg, const struct expr *e, struct eval_value *ret)
{
	const struct sim_at *at = arg;
	const struct eval_value *v = find_value(at, e);

	if (!v && e->op == EXPR_ARG)
		v = find_arg(at, &at->event->args[e->index]);
	if (v) {
		*ret = sim_named(e->type, *v);
		if (e->type->kind != TYPE_STR && !ret->unknown)
			ret->num = fit_value(e->type, ret->num);
		return true;
	}
	if (e->op == EXPR_OLD && e->a->op == EXPR_BUILTIN && e->a->index == BUILTIN_NOW) {
		*ret = at->entered;
		return true;
	}
	*ret = (struct eval_value){ .unknown = true };
	if (e->op == EXPR_BUILTIN)
		return builtin(at, e, ret);
	if (e->op == EXPR_RETVAL && !at->retval.unknown) {
		*ret = at->retval;
		ret->num = fit_value(e->type, ret->num);
	}
	if (e->op == EXPR_CALL && e->index == FUNC_FLAG) {
		*ret = (struct eval_value){ .num = at->flags ? at->flags[e->value] : 0 };
		return true;
	}
	return e->op == EXPR_ARG || e->op == EXPR_RETVAL || (e->op == EXPR_STACK_HAS && !at->has_stack);
}

static bool read_memory(void *arg, uint64_t addr, void *buf, size_t len, bool user)
{
	const struct sim_at *at = arg;

	(void)user;
	for (uint32_t i = 0; i < at->nmemory; i++) {
		const struct sim_memory *m = &at->memory[i];

		if (addr >= m->addr && addr - m->addr <= m->len && len <= m->len - (addr - m->addr)) {
			memcpy(buf, m->bytes + (addr - m->addr), len);
			return true;
		}
	}
	return false;
}

static bool symbol(void *arg, const char *name, uint64_t *addr)
{
	(void)arg;
	*addr = sim_symbol(name);
	return true;
}

static bool in_set(void *arg, uint32_t index, uint64_t value)
{
	const struct sim_at *at = arg;
	const struct set *set = at->set->sets[index];

	for (uint32_t i = 0; i < set->nvalues; i++) {
		if (set->values[i]->value == value)
			return true;
	}
	return false;
}

static bool stack_has(void *arg, const char *function)
{
	const struct sim_at *at = arg;

	for (uint32_t i = 0; i < at->nstack; i++) {
		size_t len = strcspn(at->stack[i], "+ ");

		if (strlen(function) == len && !memcmp(at->stack[i], function, len))
			return true;
	}
	return false;
}

/* What an earlier step of the match was. */
static bool of_step(void *arg, const struct expr *e, struct eval_value *ret)
{
	const struct sim_at *at = arg;
	const struct sim_event *step = at->steps ? at->steps[e->index] : NULL;

	*ret = (struct eval_value){ .unknown = !step };
	if (!step)
		return false;
	switch (e->value) {
	case STEP_FIELD:
		for (uint32_t i = 0; i < step->event->nfields; i++) {
			if (&step->event->fields[i] == e->field)
				*ret = step->fields[i];
		}
		return !ret->unknown;
	case STEP_COMM:
		if (!step->comm)
			return false;
		ret->len = (uint32_t)strnlen(step->comm, EVAL_STR_MAX);
		memcpy(ret->str, step->comm, ret->len);
		return true;
	case STEP_PID:
		ret->num = step->pid;
		return true;
	case STEP_TID:
		ret->num = step->tid;
		return true;
	case STEP_CPU:
		ret->num = step->cpu;
		return true;
	case STEP_TIME:
		ret->num = step->ns;
		return true;
	default:
		ret->num = step->func;
		return step->func != 0;
	}
}

void sim_at_event(struct sim_at *at, const struct event *event, const uint64_t *params)
{
	const char **texts = arena_array(at->arena, at->set->nparams + 1, sizeof(*texts));

	for (uint32_t i = 0; i < at->set->nparams; i++)
		texts[i] = at->set->params[i]->text ? at->set->params[i]->text : "";
	at->event = event;
	at->env = (struct eval_env){ .arg = at, .read = read_memory, .symbol = symbol, .in_set = in_set,
				     .stack_has = stack_has, .step = of_step, .given = given, .params = params,
				     .param_strs = texts, .comm = at->comm };
}

int sim_guard(const struct sim_event *e, const struct sim_event *const *steps, const struct expr *guard)
{
	struct sim_at *at = e->env->arg;
	struct eval_value v;

	if (!guard)
		return 1;
	at->steps = steps;
	v = eval_expr(e->env, guard);
	at->steps = NULL;
	return v.unknown ? -1 : v.num != 0;
}
