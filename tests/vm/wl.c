// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wl - the workload for widget.ko.
 *
 * usage: wl bug|run [N]
 *
 * Three stages, each task talking to /proc/widget itself: two threads allocate and free widgets N times while a
 * hundred others stay alive; thread "widget-a" allocates one and frees it; thread "widget-b" then frees
 * that very one again (bug), or one of its own (run). It prints what a test needs: where the module keeps the
 * truth, and the object and the thread ids.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct job {
	const char *name;
	void (*work)(struct job *job);
	unsigned int cycles;
	unsigned int id; /* of the widget that was allocated */
	unsigned long address;
	int tid;
};

/* Writes one command; the answer, if there is one, goes to `answer`. */
static void command(const char *text, char *answer, size_t size)
{
	int fd = open("/proc/widget", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		err(2, "/proc/widget (is widget.ko loaded?)");
	if (write(fd, text, strlen(text)) < 0)
		err(2, "/proc/widget: %s", text);
	if (answer) {
		n = read(fd, answer, size - 1);
		if (n <= 0)
			err(2, "/proc/widget: no answer to %s", text);
		answer[n] = '\0';
	}
	close(fd);
}

static void command_number(const char *verb, unsigned int number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", verb, number);
	command(text, NULL, 0);
}

static void work_churn(struct job *job)
{
	command_number("run", job->cycles);
}

static void work_alloc_free(struct job *job)
{
	char answer[64];

	command("alloc 77", answer, sizeof(answer));
	if (sscanf(answer, "%u %lx", &job->id, &job->address) != 2)
		errx(2, "/proc/widget: unexpected answer: %s", answer);
	command_number("free", job->id);
}

static void work_free(struct job *job)
{
	command_number("free", job->id);
}

static void *start(void *arg)
{
	struct job *job = arg;

	job->tid = (int)syscall(SYS_gettid);
	pthread_setname_np(pthread_self(), job->name);
	job->work(job);
	return NULL;
}

static void run_jobs(struct job *jobs, int count)
{
	pthread_t threads[8];
	int i;

	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, start, &jobs[i]))
			errx(2, "cannot create a thread");
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	int bug = argc > 1 && !strcmp(argv[1], "bug");
	unsigned int cycles = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 50;
	struct job churn[] = {
		{.name = "widget-w0", .work = work_churn, .cycles = cycles},
		{.name = "widget-w1", .work = work_churn, .cycles = cycles},
	};
	struct job a = {.name = "widget-a", .work = work_alloc_free};
	struct job b = {.name = "widget-b", .work = bug ? work_free : work_alloc_free};
	char truth[64];

	if (argc < 2 || (!bug && strcmp(argv[1], "run"))) {
		fprintf(stderr, "usage: wl bug|run [N]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	command("truth", truth, sizeof(truth));
	printf("truth %s", truth);
	run_jobs(churn, 2);
	run_jobs(&a, 1);
	printf("widget-a tid %d object 0x%lx\n", a.tid, a.address);
	b.id = a.id;
	run_jobs(&b, 1);
	printf("widget-b tid %d\n", b.tid);
	run_jobs(churn, 1);
	printf("done\n");
	return 0;
}
