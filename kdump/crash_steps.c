// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crash_steps.c - see crash_steps.h.
 *
 * The order is the design: the capsule (small, ours, all that a report needs) is on stable storage before the vmcore
 * (large, slow, and made by a program that may fail) begins.
 */
#include "kdump/crash_steps.h"

#include "kdump/crash_files.h"
#include "kdump/crash_store.h"
#include "kdump/crash_target.h"
#include "kdump/process.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

void crash_say(const char *fmt, ...)
{
	char line[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n >= 0)
		dprintf(1, "deadfall: %s\n", line);
}

/* Run a child that is no step; what it said goes to r. */
static bool run_child(int (*call)(void *), struct crash_call *arg, unsigned int limit, struct process_result *r)
{
	struct process p = { .call = call, .arg = arg, .limit = limit };

	return !process_run(&p, r, NULL) && process_ok(r);
}

bool crash_save_status(struct crash *c)
{
	struct process p = { .call = child_write_status, .arg = &(struct crash_call){ .c = c }, .limit = 30 };
	struct process_result r;
	char why[300];
	struct err err;

	if (!*c->status->name)
		return true;
	if (process_run(&p, &r, &err)) {
		crash_say("status.json: %s", err.msg);
		return false;
	}
	if (process_ok(&r))
		return true;
	process_explain(&r, why, sizeof(why));
	crash_say("status.json: %s", why);
	return false;
}

double crash_uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct step_status *step_begin(struct crash *c, enum plan_step step)
{
	struct step_status *s = &c->status->steps[step];

	s->state = STATE_RUNNING;
	s->started = crash_uptime();
	crash_save_status(c);
	return s;
}

/* Run one child of a step within what the step has left of its time; false, and the reason kept, if it fails. */
static bool step_run(struct crash *c, enum plan_step step, const struct process *what, struct process_result *r)
{
	struct step_status *s = &c->status->steps[step];
	double left = c->plan.limits[step] - s->seconds;
	struct process p = *what;
	struct err err;

	p.limit = left > 1 ? (unsigned int)left : 1;
	if (process_run(&p, r, &err)) {
		s->state = STATE_FAILED;
		snprintf(s->error, sizeof(s->error), "%.390s", err.msg);
		return false;
	}
	s->seconds += r->seconds;
	/* The first failure is the one that counts, not what is done about it afterwards. */
	if (s->state == STATE_RUNNING)
		s->exit = r->status;
	if (process_ok(r))
		return true;
	s->state = r->timed_out ? STATE_TIMEOUT : STATE_FAILED;
	process_explain(r, s->error, sizeof(s->error));
	return false;
}

static bool step_program(struct crash *c, enum plan_step step, const char *const *argv, struct process_result *r)
{
	return step_run(c, step, &(struct process){ .argv = argv }, r);
}

static bool step_call(struct crash *c, enum plan_step step, int (*call)(void *), struct crash_call arg, struct process_result *r)
{
	arg.c = c;
	return step_run(c, step, &(struct process){ .call = call, .arg = &arg }, r);
}

static void step_end(struct crash *c, enum plan_step step)
{
	struct step_status *s = &c->status->steps[step];
	char size[40] = "";

	if (s->state == STATE_RUNNING)
		s->state = STATE_DONE;
	if (s->bytes)
		snprintf(size, sizeof(size), ", %lld KB", s->bytes / 1024);
	crash_say("%s %s%s in %.1f s%s%s", plan_step_name(step), step_state_name(s->state), size, s->seconds,
		  *s->error ? ": " : "", s->error);
	crash_save_status(c);
}

static void skip_step(struct crash *c, enum plan_step step, const char *why)
{
	struct step_status *s = &c->status->steps[step];

	s->state = STATE_SKIPPED;
	snprintf(s->error, sizeof(s->error), "%s", why);
}

