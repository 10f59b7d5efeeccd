// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * init.c - the crash kernel's PID 1: saves what the dead kernel left, and brings the machine back. And, as
 * `deadfall-init --plan FILE`, a first step of another service's dump (beside.h).
 *
 * Two processes. The worker goes through the steps of the plan (plan.h), each in a child of its own with a
 * time limit (process.h). PID 1 does nothing but watch: when the worker is done, or dead, or over the total
 * time, it syncs, unmounts and reboots. So no failure of a step, and no hang of one, keeps the machine down.
 * What is left, a hang of the crash kernel itself, is for panic= on its command line and for a hardware
 * watchdog. Beside another service the same happens, but in the end it returns: the service goes on.
 */
#include "kdump/crash_files.h"
#include "kdump/crash_steps.h"
#include "kdump/files.h"
#include "kdump/process.h"
#include "kdump/watchdog.h"
#include "lib/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct crash crash;

static void sample_memory(void)
{
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");
	long kb;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemTotal: %ld", &kb) == 1)
			crash.status->mem_total_kb = kb;
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1 && (!crash.status->mem_min_kb || kb < crash.status->mem_min_kb))
			crash.status->mem_min_kb = kb;
	}
	if (f)
		fclose(f);
}

/* As PID 1: everything. Else only the worker: systemd ends what is left of it before the service goes on. */
static void end_all(pid_t worker)
{
	kill(getpid() == 1 ? -1 : worker, SIGKILL);
}

static void watch(pid_t worker)
{
	double end = process_now() + crash.plan.total, fed = 0;
	int st, watchdog = -1;

	for (;;) {
		pid_t pid = waitpid(-1, &st, WNOHANG);

		if (pid == worker) {
			if (WIFSIGNALED(st))
				snprintf(crash.status->note, sizeof(crash.status->note), "init's worker died of signal %d", WTERMSIG(st));
			return;
		}
		if (pid > 0)
			continue;
		if (process_now() > end) {
			snprintf(crash.status->note, sizeof(crash.status->note), "stopped: all steps together took over %u s", crash.plan.total);
			crash_say("%s", crash.status->note);
			end_all(worker);
			return;
		}
		/* Its driver may be one of the modules that the worker loads. */
		if (crash.plan.watchdog && process_now() - fed > 1) {
			if (watchdog < 0)
				watchdog = watchdog_open();
			watchdog_feed(watchdog);
			fed = process_now();
		}
		sample_memory();
		poll(NULL, 0, 100);
	}
}

/* The last words of status.json, and the target unmounted. */
static void conclude(void)
{
	struct crash_call call = { .c = &crash };
	struct process unmount = { .call = child_unmount, .arg = &call, .limit = 30 };
	struct process own_log = { .call = child_save_own_log, .arg = &call, .limit = 20 };
	struct process_result r;
	bool any_failed = false;

	for (int i = 0; i < STEP_COUNT; i++) {
		any_failed |= crash.status->steps[i].state != STATE_DONE && crash.status->steps[i].state != STATE_SKIPPED;
		if (crash.status->steps[i].state == STATE_RUNNING) {
			crash.status->steps[i].state = STATE_FAILED;
			snprintf(crash.status->steps[i].error, sizeof(crash.status->steps[i].error), "cut off: %s", crash.status->note);
		}
	}
	if (any_failed && *crash.status->name)
		process_run(&own_log, &r, NULL);
	crash.status->finished = true;
	crash_save_status(&crash);
	crash_say("%s: %s, %s", status_result(crash.status, &crash.plan), *crash.status->name ? crash.status->name : "nothing saved",
		  *crash.plan.service ? crash.plan.service : crash.plan.final == FINAL_POWEROFF ? "power off" : "reboot");
	process_run(&unmount, &r, NULL);
}

static void __attribute__((noreturn)) come_back(void)
{
	int fd;

	conclude();
	reboot(crash.plan.final == FINAL_POWEROFF ? RB_POWER_OFF : RB_AUTOBOOT);
	/* Neither returns where it works. The emergency ways: sysrq b, then the panic that PID 1's end is. */
	poll(NULL, 0, 10000);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (fd >= 0 && write(fd, "b", 1) == 1)
		poll(NULL, 0, 10000);
	_exit(1);
}

static int read_plan(const char *path)
{
	struct buf text = BUF_INIT;
	struct err err;
	int ret;

	plan_init(&crash.plan);
	ret = read_under("", path, &text, &err) || plan_parse(buf_str(&text), &crash.plan, &err) ? -1 : 0;
	if (ret) {
		crash_say("%s", err.msg);
		snprintf(crash.status->note, sizeof(crash.status->note), "%.190s", err.msg);
	}
	buf_deinit(&text);
	return ret;
}

static void set_up(void)
{
	static const struct {
		const char *what, *where;
	} mounts[] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" } };

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].what, mounts[i].where, mounts[i].what, 0, NULL) < 0 && errno != EBUSY)
			crash_say("mount %s: %s", mounts[i].where, strerror(errno));
	}
	/* The loader finds all libraries in one directory; makedumpfile wants room for its bitmap. */
	setenv("LD_LIBRARY_PATH", "/lib", 1);
	setenv("PATH", "/bin", 1);
	mkdir("/tmp", 0700);
}

static bool share_status(void)
{
	crash.status = mmap(NULL, sizeof(*crash.status), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crash.status == MAP_FAILED)
		return false;
	strcpy(crash.status->rule, RULE_UNKNOWN);
	return true;
}

/* Go through the plan in a child, and see that it ends. */
static void work(void)
{
	pid_t worker;

	/* A machine without a working clock starts in 1970: then the crash was at some time after the setup. */
	crash.status->time = time(NULL) > crash.plan.built ? (long long)time(NULL) : (long long)crash.plan.built;
	sample_memory();
	crash_say("crash kernel up after %.1f s, %ld of %ld MB free", crash_uptime(), crash.status->mem_min_kb / 1024,
		  crash.status->mem_total_kb / 1024);
	worker = fork();
	if (!worker) {
		crash_work(&crash);
		_exit(0);
	}
	if (worker > 0)
		watch(worker);
}

/* Whatever happens, the service's own dump follows: the result is in status.json, the exit status says nothing. */
static int run_beside(const char *plan)
{
	if (access(VMCORE, R_OK) < 0)
		return 0;
	if (!share_status() || read_plan(plan))
		return 0;
	work();
	conclude();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--plan"))
		return run_beside(argv[2]);
	if (getpid() != 1) {
		fprintf(stderr, "deadfall-init is PID 1 of the crash kernel; 'deadfall kdump setup' puts it there\n");
		return 2;
	}
	if (!share_status())
		_exit(1);
	set_up();
	if (read_plan(PLAN_PATH))
		come_back();
	if (access(VMCORE, R_OK) < 0)
		crash_say("no " VMCORE ": this kernel did not follow a crash");
	work();
	come_back();
}
