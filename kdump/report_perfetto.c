// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_perfetto.c - the key's events as a trace in Chrome's JSON format, for ui.perfetto.dev and chrome://tracing.
 *
 * Each task of the history is a thread of its process; generations of the key are spans of their own track, the
 * fire is a global instant. Times are microseconds of CLOCK_MONOTONIC with three decimals.
 */
#include "kdump/report.h"
#include "kdump/values.h"

#include <jansson.h>

#define KEY_PID 0	/* the track of the key itself */

static json_t *microseconds(uint64_t ns)
{
	return json_real((double)(ns / 1000) + (double)(ns % 1000) / 1000);
}

static json_t *string(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("(not UTF-8)");
}

static json_t *args_of(const struct report *r, const struct report_event *e)
{
	json_t *args = json_object(), *stack = json_array();

	for (size_t i = 0; i < e->nfields; i++)
		json_object_set_new(args, e->fields[i].name, string(value_format(r->arena, &e->fields[i], 0)));
	for (size_t i = 0; i < e->nkstack; i++)
		json_array_append_new(stack, string(e->kstack[i].symbol));
	json_object_set_new(args, "kstack", stack);
	json_object_set_new(args, "cpu", json_integer((json_int_t)e->cpu));
	json_object_set_new(args, "generation", json_integer((json_int_t)e->gen));
	if (e->func)
		json_object_set_new(args, "func", string(e->func));
	if (e->step)
		json_object_set_new(args, "step", string(e->step));
	return args;
}

static json_t *name_record(const char *kind, uint64_t pid, uint64_t tid, const char *name)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:{s:o}}", "name", kind, "ph", "M", "pid", (json_int_t)pid, "tid",
			 (json_int_t)tid, "args", "name", string(name));
}

static json_t *instant(const struct report *r, const struct report_event *e)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:I, s:I, s:o}", "name", string(e->event), "ph", "i", "s",
			 e->fired ? "g" : "t", "ts", microseconds(e->ns), "pid", (json_int_t)e->task.pid, "tid",
			 (json_int_t)e->task.tid, "args", args_of(r, e));
}

/* Events are in the order of their numbers; taken on two CPUs, their times may differ by a little the other way. */
static uint64_t elapsed(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* One span for each generation of the key, from its first known event to its last. */
static void add_generations(const struct report *r, json_t *list)
{
	size_t from = 0;

	json_array_append_new(list, name_record("process_name", KEY_PID, 0,
						arena_printf(r->arena, "key %s",
							     values_text(r->arena, r->match->key, r->match->nkey, 0))));
	for (size_t i = 1; i <= r->ncontext; i++) {
		if (i < r->ncontext && r->context[i].gen == r->context[from].gen)
			continue;
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o, s:i, s:i}", "name",
						      json_sprintf("generation %llu",
								   (unsigned long long)r->context[from].gen),
						      "ph", "X", "ts", microseconds(r->context[from].ns), "dur",
						      microseconds(elapsed(r->context[from].ns,
							   r->context[i - 1].ns)), "pid",
						      KEY_PID, "tid", 0));
		from = i;
	}
}

int report_print_perfetto(const struct report *r, FILE *out, struct err *err)
{
	json_t *list = json_array(), *root;
	int rc;

	for (size_t i = 0; i < r->ncontext; i++) {
		const struct report_event *e = &r->context[i];

		json_array_append_new(list, name_record("thread_name", e->task.pid, e->task.tid, e->task.comm));
		json_array_append_new(list, instant(r, e));
	}
	if (r->ncontext && r->match)
		add_generations(r, list);
	root = json_pack("{s:o, s:s, s:{s:o, s:o, s:o}}", "traceEvents", list, "displayTimeUnit", "ns", "otherData",
			 "rule", string(r->match ? r->match->rule : ""), "reason",
			 string(r->match ? r->match->reason : ""), "kernel", string(r->release));
	rc = root ? json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : -1;
	json_decref(root);
	if (rc)
		return err_set(err, ERR_NOMEM, "JSON cannot be written");
	fputc('\n', out);
	return 0;
}
