// SPDX-License-Identifier: GPL-2.0-or-later
/* crash_ssh.c - the crash kernel's side and what both sides need, see ssh.h. */
#include "kdump/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool ssh_is_target(const char *target)
{
	const char *at = strchr(target, '@');

	return !strncmp(target, "ssh://", 6) || (target[0] != '/' && at && strstr(at, ":/"));
}

size_t ssh_client(const struct plan_target *t, const char *ssh, const char *key, const char *hosts, struct ssh_words *w)
{
	size_t n = 0;

	snprintf(w->identity, sizeof(w->identity), "%s", key);
	snprintf(w->hosts, sizeof(w->hosts), "UserKnownHostsFile=%s", hosts);
	snprintf(w->alias, sizeof(w->alias), "HostKeyAlias=%s", t->hostalias);
	const char *const words[] = {
		ssh, "-F", "/dev/null", "-i", w->identity, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", w->hosts,
		"-o", w->alias, "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "LogLevel=ERROR", "-p", t->port,
		t->source,
	};

	for (; n < sizeof(words) / sizeof(*words); n++)
		w->argv[n] = words[n];
	w->argv[n] = NULL;
	return n;
}

/* ssh with the remote command that stores its input; stdin is `in`. Does not return. */
static void __attribute__((noreturn)) exec_store(const struct plan_target *t, const char *name, const char *file, int in)
{
	struct ssh_words w;
	char command[3000];
	size_t n = ssh_client(t, "/bin/ssh", SSH_CRASH_KEY, SSH_CRASH_HOSTS, &w);

	snprintf(command, sizeof(command), "d='%s/%s' && umask 077 && mkdir -p \"$d\" && cat >\"$d/%s.partial\" && sync \"$d/%s.partial\" && "
		 "mv \"$d/%s.partial\" \"$d/%s\" && echo bytes $(wc -c <\"$d/%s\")", t->dir, name, file, file, file, file, file);
	w.argv[n] = command;
	w.argv[n + 1] = NULL;
	dup2(in, 0);
	execv(w.argv[0], (char *const *)(void *)w.argv);
	_exit(127);
}

int ssh_put(const struct plan_target *t, const char *local, const char *name, const char *file)
{
	int fd = open(local, O_RDONLY);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", local, strerror(errno));
		return 1;
	}
	exec_store(t, name, file, fd);
}

int ssh_stream(const struct plan_target *t, const char *const *argv, const char *name, const char *file)
{
	int fds[2], status, failed = 0;
	pid_t writer, sender, pid;

	if (pipe(fds) < 0)
		return 1;
	writer = fork();
	if (!writer) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], (char *const *)(void *)argv);
		_exit(127);
	}
	sender = fork();
	if (!sender) {
		close(fds[1]);
		exec_store(t, name, file, fds[0]);
	}
	close(fds[0]);
	close(fds[1]);
	while ((pid = wait(&status)) > 0) {
		if (status && !failed) {
			failed = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
			fprintf(stderr, "%s failed\n", pid == writer ? argv[0] : "ssh");
		}
		/* Without its reader makedumpfile gets SIGPIPE; without its writer ssh comes to the end. */
	}
	return writer < 0 || sender < 0 ? 1 : failed;
}
