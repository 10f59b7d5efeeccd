// SPDX-License-Identifier: GPL-2.0-or-later
/* selftest.c - see selftest.h. */
#include "kdump/selftest.h"

#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/process.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RULE_PATH "/run/deadfall/" SELFTEST_RULE ".yaml"
/* A pid that no process has (pid_max is at most 4194304): only the test asks for it. */
#define MAGIC_PID 233757601
#define ARM_SECONDS 120
#define CRASH_SECONDS 30

static const char rule_text[] =
	"deadfall: 1\n"
	"rule: " SELFTEST_RULE "\n"
	"about: A crash on purpose, to test that crashes are captured on this machine.\n"
	"events:\n"
	"  poke:\n"
	"    probe: kprobe:__x64_sys_getpgid\n"
	"    where: arg.regs->di == 233757601\n"
	"    key: arg.regs->di\n"
	"match: {event: poke}\n"
	"on_match:\n"
	"  - panic: \"kdump test\"\n"
	"guard: {kdump: required, max_panics: 1000 per 24h}\n";

static const char *const results[] = {
	[SELFTEST_NONE] = "none", [SELFTEST_PENDING] = "pending", [SELFTEST_PASSED] = "passed", [SELFTEST_FAILED] = "failed",
};

static void copy_string(const json_t *j, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(j, key));

	snprintf(out, size, "%s", s ? s : "");
}

int selftest_write(const char *path, const struct selftest *t, struct err *err)
{
	json_t *j = json_pack("{si ss sI ss ss ss ss ss}", "format", 1, "result", results[t->result], "time", (json_int_t)t->time,
			      "setup", t->setup, "boot_id", t->boot_id, "dumps", t->dumps, "dump", t->dump, "why", t->why);
	_cleanup_free_ char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	_cleanup_free_ char *dir = strdup(path);

	json_decref(j);
	if (!text || !dir)
		return err_nomem(err);
	*strrchr(dir, '/') = 0;
	if (make_dirs(dir, 0700, err))
		return -1;
	return file_replace(path, text, strlen(text), 0600, err);
}

static int load(const char *path, struct selftest *t, struct err *err)
{
	json_t *j = json_load_file(path, 0, NULL);
	char result[16];

	*t = (struct selftest){ 0 };
	if (!j && access(path, F_OK))
		return 0;
	copy_string(j, "result", result, sizeof(result));
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		if (!strcmp(result, results[i]))
			t->result = (enum selftest_result)i;
	}
	t->time = json_integer_value(json_object_get(j, "time"));
	copy_string(j, "setup", t->setup, sizeof(t->setup));
	copy_string(j, "boot_id", t->boot_id, sizeof(t->boot_id));
	copy_string(j, "dumps", t->dumps, sizeof(t->dumps));
	copy_string(j, "dump", t->dump, sizeof(t->dump));
	copy_string(j, "why", t->why, sizeof(t->why));
	json_decref(j);
	if (t->result == SELFTEST_NONE)
		return err_set(err, ERR_ENVIRONMENT, "%s is damaged; run 'deadfall kdump test' again", path);
	return 0;
}

/* Whether a report can be made of a vmcore that another service saved. */
static bool opens(const char *vmcore, char *why, size_t size)
{
	const char *argv[] = { "/proc/self/exe", "report", vmcore, "-o", "/dev/null", NULL };
	struct process p = { .argv = argv, .limit = 600 };
	struct process_result r;
	struct err err;
	char said[400];

	if (process_run(&p, &r, &err))
		snprintf(why, size, "%.400s", err.msg);
	else if (!process_ok(&r)) {
		process_explain(&r, said, sizeof(said));
		snprintf(why, size, "no report can be made of the vmcore: %s", said);
	} else {
		return true;
	}
	return false;
}

/* The first dump after the crash tells how it went. */
static void settle(struct selftest *t)
{
	struct dump_list list = { 0 };
	const struct dump *d = NULL;
	struct err err;

	t->result = SELFTEST_FAILED;
	if (dumps_scan_all(t->dumps, &list, &err)) {
		snprintf(t->why, sizeof(t->why), "the dumps cannot be read: %.400s", err.msg);
		return;
	}
	for (size_t i = 0; i < list.count && !d; i++) {
		if (list.dumps[i].time >= t->time - 1)
			d = &list.dumps[i];
	}
	if (!d) {
		snprintf(t->why, sizeof(t->why), "the machine came back without a dump; the console of the crash tells more");
	} else if (strcmp(d->result, "complete")) {
		snprintf(t->why, sizeof(t->why), "the dump is %s: %s", d->result, d->problem);
	} else if (strcmp(d->rule, SELFTEST_RULE)) {
		snprintf(t->why, sizeof(t->why), "the dump is of another crash (%s)", *d->rule ? d->rule : "no rule fired");
	} else if (*d->vmcore && !opens(d->vmcore, t->why, sizeof(t->why))) {
		/* Ours were read in the crash kernel already. */
	} else {
		t->result = SELFTEST_PASSED;
		t->why[0] = 0;
	}
	if (d)
		snprintf(t->dump, sizeof(t->dump), "%s", d->name);
	dumps_free(&list);
}

int selftest_read(const char *path, const char *boot_id, long long now, struct selftest *ret, struct err *err)
{
	if (load(path, ret, err))
		return -1;
	if (ret->result != SELFTEST_PENDING)
		return 0;
	if (!strcmp(ret->boot_id, boot_id)) {
		if (now - ret->time <= ARM_SECONDS + CRASH_SECONDS)
			return 0;
		ret->result = SELFTEST_FAILED;
		strcpy(ret->why, "the machine did not crash");
	} else {
		settle(ret);
	}
	return selftest_write(path, ret, err);
}

