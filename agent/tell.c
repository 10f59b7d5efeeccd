// SPDX-License-Identifier: GPL-2.0-or-later
/* tell.c - what `deadfall run` says on stdout while a set is loaded. */
#include "agent/tell.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void put_json(json_t *j)
{
	if (j)
		json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
	fflush(stdout);		/* who reads along sees it now, and has it if the machine goes down next */
}

static void put_text(const char *text)
{
	puts(text);
	fflush(stdout);
}

void tell(bool json, const char *what, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (json)
		put_json(json_pack("{s:s, s:s*}", "what", what, "text", text));
	else if (text)
		put_text(text);
	free(text);
}

/* As in a report: a key of one part is a value, of several an array, of none null. */
static json_t *key_json(const uint64_t *part, uint32_t n)
{
	json_t *list;

	if (n < 2)
		return n ? json_sprintf("0x%" PRIx64, part[0]) : json_null();
	list = json_array();
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, json_sprintf("0x%" PRIx64, part[i]));
	return list;
}

static void match_json(const struct set_info *info, const struct df_said *s, const char *verdict, const struct mf_fault *fault,
		       const char *message)
{
	const struct df_rec *e = &s->rec;

	put_json(json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:I, s:s*, s:s*}", "what", "match", "verdict", verdict, "rule",
			   info->rules[s->rule].name, "event", info->events[e->event].name, "time_ns", (json_int_t)e->ns, "key",
			   key_json((const uint64_t *)e->key.part, info->rules[s->rule].nkey), "pid",
			   (json_int_t)(e->pid_tgid >> 32), "tid", (json_int_t)(uint32_t)e->pid_tgid, "comm",
			   json_sprintf("%.16s", (const char *)e->comm), "cpu", (json_int_t)e->cpu, "detected",
			   fault ? fault->name : NULL, "message", message));
}

void tell_match(bool json, const struct set_info *info, const struct df_said *s, const char *verdict, const struct mf_fault *fault,
		const char *message)
{
	const struct df_rec *e = &s->rec;

	if (json) {
		match_json(info, s, verdict, fault, message);
		return;
	}
	printf("%s: rule %s at event %s", verdict, info->rules[s->rule].name, info->events[e->event].name);
	if (fault)
		printf(" (%s)", fault->words);
	for (uint32_t i = 0; i < info->rules[s->rule].nkey; i++)
		printf("%s0x%" PRIx64, i ? "," : ", key ", (uint64_t)e->key.part[i]);
	printf(", task %.16s (pid %u, tid %u) on CPU %u%s%s\n", (const char *)e->comm, (uint32_t)(e->pid_tgid >> 32),
	       (uint32_t)e->pid_tgid, e->cpu, message ? ": " : "", message ? message : "");
	fflush(stdout);
}