/* "rule NAME" on a line of its own; a name becomes part of a path, so only harmless letters pass. */
static bool rule_name(const char *output, char *out, size_t size)
{
	const char *p = !strncmp(output, "rule ", 5) ? output : strstr(output, "\nrule ");
	size_t n = 0;

	if (!p)
		return false;
	p += *p == '\n' ? 6 : 5;
	while (*p && *p != '\n' && n + 1 < size) {
		char ch = *p++;

		out[n] = isalnum((unsigned char)ch) || ch == '-' || ch == '_' || (ch == '.' && n) ? ch : '_';
		n++;
	}
	out[n] = 0;
	return n != 0;
}

static bool target_is_full(void)
{
	struct statvfs st;

	return !statvfs(TARGET_MOUNT, &st) && st.f_bavail * st.f_frsize < 1 << 20;
}

/* Once more, with the space that was kept for this. */
static bool second_capsule(struct crash *c, const char *path, const char *const *argv, struct process_result *r)
{
	struct step_status *s = &c->status->steps[STEP_CAPSULE];
	char first[sizeof(s->error)];

	memcpy(first, s->error, sizeof(first));
	unlink(path);
	crash_release_reserve(crash_target(c));
	s->state = STATE_RUNNING;
	s->error[0] = 0;
	if (!step_program(c, STEP_CAPSULE, argv, r))
		return false;
	snprintf(s->error, sizeof(s->error), "second try, after: %.360s", first);
	return true;
}

static void name_dump(struct crash *c, const char *output)
{
	struct crash_status *s = c->status;
	char rule[sizeof(s->rule)];
	struct process_result r;

	if (rule_name(output, rule, sizeof(rule))) {
		strcpy(s->rule, rule);
		if (!run_child(child_rename_dir, &(struct crash_call){ .c = c, .to = rule }, 20, &r))
			process_explain(&r, s->note, sizeof(s->note));
	}
}

static void capsule_step(struct crash *c)
{
	struct step_status *s = step_begin(c, STEP_CAPSULE);
	const char *from = "capsule.partial", *to;
	char path[PATH_MAX];
	const char *argv[] = { c->plan.program, "capture", VMCORE, "--capsule", path, c->plan.redact ? "--redact" : NULL, NULL };
	struct process_result r;
	bool ok;

	crash_path(c, path, sizeof(path), from);
	ok = step_program(c, STEP_CAPSULE, argv, &r);
	if (!ok && s->state == STATE_FAILED && target_is_full())
		ok = second_capsule(c, path, argv, &r);
	if (ok)
		name_dump(c, r.output);
	to = ok ? "capsule" : "capsule.incomplete";
	if (crash_file_size(c, from) &&
	    step_call(c, STEP_CAPSULE, child_settle, (struct crash_call){ .from = from, .to = to }, &r))
		s->bytes = crash_file_size(c, to);
	else if (ok && !*s->error)
		snprintf(s->error, sizeof(s->error), "no capsule was written");
	if (ok && !s->bytes && s->state == STATE_RUNNING)
		s->state = STATE_FAILED;
	c->status->named = true;
	step_end(c, STEP_CAPSULE);
}

static void dmesg_step(struct crash *c)
{
	struct step_status *s = step_begin(c, STEP_DMESG);
	const char *name = "dmesg.txt";
	char path[PATH_MAX];
	const char *argv[] = { "/bin/makedumpfile", "--dump-dmesg", VMCORE, path, NULL };
	struct process_result r;

	crash_path(c, path, sizeof(path), name);
	step_program(c, STEP_DMESG, argv, &r);
	s->bytes = crash_file_size(c, name);
	if (s->bytes)
		step_call(c, STEP_DMESG, child_settle, (struct crash_call){ .from = name, .to = name }, &r);
	step_end(c, STEP_DMESG);
}

