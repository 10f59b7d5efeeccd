// SPDX-License-Identifier: GPL-2.0-or-later
/* tell.c - what `deadfall run` says on stdout while a set is loaded. */
#include "agent/tell.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/output.h"
#include "lib/buf.h"

/* Lines that found no room. */
static uint64_t left_out;

static bool put_text(const char *text)
{
	struct buf line = BUF_INIT;
	bool done;

	buf_printf(&line, "%s\n", text);
	done = output_line(buf_str(&line), line.len);
	buf_deinit(&line);
	return done;
}

static bool put_json(json_t *j)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	bool done = put_text(text ? text : "");

	free(text);
	json_decref(j);
	return done;
}

static bool put(bool json, const char *what, const char *text)
{
	return json ? put_json(json_pack("{s:s, s:s}", "what", what, "text", text)) : put_text(text);
}

/* Lines that were left out are told before the next one. */
static void catch_up(bool json)
{
	char text[96];

	snprintf(text, sizeof(text), "%" PRIu64 " lines are missing here: there was no room for them", left_out);
	if (left_out && put(json, "lost", text))
		left_out = 0;
}

void tell(bool json, const char *what, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	catch_up(json);
	left_out += !put(json, what, buf_str(&text));
	buf_deinit(&text);
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

static bool match_json(const struct set_info *info, const struct df_said *s, const char *verdict, const struct mf_fault *fault,
		       const char *only_logged, const char *message)
{
	const struct df_rec *e = &s->rec;

	return put_json(json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:I, s:s*, s:s*, s:s*}", "what", "match", "verdict", verdict, "rule",
			   info->rules[s->rule].name, "event", info->events[e->event].name, "time_ns", (json_int_t)e->ns, "key",
			   key_json((const uint64_t *)e->key.part, info->rules[s->rule].nkey), "pid",
			   (json_int_t)(e->pid_tgid >> 32), "tid", (json_int_t)(uint32_t)e->pid_tgid, "comm",
			   json_sprintf("%.16s", (const char *)e->comm), "cpu", (json_int_t)e->cpu, "detected",
			   fault ? fault->name : NULL, "only_logged", only_logged, "message", message));
}

void tell_match(bool json, const struct set_info *info, const struct df_said *s, const char *verdict, const struct mf_fault *fault,
		const char *only_logged, const char *message)
{
	const struct df_rec *e = &s->rec;
	struct buf line = BUF_INIT;

	catch_up(json);
	if (json) {
		left_out += !match_json(info, s, verdict, fault, only_logged, message);
		return;
	}
	buf_printf(&line, "%s: rule %s at event %s", verdict, info->rules[s->rule].name, info->events[e->event].name);
	if (fault)
		buf_printf(&line, " (%s)", fault->words);
	for (uint32_t i = 0; i < info->rules[s->rule].nkey; i++)
		buf_printf(&line, "%s0x%" PRIx64, i ? "," : ", key ", (uint64_t)e->key.part[i]);
	buf_printf(&line, ", task %.16s (pid %u, tid %u) on CPU %u", (const char *)e->comm, (uint32_t)(e->pid_tgid >> 32),
		   (uint32_t)e->pid_tgid, e->cpu);
	if (only_logged)
		buf_printf(&line, " (no crash: %s)", only_logged);
	buf_printf(&line, "%s%s", message ? ": " : "", message ? message : "");
	left_out += !put_text(buf_str(&line));
	buf_deinit(&line);
}
