// SPDX-License-Identifier: GPL-2.0-or-later
/* process.c - see process.h. */
#include "kdump/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_PATIENCE 5.0

double process_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) child(const struct process *p, int out)
{
	int null = open("/dev/null", O_RDONLY);
	int status;

	setpgid(0, 0);
	if (null >= 0)
		dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	signal(SIGPIPE, SIG_DFL);
	if (p->argv) {
		execv(p->argv[0], (char *const *)(void *)p->argv);
		dprintf(2, "%s: %s\n", p->argv[0], strerror(errno));
		_exit(127);
	}
	status = p->call(p->arg);
	fflush(NULL);
	_exit(status);
}

/* Keep the last bytes of what comes. */
static void keep(struct process_result *r, const char *data, size_t len)
{
	size_t room = sizeof(r->output) - 1;

	if (len > room) {
		data += len - room;
		len = room;
	}
	if (r->output_len + len > room) {
		size_t drop = r->output_len + len - room;

		memmove(r->output, r->output + drop, r->output_len - drop);
		r->output_len -= drop;
	}
	memcpy(r->output + r->output_len, data, len);
	r->output_len += len;
	r->output[r->output_len] = 0;
}

static void drain(int fd, struct process_result *r)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		keep(r, chunk, (size_t)n);
}

static void supervise(pid_t pid, int fd, const struct process *p, struct process_result *r)
{
	double start = process_now(), killed = 0;
	int status;

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		double now;
		pid_t done;

		/* A grandchild may hold the pipe open: the end of the child counts, not the end of the output. */
		done = waitpid(pid, &status, WNOHANG);
		drain(fd, r);
		now = process_now();
		r->seconds = now - start;
		if (done == pid || (done < 0 && errno != EINTR))
			break;
		if (!killed && p->limit && now - start > p->limit) {
			r->timed_out = true;
			killed = now;
			kill(-pid, SIGKILL);
		}
		if (killed && now - killed > KILL_PATIENCE) {
			r->stuck = true;
			r->status = -1;
			return;
		}
		/* A closed pipe polls ready at once: then only sleep. */
		if (poll(&pfd, 1, 50) > 0 && !(pfd.revents & POLLIN))
			poll(NULL, 0, 20);
	}
	kill(-pid, SIGKILL);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int process_run(const struct process *p, struct process_result *ret, struct err *err)
{
	int fds[2];
	pid_t pid;

	*ret = (struct process_result){ .status = -1 };
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(p, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		int errnum = errno;

		close(fds[0]);
		return err_sys(err, errnum, "fork");
	}
	/* Both sides set the group, so that it exists before the first kill, whoever runs first. */
	setpgid(pid, pid);
	supervise(pid, fds[0], p, ret);
	close(fds[0]);
	return 0;
}

bool process_ok(const struct process_result *r)
{
	return !r->timed_out && !r->stuck && r->status == 0;
}

/* The last lines with something in them, "; " between; carriage returns separate progress texts. */
static void last_lines(const struct process_result *r, unsigned int count, char *out, size_t size)
{
	const char *end = r->output + r->output_len, *start = end;
	size_t n = 0;

	for (unsigned int i = 0; i < count; i++) {
		while (start > r->output && strchr("\n\r \t", start[-1]))
			start--;
		while (start > r->output && start[-1] != '\n' && start[-1] != '\r')
			start--;
	}
	*out = 0;
	while (start < end && n + 3 < size) {
		size_t len = strcspn(start, "\n\r");

		if (strspn(start, " \t") < len)
			n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? "; " : "", (int)len, start);
		start += len + 1;
	}
}

void process_explain(const struct process_result *r, char *out, size_t size)
{
	char last[400];
	int n;

	last_lines(r, 3, last, sizeof(last));
	if (r->timed_out)
		n = snprintf(out, size, "stopped after %.0f s%s", r->seconds, r->stuck ? " (it could not be killed)" : "");
	else if (r->signal)
		n = snprintf(out, size, "killed by signal %d (%s)", r->signal, strsignal(r->signal));
	else
		n = snprintf(out, size, "exit status %d", r->status);
	if (*last && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, ": %s", last);
}
