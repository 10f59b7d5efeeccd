// SPDX-License-Identifier: GPL-2.0-or-later
/* crash_ssh.c - the crash kernel's side, see ssh.h. */
#include "kdump/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

size_t ssh_client(const struct plan *plan, const char *ssh, const char *key, const char *hosts, struct ssh_words *w)
{
	size_t n = 0;

	snprintf(w->identity, sizeof(w->identity), "%s", key);
	snprintf(w->hosts, sizeof(w->hosts), "UserKnownHostsFile=%s", hosts);
	snprintf(w->alias, sizeof(w->alias), "HostKeyAlias=%s", plan->hostalias);
	const char *const words[] = {
		ssh, "-F", "/dev/null", "-i", w->identity, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", w->hosts,
		"-o", w->alias, "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "LogLevel=ERROR", "-p", plan->port,
		plan->source,
	};

	for (; n < sizeof(words) / sizeof(*words); n++)
		w->argv[n] = words[n];
	w->argv[n] = NULL;
	return n;
}

/* ssh with the remote command that stores its input; stdin is `in`. Does not return. */
static void __attribute__((noreturn)) exec_store(const struct plan *plan, const char *name, const char *file, int in)
{
	struct ssh_words w;
	char command[3000];
	size_t n = ssh_client(plan, "/bin/ssh", SSH_CRASH_KEY, SSH_CRASH_HOSTS, &w);

	snprintf(command, sizeof(command), "d='%s/%s' && umask 077 && mkdir -p \"$d\" && cat >\"$d/%s.partial\" && sync \"$d/%s.partial\" && "
		 "mv \"$d/%s.partial\" \"$d/%s\" && echo bytes $(wc -c <\"$d/%s\")", plan->dir, name, file, file, file, file, file);
	w.argv[n] = command;
	w.argv[n + 1] = NULL;
	dup2(in, 0);
	execv(w.argv[0], (char *const *)(void *)w.argv);
	_exit(127);
}

int ssh_put(const struct plan *plan, const char *local, const char *name, const char *file)
{
	int fd = open(local, O_RDONLY);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", local, strerror(errno));
		return 1;
	}
	exec_store(plan, name, file, fd);
}

int ssh_stream(const struct plan *plan, const char *const *argv, const char *name, const char *file)
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
		exec_store(plan, name, file, fds[0]);
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
