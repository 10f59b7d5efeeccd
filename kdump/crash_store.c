// SPDX-License-Identifier: GPL-2.0-or-later
/* crash_store.c - see crash_store.h. */
#include "kdump/crash_store.h"

#include "kdump/flattened.h"
#include "kdump/raw.h"
#include "kdump/ssh.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEEDED (1ULL << 20)

bool store_is(const struct plan_target *t)
{
	return !strcmp(t->target, "ssh") || !strcmp(t->target, "raw");
}

static bool is_ssh(const struct plan_target *t)
{
	return !strcmp(t->target, "ssh");
}

static int fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->msg);
	return 1;
}

int store_put(const struct plan_target *t, const char *device, const char *local, const char *dump, const char *file)
{
	static struct raw raw;
	struct err err;
	int ret;

	if (is_ssh(t))
		return ssh_put(t, local, dump, file);
	_cleanup_close_ int fd = open(local, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", local, strerror(errno));
		return 1;
	}
	if (raw_open(device, true, &raw, &err))
		return fail(&err);
	ret = raw_put(&raw, dump, file, fd, true, NULL, &err);
	raw_close(&raw);
	return ret ? fail(&err) : 0;
}

static int raw_stream(const char *device, const char *const *argv, const char *dump, const char *file)
{
	static struct raw raw;
	uint64_t bytes = 0;
	int fds[2], status, ret;
	struct err err;
	pid_t writer;

	if (raw_open(device, true, &raw, &err))
		return fail(&err);
	if (pipe2(fds, O_CLOEXEC) < 0 || (writer = fork()) < 0)
		return 1;
	if (!writer) {
		dup2(fds[1], 1);
		execv(argv[0], (char *const *)(void *)argv);
		_exit(127);
	}
	close(fds[1]);
	ret = raw_put(&raw, dump, file, fds[0], false, &bytes, &err);
	/* Without its reader makedumpfile gets SIGPIPE. */
	close(fds[0]);
	if (ret)
		fail(&err);
	if (waitpid(writer, &status, 0) != writer || status) {
		if (!ret && WIFSIGNALED(status))
			fprintf(stderr, "%s: killed by signal %d\n", argv[0], WTERMSIG(status));
		else if (!ret)
			fprintf(stderr, "%s failed\n", argv[0]);
		ret = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
	}
	/* Of a stream that ended early the reader of the pipe cannot tell: only now it is whole. */
	if (!ret && raw_mark_whole(&raw, dump, file, &err))
		ret = fail(&err);
	raw_close(&raw);
	printf("bytes %llu\n", (unsigned long long)bytes);
	return ret ? (ret < 0 ? 1 : ret) : 0;
}

int store_stream(const struct plan_target *t, const char *device, const char *const *argv, const char *dump, const char *file)
{
	return is_ssh(t) ? ssh_stream(t, argv, dump, file) : raw_stream(device, argv, dump, file);
}

int store_check(const struct plan_target *t, const char *device, const char *dump, const char *file)
{
	static struct raw raw;
	const struct raw_file *f;
	char head[16];
	struct err err;
	int ret = 0;

	if (is_ssh(t))
		return 0;
	if (raw_open(device, false, &raw, &err))
		return fail(&err);
	f = raw_find(&raw, dump, file);
	if (!f || f->cut || f->bytes < NEEDED)
		ret = err_set(&err, ERR_ABSENT, "%s: there is no complete %s", device, file);
	else if (pread(raw.fd, head, sizeof(head), (off_t)f->offset) != sizeof(head) || strncmp(head, "makedumpfile", 12))
		ret = err_set(&err, ERR_CORRUPT, "%s: %s does not begin like a dump", device, file);
	else
		ret = raw_copy(&raw, f, -1, &err);
	raw_close(&raw);
	return ret ? fail(&err) : 0;
}

int store_probe(const struct plan_target *t, const char *device)
{
	static struct raw raw;
	struct err err;
	uint64_t left;

	if (is_ssh(t))
		return 0;
	if (raw_open(device, true, &raw, &err))
		return fail(&err);
	left = raw_free_bytes(&raw);
	raw_close(&raw);
	return left < NEEDED;
}