/* makedumpfile's command line; messages: 2 common, 4 errors, no progress bar. path: NULL for its stdout, flattened. */
static void vmcore_words(const struct crash *c, const char *level, const char *path, const char *argv[12])
{
	size_t n = 0;

	argv[n++] = "/bin/makedumpfile";
	if (!path)
		argv[n++] = "-F";
	argv[n++] = "--message-level";
	argv[n++] = "6";
	argv[n++] = "-d";
	argv[n++] = level;
	if (*c->plan.compress)
		argv[n++] = c->plan.compress;
	argv[n++] = VMCORE;
	if (path)
		argv[n++] = path;
	argv[n] = NULL;
}

static void vmcore_step(struct crash *c)
{
	struct step_status *s = step_begin(c, STEP_VMCORE);
	const char *from = "vmcore.partial", *to, *argv[12];
	char path[PATH_MAX], level[16], why[sizeof(s->error)];
	struct process_result r;

	snprintf(level, sizeof(level), "%d", c->plan.level);
	crash_path(c, path, sizeof(path), from);
	vmcore_words(c, level, path, argv);
	/* Only a file that makedumpfile finished may be called vmcore; readers can do much with a cut one, too. */
	to = step_program(c, STEP_VMCORE, argv, &r) ? "vmcore" : "vmcore.incomplete";
	if (crash_file_size(c, from)) {
		memcpy(why, s->error, sizeof(why));
		step_call(c, STEP_VMCORE, child_settle, (struct crash_call){ .from = from, .to = to }, &r);
		if (*why)
			memcpy(s->error, why, sizeof(why));
		s->bytes = crash_file_size(c, to);
	}
	step_end(c, STEP_VMCORE);
}

static void stream_vmcore_step(struct crash *c)
{
	struct step_status *s = step_begin(c, STEP_VMCORE);
	const char *argv[12], *bytes;
	struct process_result r;
	char level[16];

	snprintf(level, sizeof(level), "%d", c->plan.level);
	vmcore_words(c, level, NULL, argv);
	step_call(c, STEP_VMCORE, child_stream, (struct crash_call){ .to = STORE_VMCORE, .argv = argv }, &r);
	bytes = strstr(r.output, "bytes ");
	s->bytes = bytes ? strtoll(bytes + 6, NULL, 10) : 0;
	step_end(c, STEP_VMCORE);
}

static void check_step(struct crash *c)
{
	struct step_status *s = &c->status->steps[STEP_VMCORE];
	char path[PATH_MAX];
	const char *argv[] = { c->plan.program, "report", path, "-o", "/dev/null", NULL };
	bool stored = store_is(crash_target(c));
	struct process_result r;

	if (s->state != STATE_DONE) {
		skip_step(c, STEP_CHECK, "there is no complete vmcore");
		return;
	}
	step_begin(c, STEP_CHECK);
	crash_path(c, path, sizeof(path), "vmcore");
	/* Cheap first; then our own reader goes through all that a report shows (where it can: not at a server). */
	if (step_call(c, STEP_CHECK, child_check, (struct crash_call){ 0 }, &r) && !stored)
		step_program(c, STEP_CHECK, argv, &r);
	if (stored && s->bytes < 1 << 20) {
		c->status->steps[STEP_CHECK].state = STATE_FAILED;
		snprintf(c->status->steps[STEP_CHECK].error, sizeof(s->error), "the vmcore has only %lld bytes", s->bytes);
	}
	step_end(c, STEP_CHECK);
}

/* Old dumps go where the plan says so; a failure of that is noted and costs nothing else. */
static void retain(struct crash *c, bool finished)
{
	struct crash_status *s = c->status;
	struct process_result r;
	const char *deleted;

	if ((!c->plan.max_dumps && !c->plan.max_bytes) || !strcmp(crash_target(c)->target, "ssh"))
		return;
	if (!run_child(child_retain, &(struct crash_call){ .c = c, .finished = finished }, 60, &r))
		process_explain(&r, s->note, sizeof(s->note));
	deleted = strstr(r.output, "deleted ");
	s->deleted += deleted ? (unsigned int)strtoul(deleted + 8, NULL, 10) : 0;
}

