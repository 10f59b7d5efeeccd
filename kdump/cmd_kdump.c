// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_kdump.c - see cmd_kdump.h. */
#include "kdump/cmd_kdump.h"

#include "agent/command.h"
#include "kdump/cmd_kdump_setup.h"
#include "kdump/doctor.h"
#include "kdump/files.h"
#include "kdump/owner.h"
#include "kdump/panics.h"
#include "kdump/ready.h"
#include "kdump/selftest.h"
#include "kdump/service.h"
#include "kdump/state.h"
#include "kdump/target.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const state_words[] = { [CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "FAIL" };

static void print_checks(const struct check_result *results, bool ready)
{
	for (size_t i = 0; doctor_checks[i].name; i++) {
		const struct check_result *r = &results[i];

		printf("%-4s %-13s %s\n", state_words[r->state], doctor_checks[i].name, r->text);
		if (r->state != CHECK_OK)
			printf("%18s why: %s\n", "", doctor_checks[i].why);
		if (*r->fix)
			printf("%18s fix: %s\n", "", r->fix);
	}
	printf("\n%s\n", ready ? "ready: a crash would be dumped" : "NOT ready: a crash would leave no complete dump");
}

static int print_checks_json(const struct check_result *results, bool ready)
{
	json_t *checks = json_array(), *j;
	char *text;

	for (size_t i = 0; doctor_checks[i].name; i++) {
		static const char *const words[] = { [CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail" };
		const struct check_result *r = &results[i];

		json_array_append_new(checks, json_pack("{ss ss ss ss ss}", "name", doctor_checks[i].name, "state",
							words[r->state], "found", r->text, "why", doctor_checks[i].why,
							"fix", r->fix));
	}
	j = json_pack("{sb so}", "ready", ready, "checks", checks);
	text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	json_decref(j);
	if (text)
		puts(text);
	free(text);
	return text ? 0 : -1;
}

/* Options that status and doctor share; an exit code, or -1 to go on. */
static int parse_report_options(const char *name, int argc, char **argv, bool *json, const char **target)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, { "target", required_argument, NULL, 't' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "jt:", options, NULL)) != -1) {
		switch (c) {
		case 'j': *json = true; break;
		case 't': *target = optarg; break;
		default: return command_usage(name, "unknown option");
		}
	}
	if (optind < argc)
		return command_usage(name, "unexpected argument '%s'", argv[optind]);
	return -1;
}

static int cmd_doctor(int argc, char **argv)
{
	struct check_result results[DOCTOR_CHECKS_MAX];
	static struct doctor_facts facts;
	const char *target = TARGET_DEFAULT;
	bool json = false, ready;
	int ret = parse_report_options("kdump doctor", argc, argv, &json, &target);

	if (ret >= 0)
		return ret;
	doctor_gather(target, &facts);
	ready = doctor_run(&facts, results);
	if (!json)
		print_checks(results, ready);
	else if (print_checks_json(results, ready))
		return EXIT_ENVIRONMENT;
	return ready ? EXIT_OK : EXIT_ENVIRONMENT;
}

/* What `kdump status` shows. */
struct status {
	bool have_state;
	struct kdump_state state;
	struct kdump_service service;
	enum owner owner;
	char problem[1000];		/* why a crash would not be captured, "" */
	char test[700];			/* the last test of it */
};

static const char *owner_name(const struct status *s)
{
	switch (s->owner) {
	case OWNER_NONE: return "none";
	case OWNER_OURS: return "deadfall";
	case OWNER_SERVICE: return s->service.name;
	case OWNER_OTHER: return "another program";
	case OWNER_UNSEEN: return "unseen";
	}
	return "";
}

/* And what that means for the capsule. */
static const char *owner_meaning(const struct status *s)
{
	bool beside = s->have_state && *s->state.service;

	switch (s->owner) {
	case OWNER_NONE: return "";
	case OWNER_OURS: return ": capsule first, then vmcore";
	case OWNER_SERVICE:
		return beside ? ": our capsule first, then its dump" : ": no capsule, only its dump ('deadfall kdump setup --beside')";
	case OWNER_OTHER: return ": no capsule, and what it saves is not known here";
	case OWNER_UNSEEN: return " (/proc/kcore is closed)";
	}
	return "";
}

static void print_setup(const struct kdump_state *s)
{
	char when[32];
	time_t t = (time_t)s->time;
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	printf("set up        %s for kernel %s, loaded by %s\n", when, s->kernel, s->method);
	for (unsigned int i = 0; i < s->target_count; i++) {
		const struct state_target *to = &s->targets[i];

		printf("%-13s %s (%s %s%son %s)\n", i ? "if that fails" : "target", to->target, to->fstype, to->fsid, *to->fsid ? " " : "",
		       to->device);
	}
	if (s->max_dumps || s->max_bytes) {
		printf("keeps        ");
		if (s->max_dumps)
			printf(" the last %lld dumps", s->max_dumps);
		if (s->max_bytes)
			printf("%s at most %lld MB", s->max_dumps ? "," : "", s->max_bytes >> 20);
		printf("\n");
	}
	printf("saves         %s%s", s->capsule_only ? "the capsule only" : "capsule and vmcore", s->redact ? ", no user-space bytes" : "");
	if (!s->capsule_only)
		printf(", makedumpfile -d %d %s", s->level, s->compress);
	printf("; then %s\n", s->final);
}

