// SPDX-License-Identifier: GPL-2.0-or-later
/* status.c - see status.h. */
#include "kdump/status.h"

#include "kdump/files.h"
#include "lib/cleanup.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <time.h>

static const char *const states[] = {
	[STATE_PENDING] = "pending", [STATE_RUNNING] = "running", [STATE_DONE] = "done",
	[STATE_FAILED] = "failed", [STATE_TIMEOUT] = "timeout", [STATE_SKIPPED] = "skipped",
};

const char *step_state_name(enum step_state state)
{
	return states[state];
}

const char *status_result(const struct crash_status *s, const struct plan *p)
{
	bool capsule = s->steps[STEP_CAPSULE].state == STATE_DONE;
	bool vmcore = s->steps[STEP_VMCORE].state == STATE_DONE && s->steps[STEP_CHECK].state == STATE_DONE;

	if (!s->finished)
		return "running";
	if (vmcore && capsule)
		return "complete";
	if (p->capsule_only && capsule)
		return "complete";
	/* A crash without a rule of ours has no capsule: the vmcore is all there is to get. */
	if (vmcore && s->steps[STEP_CAPSULE].state == STATE_SKIPPED)
		return "complete";
	return vmcore || capsule || s->steps[STEP_VMCORE].bytes ? "partial" : "failed";
}

/* Milliseconds are precise enough, and "0.41" is easier to read than 0.41000000000000003. */
static json_t *seconds(double s)
{
	return json_real(round(s * 1000) / 1000);
}

static json_t *steps_json(const struct crash_status *s)
{
	json_t *all = json_array();

	for (int i = 0; i < STEP_COUNT; i++) {
		const struct step_status *st = &s->steps[i];
		json_t *j = json_pack("{ss ss}", "name", plan_step_name((enum plan_step)i), "state", states[st->state]);

		if (st->state != STATE_PENDING && st->state != STATE_SKIPPED) {
			json_object_set_new(j, "started", seconds(st->started));
			json_object_set_new(j, "seconds", seconds(st->seconds));
			json_object_set_new(j, "exit", json_integer(st->exit));
		}
		if (st->bytes)
			json_object_set_new(j, "bytes", json_integer(st->bytes));
		/* Output of a failing program need not be UTF-8. */
		if (*st->error && json_object_set_new(j, "error", json_string(st->error)))
			json_object_set_new(j, "error", json_string("(not UTF-8)"));
		json_array_append_new(all, j);
	}
	return all;
}

int status_write(const struct crash_status *s, const struct plan *p, const char *path, struct err *err)
{
	const struct plan_target *t = &p->targets[s->target];
	char when[32];
	time_t crashed = (time_t)s->time;
	struct tm tm;
	json_t *j;
	_cleanup_free_ char *text = NULL;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&crashed, &tm));
	j = json_pack("{ss si ss ss ss? ss sI s{ss ss ss} so s{si si}}", "deadfall", DEADFALL_VERSION, "format", 1,
		      "result", status_result(s, p), "kernel", p->kernel, "rule",
		      strcmp(s->rule, RULE_UNKNOWN) && strcmp(s->rule, RULE_NONE) ? s->rule : NULL, "time", when,
		      "time_unix", (json_int_t)s->time, "target", "dir", t->dir, "device", s->device,
		      "fstype", t->fstype, "steps", steps_json(s), "memory", "total_kb", (int)s->mem_total_kb,
		      "min_available_kb", (int)s->mem_min_kb);
	if (j && *s->note)
		json_object_set_new(j, "note", json_string(s->note));
	if (j && *s->earlier && json_object_set_new(j, "earlier_targets", json_string(s->earlier)))
		json_object_set_new(j, "earlier_targets", json_string("(not UTF-8)"));
	if (j && s->deleted)
		json_object_set_new(j, "deleted_dumps", json_integer(s->deleted));
	if (j && p->redact)
		json_object_set_new(j, "redacted", json_true());
	if (j && p->capsule_only)
		json_object_set_new(j, "capsule_only", json_true());
	if (j && *p->service)
		json_object_set_new(j, "vmcore_by", json_string(p->service));
	if (j)
		text = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
	json_decref(j);
	if (!text)
		return err_nomem(err);
	return file_replace(path, text, strlen(text), 0600, err);
}