/* In another service's crash kernel ours is the capsule only. */
static void leave_to_service(struct crash *c)
{
	static const enum plan_step steps[] = { STEP_DMESG, STEP_VMCORE, STEP_CHECK };
	char why[60];

	snprintf(why, sizeof(why), "left to %s", c->plan.service);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		skip_step(c, steps[i], why);
	retain(c, true);
}

static void save_dump(struct crash *c)
{
	capsule_step(c);
	if (*c->plan.service) {
		leave_to_service(c);
		return;
	}
	/* The log holds lines of user space, too; the capsule has those of the kernel. */
	if (c->plan.redact)
		skip_step(c, STEP_DMESG, "redacted, as the plan says");
	else
		dmesg_step(c);
	retain(c, false);
	if (c->plan.capsule_only) {
		skip_step(c, STEP_VMCORE, "capsule only, as the plan says");
		skip_step(c, STEP_CHECK, "");
		return;
	}
	if (store_is(crash_target(c)))
		stream_vmcore_step(c);
	else
		vmcore_step(c);
	check_step(c);
	retain(c, true);
}

static bool failed(const struct crash *c, enum plan_step step)
{
	enum step_state state = c->status->steps[step].state;

	return state == STATE_FAILED || state == STATE_TIMEOUT;
}

/* Whether the present target is to blame, so that another may do better. */
static bool target_is_bad(struct crash *c)
{
	struct process_result r;
	bool ok;

	if (failed(c, STEP_TARGET))
		return true;
	if (!failed(c, STEP_CAPSULE) && !failed(c, STEP_VMCORE) && !failed(c, STEP_CHECK))
		return false;
	ok = run_child(child_probe, &(struct crash_call){ .c = c }, 30, &r);
	return !crash_save_status(c) || !ok;
}

/* Leave this target with what it has, and begin anew. */
static void next_target(struct crash *c)
{
	struct crash_status *s = c->status;
	const struct plan_target *t = crash_target(c);
	size_t n = strlen(s->earlier);
	struct process_result r;
	const char *why = "";

	for (int i = STEP_TARGET; i < STEP_COUNT && !*why; i++) {
		if (failed(c, (enum plan_step)i))
			why = s->steps[i].error;
	}
	snprintf(s->earlier + n, sizeof(s->earlier) - n, "%s%s on %s: %.240s", n ? "; " : "", t->fstype, t->device, why);
	snprintf(s->note, sizeof(s->note), "went on to target %u, %s on %s", s->target + 2, t[1].fstype, t[1].device);
	crash_say("%s", s->note);
	s->finished = true;
	if (!failed(c, STEP_TARGET))
		crash_save_status(c);
	run_child(child_unmount, &(struct crash_call){ .c = c }, 30, &r);
	s->finished = s->named = false;
	s->note[0] = s->name[0] = s->device[0] = 0;
	memset(&s->steps[STEP_TARGET], 0, sizeof(*s->steps) * (STEP_COUNT - STEP_TARGET));
	s->target++;
}

void crash_work(struct crash *c)
{
	struct process_result r;

	c->status->steps[STEP_MODULES].state = STATE_RUNNING;
	c->status->steps[STEP_MODULES].started = crash_uptime();
	step_call(c, STEP_MODULES, child_modules, (struct crash_call){ 0 }, &r);
	step_end(c, STEP_MODULES);
	for (;;) {
		step_begin(c, STEP_TARGET);
		if (step_call(c, STEP_TARGET, child_target, (struct crash_call){ 0 }, &r)) {
			step_end(c, STEP_TARGET);
			save_dump(c);
		} else {
			step_end(c, STEP_TARGET);
		}
		if (c->status->target + 1 >= c->plan.target_count || !target_is_bad(c))
			break;
		next_target(c);
	}
}