void selftest_setup_text(const struct kdump_state *s, char *out, size_t size)
{
	char places[4200], ids[PLAN_TARGETS_MAX * 41];
	size_t n = 0;

	state_places(s, places, sizeof(places));
	*ids = 0;
	for (unsigned int i = 0; i < s->target_count; i++)
		n += (size_t)snprintf(ids + n, sizeof(ids) - n, "%s%s", i ? "," : "", s->targets[i].fsid);
	snprintf(out, size, "deadfall=%s kernel=%s method=%s target=%s fsid=%s level=%d compress=%s capsule_only=%d "
		 "final=%s service=%s redact=%d modules=%s", DEADFALL_VERSION, s->kernel, s->method, places, ids, s->level,
		 s->compress, s->capsule_only, s->final, s->service, s->redact, s->modules);
}

void selftest_describe(const struct selftest *t, const char *setup_now, char *out, size_t size)
{
	time_t when = (time_t)t->time;
	char date[40];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&when, &tm));
	switch (t->result) {
	case SELFTEST_STALE:
	case SELFTEST_NONE:
		snprintf(out, size, "never; 'deadfall kdump test' crashes the machine on purpose and judges the dump");
		break;
	case SELFTEST_PENDING:
		snprintf(out, size, "running since %s", date);
		break;
	case SELFTEST_PASSED:
		if (!*setup_now || !strcmp(t->setup, setup_now))
			snprintf(out, size, "passed on %s (%s)", date, t->dump);
		else
			snprintf(out, size, "passed on %s, but kernel or set-up have changed since", date);
		break;
	case SELFTEST_FAILED:
		snprintf(out, size, "FAILED on %s: %s", date, t->why);
		break;
	}
}

enum selftest_result selftest_verdict(const struct kdump_state *state, char *out, size_t size)
{
	static struct selftest t;
	static char setup[sizeof(t.setup)];
	char boot_id[64];
	struct err err;

	setup[0] = 0;
	if (state)
		selftest_setup_text(state, setup, sizeof(setup));
	file_line("", "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	if (selftest_read(SELFTEST_PATH, boot_id, time(NULL), &t, &err)) {
		snprintf(out, size, "%.690s", err.msg);
		return SELFTEST_NONE;
	}
	selftest_describe(&t, setup, out, size);
	return state && t.result == SELFTEST_PASSED && strcmp(t.setup, setup) ? SELFTEST_STALE : t.result;
}

/* Wait for the line "armed ..." of `deadfall run`; what else it says is kept for the error. */
static int wait_armed(int fd, pid_t pid, struct err *err)
{
	char text[4000] = "", *last;
	size_t n = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int waited = 0; waited < ARM_SECONDS * 10; waited++) {
		ssize_t got = poll(&p, 1, 100) > 0 ? read(fd, text + n, sizeof(text) - 1 - n) : -1;

		if (got > 0) {
			n += (size_t)got;
			text[n] = 0;
		}
		if (!strncmp(text, "armed ", 6) || strstr(text, "\narmed "))
			return 0;
		if (got == 0 || waitpid(pid, NULL, WNOHANG) == pid || n == sizeof(text) - 1)
			break;
	}
	while (n && text[n - 1] == '\n')
		text[--n] = 0;
	last = strrchr(text, '\n');
	return err_set(err, ERR_ENVIRONMENT, "'deadfall run' did not arm the test's rule: %.400s", last ? last + 1 : text);
}

static int start_run(int *fd, pid_t *pid, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	*pid = fork();
	if (!*pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execl("/proc/self/exe", "deadfall", "run", RULE_PATH, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*fd = fds[0];
	if (*pid < 0) {
		close(fds[0]);
		return err_sys(err, errno, "fork");
	}
	return 0;
}

static int arm_and_meet(struct err *err)
{
	_cleanup_close_ int fd = -1;
	pid_t pid = -1;
	int ret;

	if (make_dirs(STATE_DIR, 0755, err) || file_replace(RULE_PATH, rule_text, sizeof(rule_text) - 1, 0600, err) ||
	    start_run(&fd, &pid, err))
		return -1;
	ret = wait_armed(fd, pid, err);
	if (!ret) {
		sync();
		for (int i = 0; i < CRASH_SECONDS; i++) {
			getpgid(MAGIC_PID);
			poll(NULL, 0, 1000);
		}
		ret = err_set(err, ERR_ENVIRONMENT, "the rule was armed and met, but the machine did not crash");
	}
	kill(pid, SIGINT);
	return ret;
}

int selftest_crash(const struct kdump_state *state, struct err *err)
{
	struct selftest t = { .result = SELFTEST_PENDING, .time = time(NULL) };

	selftest_setup_text(state, t.setup, sizeof(t.setup));
	snprintf(t.boot_id, sizeof(t.boot_id), "%s", state->boot_id);
	state_places(state, t.dumps, sizeof(t.dumps));
	if (selftest_write(SELFTEST_PATH, &t, err))
		return -1;
	arm_and_meet(err);
	t.result = SELFTEST_FAILED;
	snprintf(t.why, sizeof(t.why), "%.480s", err->msg);
	selftest_write(SELFTEST_PATH, &t, NULL);
	return -1;
}

int kdump_tested(struct err *err)
{
	static struct kdump_state state;
	char text[700];

	if (state_read("", &state, err))
		return err ? (err->code = ERR_ENVIRONMENT, -1) : -1;
	if (selftest_verdict(&state, text, sizeof(text)) == SELFTEST_PASSED)
		return 0;
	return err_set(err, ERR_ENVIRONMENT, "capturing a crash is not tested here (last test: %s); run 'deadfall kdump test'", text);
}
