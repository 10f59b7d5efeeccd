// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verify.c - load rule files on this kernel, one after the other, and tell what the verifier had to look at. Nothing is
 * attached.
 *
 * usage: verify FILE...
 * A line each: name of the file, programs, instructions, instructions verified, those of the largest program, states; or
 * "-" and why it does not load.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/load.h"
#include "agent/object.h"
#include "agent/resolve.h"
#include "agent/source_set.h"
#include "agent/verlog.h"
#include "lib/arena.h"
#include "rules/kbtf.h"

static uint32_t programs, verified, largest, states;

static void accepted(const char *program, uint32_t insns, uint32_t nstates)
{
	(void)program;
	programs++;
	verified += insns;
	largest = insns > largest ? insns : largest;
	states += nstates;
}

static uint32_t instructions(const struct bpf_object *o)
{
	struct bpf_program *p;
	uint32_t n = 0;

	bpf_object__for_each_program(p, o) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(p) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
			n += info.xlated_prog_len / 8;
	}
	return n;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void verify(char *file, struct kbtf *kbtf)
{
	const struct sources src = { .files = &file, .n = 1 };
	const char *name = base(file), *manifest;
	struct source_parts parts;
	struct arena *a = arena_create(NULL, NULL);
	struct loaded loaded = { 0 };
	struct buf object = BUF_INIT;
	struct attach_plan plan = { 0 };
	struct set_info info = { 0 };
	struct err err = { .msg = "has errors" };
	size_t len;

	programs = verified = largest = states = 0;
	if (source_set_read(a, &src, kbtf, &object, &parts, &err) || object_manifest(&object, &manifest, &len, &err) ||
	    set_info_parse(a, manifest, len, &info, &err) || resolve(a, &info, kbtf, &object, &plan, &err) ||
	    set_load(a, &info, &object, &plan, &loaded, &err))
		printf("%s - %s\n", name, err.msg);
	else
		printf("%s %u %u %u %u %u\n", name, programs, instructions(loaded.hooks) + instructions(loaded.engines),
		       verified, largest, states);
	fflush(stdout);
	loaded_destroy(&loaded);
	buf_deinit(&object);
	arena_destroy(a);
}

/* In a process of its own, as `deadfall run` does it. */
static void verify_apart(char *file, struct kbtf *kbtf)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		verify(file, kbtf);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		printf("%s - crashed, wait status %d\n", base(file), status);
}

int main(int argc, char **argv)
{
	struct kbtf *kbtf = NULL;
	struct err err = { 0 };

	if (kbtf_open(NULL, &kbtf, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 3;
	}
	verlog_accepted = accepted;
	for (int i = 1; i < argc; i++)
		verify_apart(argv[i], kbtf);
	kbtf_close(kbtf);
	return 0;
}