static void print_status(const struct status *s)
{
	printf("%s\n", *s->problem ? s->problem : "ready: a crash kernel is loaded");
	printf("crash kernel  %s%s\n", owner_name(s), owner_meaning(s));
	if (s->have_state)
		print_setup(&s->state);
	else
		printf("set up        not by deadfall in this boot\n");
	printf("tested        %s\n", s->test);
}

static int print_status_json(const struct status *st)
{
	const struct kdump_state *s = &st->state;
	json_t *j = json_pack("{sb ss ss ss}", "ready", !*st->problem, "problem", st->problem, "crash_kernel", owner_name(st), "tested",
			      st->test), *targets = json_array();
	char *text;

	for (unsigned int i = 0; i < s->target_count; i++)
		json_array_append_new(targets, json_string(s->targets[i].target));
	if (j && st->have_state)
		json_object_set_new(j, "setup", json_pack("{ss ss ss sO ss si sb sb ss sI sI sI}", "kernel", s->kernel, "method",
							  s->method, "service", s->service, "targets", targets, "compress",
							  s->compress, "level", s->level, "capsule_only", s->capsule_only, "redact", s->redact,
							  "final", s->final, "max_dumps", (json_int_t)s->max_dumps, "max_bytes",
							  (json_int_t)s->max_bytes, "time_unix", (json_int_t)s->time));
	json_decref(targets);
	text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	json_decref(j);
	if (text)
		puts(text);
	free(text);
	return text ? 0 : -1;
}

static int crash_for_test(const char *target)
{
	struct check_result results[DOCTOR_CHECKS_MAX];
	static struct doctor_facts facts;
	struct err err;

	doctor_gather(target, &facts);
	if (!doctor_run(&facts, results))
		print_checks(results, false);
	if (!doctor_may_test(results)) {
		fprintf(stderr, "deadfall kdump test: not started: the crash would not be captured\n");
		return EXIT_ENVIRONMENT;
	}
	printf("crashing this machine; after it is back, 'deadfall kdump test --result' tells the verdict\n");
	fflush(stdout);
	selftest_crash(&facts.state, &err);
	return command_fail("kdump test", &err);
}

static int cmd_test(int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' }, { "result", no_argument, NULL, 'r' }, { 0 }
	};
	static struct kdump_state state;
	bool yes = false, result = false;
	char text[700], answer[16] = "";
	int c;

	while ((c = getopt_long(argc, argv, "yr", options, NULL)) != -1) {
		switch (c) {
		case 'y': yes = true; break;
		case 'r': result = true; break;
		default: return command_usage("kdump test", "unknown option");
		}
	}
	if (optind < argc)
		return command_usage("kdump test", "unexpected argument '%s'", argv[optind]);
	if (result) {
		enum selftest_result verdict = selftest_verdict(state_read("", &state, NULL) ? NULL : &state, text, sizeof(text));

		puts(text);
		return verdict == SELFTEST_PASSED ? EXIT_OK : EXIT_ENVIRONMENT;
	}
	if (!yes && !isatty(0))
		return command_usage("kdump test", "this crashes the machine: say --yes");
	if (!yes) {
		printf("This crashes the machine now, as a real bug would; unsaved work is lost. Type 'crash' to go on: ");
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "crash\n"))
			return EXIT_ENVIRONMENT;
	}
	return crash_for_test(TARGET_DEFAULT);
}

static int cmd_status(int argc, char **argv)
{
	const char *target = NULL;
	static struct status s;
	struct err err = { 0 };
	bool json = false;
	int ret = parse_report_options("kdump status", argc, argv, &json, &target);

	if (ret >= 0)
		return ret;
	s.have_state = !state_read("", &s.state, NULL);
	service_find("", &s.service);
	s.owner = owner_of_loaded(s.have_state ? &s.state : NULL, &s.service, NULL);
	if (kdump_ready(&err))
		snprintf(s.problem, sizeof(s.problem), "%s", err.msg);
	selftest_verdict(s.have_state ? &s.state : NULL, s.test, sizeof(s.test));
	if (!json)
		print_status(&s);
	else if (print_status_json(&s))
		return EXIT_ENVIRONMENT;
	return *s.problem ? EXIT_ENVIRONMENT : EXIT_OK;
}

static int cmd_forget(int argc, char **argv)
{
	struct err err;

	if (argc != 2)
		return command_usage("kdump forget", "name one rule, or --all");
	if (panics_forget(strcmp(argv[1], "--all") ? argv[1] : NULL, &err))
		return command_fail("kdump forget", &err);
	return EXIT_OK;
}

static const struct command subcommands[] = {
	{ "setup", cmd_kdump_setup, "[--target DIR|DEVICE|USER@HOST:/DIR]... [--beside] [--max-dumps N] [--capsule-only] ... (--help)",
	  "build the crash initramfs and load the crash kernel" },
	{ "doctor", cmd_doctor, "[--json] [--target DIR]", "check every condition of a dump, with the fix for each" },
	{ "test", cmd_test, "[--yes] | --result", "crash this machine on purpose, and judge the dump after the reboot" },
	{ "forget", cmd_forget, "RULE|--all", "count a rule's panics anew (max_panics)" },
	{ "status", cmd_status, "[--json]", "what is loaded, and where a dump would go" },
	{ 0 }
};

int cmd_kdump(int argc, char **argv)
{
	if (argc < 2)
		return command_usage("kdump", "which of setup, doctor, status, test, forget?");
	for (const struct command *c = subcommands; c->name; c++) {
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	}
	return command_usage("kdump", "no subcommand '%s'", argv[1]);
}
