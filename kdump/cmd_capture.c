// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_capture.c - deadfall capture: save the capsule, in the crash kernel.
 *
 * Runs from an initramfs with little memory. Prints "rule NAME" (the rule that brought the machine down, or "none")
 * on stdout, and what could not be read on stderr. The capsule's file is complete on disk when it returns.
 */
#include "agent/command.h"
#include "kdump/capsule.h"
#include "kdump/cmd_capture.h"
#include "kdump/open.h"
#include "kdump/report.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <string.h>

#define NAME "capture"

/* For `report --all` and `--key` from a capsule. The crash kernel has little memory, and the vmcore waits. */
#define OTHERS_BYTES (6u << 20)
#define OTHERS_SECONDS 15

struct options {
	const char *path, *capsule;
	bool redact;		/* keep no bytes that may come from user space */
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "capsule", required_argument, NULL, 'c' },
		{ "redact", no_argument, NULL, 'r' },
		{ 0 },
	};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (c == 'r')
			o->redact = true;
		else if (c == 'c')
			o->capsule = optarg;
		else
			return command_usage(NAME, "unknown option or missing value: %s", argv[optind - 1]);
	}
	if (optind + 1 != argc || !o->capsule)
		return command_usage(NAME, "needs a vmcore and --capsule FILE");
	o->path = argv[optind];
	return 0;
}

/* When memory runs out, what was asked until then is the capsule. */
static jmp_buf no_memory;

static void on_no_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

static void ask_all(const struct options *o, struct kernel *recorder, struct arena *arena)
{
	static const struct set_select all = { .which = SELECT_ALL };
	const struct report *r;

	if (setjmp(no_memory)) {
		fputs("deadfall " NAME ": out of memory: the capsule holds what was read until then\n", stderr);
		return;
	}
	r = report_build(recorder, arena, o->path, "vmcore");
	printf("rule %s\n", r->match && !strcmp(r->match->act, "panic") ? r->match->rule : "none");
	fflush(stdout);
	for (size_t i = 0; i < r->gaps.count; i++)
		fprintf(stderr, "deadfall " NAME ": %s: %s\n", r->gaps.items[i].what, r->gaps.items[i].why);
	/* All that the plain report asks is there. Now the histories of the other keys, as far as they keep it small. */
	capsule_limit(recorder, OTHERS_BYTES, OTHERS_SECONDS);
	report_build_selected(recorder, arena, &all, o->path, "vmcore");
}

/* Build the reports from the vmcore and throw them away: what they asked is in the capsule. */
static int record(const struct options *o, struct kernel *k, int fd, struct err *err)
{
	struct arena *arena = arena_create(on_no_memory, &no_memory);
	struct kernel *recorder = capsule_record(k, fd, o->redact, err);
	int rc = -1;

	if (!arena)
		err_nomem(err);
	else if (recorder) {
		ask_all(o, recorder, arena);
		rc = capsule_finish(recorder, err);
	}
	kernel_destroy(recorder);
	arena_destroy(arena);
	return rc;
}

int cmd_capture(int argc, char **argv)
{
	_cleanup_close_ int fd = -1;
	struct options o = { 0 };
	struct opened dump;
	struct err err;
	int rc = parse(argc, argv, &o);

	if (rc)
		return rc;
	if (dump_open(o.path, &dump, &err))
		return command_fail(NAME, &err);
	fd = open(o.capsule, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		rc = err_sys(&err, errno, "%s", o.capsule);
	else
		rc = record(&o, dump.k, fd, &err);
	/* Some file systems and pipes cannot be synced. */
	if (!rc && fsync(fd) && errno != EINVAL && errno != EROFS)
		rc = err_sys(&err, errno, "%s", o.capsule);
	kernel_destroy(dump.k);
	return rc ? command_fail(NAME, &err) : EXIT_OK;
}
