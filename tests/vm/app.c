// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * app - a program called "wl" that does what the rules of rules/catalog/ look for, or nearly.
 *
 * usage: app fsync FILE...	writes 4 KiB to each file and synchronises it; a second time if that failed
 *        app rewrite FILE	the same, but writes the range anew before the second time
 *        app leak N FILE	opens FILE N times and forgets it, and another file 60 times at once, properly
 *        app close N FILE	the same without forgetting
 *        app oom NAME MB [OTHER MB]	processes NAME (and OTHER, which begins) that take so much memory
 *
 * Before it does what a rule shall find, it prints a line "truth {...}" that a test compares a report with. Times are
 * CLOCK_MONOTONIC.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char block[4096];

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void write_block(int fd, const char *file)
{
	if (pwrite(fd, block, sizeof(block), 0) != sizeof(block))
		err(2, "%s: write", file);
}

static int sync_file(int fd, const char *file)
{
	long long start = now_ns();
	int error = fsync(fd) ? errno : 0;

	printf("fsync of %s: %s after %lld ms\n", file, error ? strerror(error) : "ok", (now_ns() - start) / 1000000);
	return error;
}

static void do_fsync(const char *file, int rewrite)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", file);
	write_block(fd, file);
	printf("truth {\"bug\": \"fsync\", \"pid\": %d, \"inode\": %lu, \"t_culprit\": %lld}\n", getpid(),
	       (unsigned long)st.st_ino, now_ns());
	if (sync_file(fd, file)) {
		if (rewrite)
			write_block(fd, file);
		sleep(1);
		sync_file(fd, file);
	}
	close(fd);
}

static void do_leak(unsigned int n, const char *file, int forget)
{
	int fds[60];

	printf("truth {\"bug\": \"leak-fds\", \"pid\": %d, \"count\": %u, \"file\": \"%s\"}\n", getpid(), n, file);
	for (int i = 0; i < 60; i++)
		fds[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 60; i++)
		close(fds[i]);
	for (unsigned int i = 0; i < n; i++) {
		int fd = open(file, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			err(2, "%s", file);
		if (!forget)
			close(fd);
	}
}

/* A process that takes its memory a megabyte at a time, and stays. */
static pid_t grow(const char *name, unsigned int mb)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		err(2, "pipe");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		for (unsigned int i = 0; i < mb; i++) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p != MAP_FAILED)
				memset(p, 1, 1 << 20);
		}
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		sleep(60);
		_exit(0);
	}
	close(ready[1]);
	printf("truth {\"bug\": \"oom\", \"pid\": %d, \"name\": \"%s\", \"mb\": %u}\n", pid, name, mb);
	if (read(ready[0], &byte, 1) < 0)
		warn("pipe");
	return pid;
}

static void do_oom(int argc, char **argv)
{
	pid_t other = 0, pid;
	int status = 0;

	if (argc > 3)
		other = grow(argv[2], (unsigned int)atoi(argv[3]));
	pid = grow(argv[0], (unsigned int)atoi(argv[1]));
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	printf("%s: %s\n", argv[0], WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "ended");
	if (other)
		kill(other, SIGKILL);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	prctl(PR_SET_NAME, "wl");
	if (!strcmp(what, "fsync") && argc > 2)
		for (int i = 2; i < argc; i++)
			do_fsync(argv[i], 0);
	else if (!strcmp(what, "rewrite") && argc == 3)
		do_fsync(argv[2], 1);
	else if ((!strcmp(what, "leak") || !strcmp(what, "close")) && argc == 4)
		do_leak((unsigned int)atoi(argv[2]), argv[3], !strcmp(what, "leak"));
	else if (!strcmp(what, "oom") && argc > 3)
		do_oom(argc - 2, argv + 2);
	else
		errx(2, "usage: app fsync FILE... | rewrite FILE | leak|close N FILE | oom NAME MB [OTHER MB]");
	return 0;
}
