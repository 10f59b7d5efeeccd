// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * init.c - the crash kernel's PID 1: saves what the dead kernel left, and brings the machine back.
 *
 * Two processes. The worker goes through the steps of the plan (plan.h), each in a child of its own with a
 * time limit (process.h). PID 1 does nothing but watch: when the worker is done, or dead, or over the total
 * time, it syncs, unmounts and reboots. So no failure of a step, and no hang of one, keeps the machine down.
 * What is left, a hang of the crash kernel itself, is for panic= on its command line and for a hardware
 * watchdog.
 *
 * The order is the design: the capsule (small, ours, all that a report needs) is on stable storage before
 * the vmcore (large, slow, and made by a program that may fail) begins.
 */
#include "kdump/crash_target.h"
#include "kdump/files.h"
#include "kdump/plan.h"
#include "kdump/process.h"
#include "kdump/ssh.h"
#include "kdump/status.h"
#include "kdump/watchdog.h"
#include "lib/buf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VMCORE "/proc/vmcore"
/* Space for the next status.json, held by a file until the vmcore has taken all the rest. */
#define PAD_NAME ".reserve"
#define PAD_BYTES (64 << 10)

static struct plan plan;
static struct crash_status *status;	/* shared by PID 1, the worker and its children */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	char line[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	dprintf(1, "deadfall: %s\n", line);
}

/* No filesystem: files are collected in memory and sent (ssh.h). */
static bool remote(void)
{
	return !strcmp(plan.target, "ssh");
}

/* Path of a file in the dump's directory. */
static void dump_path(char *out, size_t size, const char *file)
{
	snprintf(out, size, TARGET_MOUNT "%s/%s%s%s", plan.dir, status->name, *file ? "/" : "", file);
}

/* ---- functions that run in children, so that a hang of the disk hangs only them ---- */

static int report(int ret, const struct err *err)
{
	if (ret)
		fprintf(stderr, "%s\n", err->msg);
	return ret ? 1 : 0;
}

static int child_modules(void *arg)
{
	struct err err;

	(void)arg;
	return report(crash_load_modules(&plan, &err), &err);
}

static int make_dump_dir(struct err *err)
{
	char pad[PATH_MAX];

	if (!*status->name &&
	    crash_make_dir(&plan, status->time, status->rule, status->name, sizeof(status->name), err))
		return -1;
	dump_path(pad, sizeof(pad), PAD_NAME);
	return crash_reserve(pad, PAD_BYTES, err);
}

static int child_target(void *arg)
{
	unsigned int limit = plan.limits[STEP_TARGET];
	struct err err;
	int ret;

	(void)arg;
	ret = crash_mount_target(&plan, limit > 20 ? limit - 10 : limit / 2, status->device, sizeof(status->device), &err);
	if (ret)
		return report(ret, &err);
	ret = make_dump_dir(&err);
	if (ret && err.errnum == ENOSPC) {
		crash_release_reserve(&plan);
		ret = make_dump_dir(&err);
	}
	return report(ret, &err);
}

static int child_write_status(void *arg)
{
	char path[PATH_MAX], pad[PATH_MAX];
	struct err err;
	int ret;

	(void)arg;
	dump_path(path, sizeof(path), "status.json");
	dump_path(pad, sizeof(pad), PAD_NAME);
	ret = status_write(status, &plan, path, &err);
	if (ret && err.errnum == ENOSPC) {
		unlink(pad);
		ret = status_write(status, &plan, path, &err);
	}
	if (status->finished)
		unlink(pad);
	else
		crash_reserve(pad, PAD_BYTES, NULL);
	if (!ret && remote() && status->named)
		return ssh_put(&plan, path, status->name, "status.json");
	return report(ret, &err);
}

/* Make a finished file durable: its data, then its final name, then the directory. arg: {from, to}. */
static int child_settle(void *arg)
{
	const char *const *names = arg;
	char from[PATH_MAX], to[PATH_MAX];
	struct err err;

	dump_path(from, sizeof(from), names[0]);
	dump_path(to, sizeof(to), names[1]);
	if (file_sync(from, &err))
		return report(-1, &err);
	if (strcmp(from, to) && rename(from, to) < 0) {
		fprintf(stderr, "%s: rename: %s\n", to, strerror(errno));
		return 1;
	}
	if (remote()) {
		dump_path(to, sizeof(to), names[1]);
		return ssh_put(&plan, to, status->name, names[1]);
	}
	dump_path(to, sizeof(to), "");
	return report(file_sync(to, &err), &err);
}

/* makedumpfile's flattened output to the server. arg: makedumpfile's arguments. */
static int child_stream(void *arg)
{
	return ssh_stream(&plan, arg, status->name, "vmcore.flat");
}

/* Rename the directory once the rule's name is known. arg: the rule. */
static int child_rename_dir(void *arg)
{
	char old[PATH_MAX], new[PATH_MAX], name[sizeof(status->name)], parent[PATH_MAX];
	struct err err;

	snprintf(parent, sizeof(parent), TARGET_MOUNT "%s", plan.dir);
	dump_path(old, sizeof(old), "");
	/* Making the new one first finds a free name; rename() replaces an empty directory. */
	if (crash_make_dir(&plan, status->time, arg, name, sizeof(name), &err))
		return report(-1, &err);
	snprintf(new, sizeof(new), TARGET_MOUNT "%s/%s", plan.dir, name);
	if (rename(old, new) < 0) {
		fprintf(stderr, "%s: rename: %s\n", new, strerror(errno));
		rmdir(new);
		return 1;
	}
	strcpy(status->name, name);
	return report(file_sync(parent, &err), &err);
}

/* What makedumpfile writes starts with one of these, and a whole dump is larger than its headers. */
static int child_check(void *arg)
{
	static const char *const magics[] = { "KDUMP   ", "DISKDUMP", "\177ELF", "makedumpfile" };
	char path[PATH_MAX], head[16] = "";
	struct stat st;
	int fd;

	(void)arg;
	dump_path(path, sizeof(path), "vmcore");
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, head, sizeof(head)) != sizeof(head)) {
		fprintf(stderr, "%s cannot be read: %s\n", path, strerror(errno));
		return 1;
	}
	close(fd);
	if (st.st_size < 1 << 20) {
		fprintf(stderr, "the vmcore has only %lld bytes\n", (long long)st.st_size);
		return 1;
	}
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if (!memcmp(head, magics[i], strlen(magics[i])))
			return 0;
	}
	fprintf(stderr, "the vmcore does not begin like a dump\n");
	return 1;
}

/* This kernel's own log: where a step failed, the reason is often there (a driver, a filesystem, no memory). */
static int child_save_own_log(void *arg)
{
	static char text[256 << 10];
	char path[PATH_MAX];
	struct err err;
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text));

	(void)arg;
	dump_path(path, sizeof(path), "crash-kernel.txt");
	if (n < 0 || file_replace(path, text, (size_t)n, 0600, &err))
		return 1;
	return remote() ? ssh_put(&plan, path, status->name, "crash-kernel.txt") : 0;
}

static int child_unmount(void *arg)
{
	(void)arg;
	sync();
	if (umount(TARGET_MOUNT) < 0 && errno != EINVAL && errno != ENOENT) {
		/* Somebody still has a file open: at least nothing more is written behind a clean journal. */
		umount2(TARGET_MOUNT, MNT_DETACH);
	}
	return 0;
}

/* ---- the steps ---- */

static void save_status(void)
{
	struct process p = { .call = child_write_status, .limit = 30 };
	struct process_result r;
	char why[300];
	struct err err;

	if (!*status->name)
		return;
	if (process_run(&p, &r, &err)) {
		say("status.json: %s", err.msg);
	} else if (!process_ok(&r)) {
		process_explain(&r, why, sizeof(why));
		say("status.json: %s", why);
	}
}

static double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void step_begin(enum plan_step step)
{
	status->steps[step].state = STATE_RUNNING;
	status->steps[step].started = uptime();
	save_status();
}

/* Run one child of a step within what the step has left of its time; false, and the reason kept, if it fails. */
static bool step_run(enum plan_step step, const char *const *argv, int (*call)(void *), const void *arg,
		     struct process_result *r)
{
	struct step_status *s = &status->steps[step];
	double left = plan.limits[step] - s->seconds;
	struct process p = {
		.argv = argv, .call = call, .arg = (void *)(uintptr_t)arg, .limit = left > 1 ? (unsigned int)left : 1,
	};
	struct err err;

	if (process_run(&p, r, &err)) {
		s->state = STATE_FAILED;
		snprintf(s->error, sizeof(s->error), "%.390s", err.msg);
		return false;
	}
	s->seconds += r->seconds;
	/* The first failure is the one that counts, not what is done about it afterwards. */
	if (s->state == STATE_RUNNING)
		s->exit = r->status;
	if (process_ok(r))
		return true;
	s->state = r->timed_out ? STATE_TIMEOUT : STATE_FAILED;
	process_explain(r, s->error, sizeof(s->error));
	return false;
}

static void step_end(enum plan_step step)
{
	struct step_status *s = &status->steps[step];

	if (s->state == STATE_RUNNING)
		s->state = STATE_DONE;
	if (s->bytes)
		say("%s %s, %lld KB in %.1f s%s%s", plan_step_name(step), step_state_name(s->state), s->bytes / 1024,
		    s->seconds, *s->error ? ": " : "", s->error);
	else
		say("%s %s in %.1f s%s%s", plan_step_name(step), step_state_name(s->state), s->seconds,
		    *s->error ? ": " : "", s->error);
	save_status();
}

static void skip_step(enum plan_step step, const char *why)
{
	status->steps[step].state = STATE_SKIPPED;
	snprintf(status->steps[step].error, sizeof(status->steps[step].error), "%s", why);
}

static long long file_size(const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	dump_path(path, sizeof(path), file);
	return stat(path, &st) < 0 ? 0 : (long long)st.st_size;
}

/* "rule NAME" on a line of its own; a name becomes part of a path, so only harmless letters pass. */
static bool rule_name(const char *output, char *out, size_t size)
{
	const char *p = !strncmp(output, "rule ", 5) ? output : strstr(output, "\nrule ");
	size_t n = 0;

	if (!p)
		return false;
	p += *p == '\n' ? 6 : 5;
	while (*p && *p != '\n' && n + 1 < size) {
		char c = *p++;

		out[n] = isalnum((unsigned char)c) || c == '-' || c == '_' || (c == '.' && n) ? c : '_';
		n++;
	}
	out[n] = 0;
	return n != 0;
}

static bool target_is_full(void)
{
	struct statvfs st;

	return !statvfs(TARGET_MOUNT, &st) && st.f_bavail * st.f_frsize < 1 << 20;
}

static void capsule_step(void)
{
	struct step_status *s = &status->steps[STEP_CAPSULE];
	static const char *const names[] = { "capsule.partial", "capsule" };
	char path[PATH_MAX], rule[sizeof(status->rule)];
	const char *argv[] = { "/bin/deadfall", "capture", VMCORE, "--capsule", path, NULL };
	struct process_result r;
	bool ok;

	step_begin(STEP_CAPSULE);
	dump_path(path, sizeof(path), names[0]);
	ok = step_run(STEP_CAPSULE, argv, NULL, NULL, &r);
	if (!ok && s->state == STATE_FAILED && target_is_full()) {
		/* Once more with the space that was kept for this. */
		char first[sizeof(s->error)];

		memcpy(first, s->error, sizeof(first));
		unlink(path);
		crash_release_reserve(&plan);
		s->state = STATE_RUNNING;
		s->error[0] = 0;
		ok = step_run(STEP_CAPSULE, argv, NULL, NULL, &r);
		if (ok)
			snprintf(s->error, sizeof(s->error), "second try, after: %.360s", first);
	}
	if (ok && rule_name(r.output, rule, sizeof(rule))) {
		struct process p = { .call = child_rename_dir, .arg = rule, .limit = 20 };
		struct process_result renamed;

		strcpy(status->rule, rule);
		if (process_run(&p, &renamed, NULL) || !process_ok(&renamed))
			process_explain(&renamed, status->note, sizeof(status->note));
	}
	if (file_size(names[0]) && step_run(STEP_CAPSULE, NULL, child_settle, ok ? names :
					    (const char *[]){ names[0], "capsule.incomplete" }, &r))
		s->bytes = file_size(ok ? "capsule" : "capsule.incomplete");
	else if (ok)
		snprintf(s->error, sizeof(s->error), "no capsule was written");
	if (ok && !s->bytes)
		s->state = STATE_FAILED;
	status->named = true;
	step_end(STEP_CAPSULE);
}

static void dmesg_step(void)
{
	static const char *const names[] = { "dmesg.txt", "dmesg.txt" };
	char path[PATH_MAX];
	const char *argv[] = { "/bin/makedumpfile", "--dump-dmesg", VMCORE, path, NULL };
	struct process_result r;

	step_begin(STEP_DMESG);
	dump_path(path, sizeof(path), names[0]);
	step_run(STEP_DMESG, argv, NULL, NULL, &r);
	status->steps[STEP_DMESG].bytes = file_size(names[0]);
	if (status->steps[STEP_DMESG].bytes)
		step_run(STEP_DMESG, NULL, child_settle, names, &r);
	step_end(STEP_DMESG);
}

static void vmcore_step(void)
{
	struct step_status *s = &status->steps[STEP_VMCORE];
	static const char *const whole[] = { "vmcore.partial", "vmcore" };
	static const char *const cut[] = { "vmcore.partial", "vmcore.incomplete" };
	char path[PATH_MAX], level[16];
	/* Messages: 2 common, 4 errors; no progress bar. */
	const char *argv[] = { "/bin/makedumpfile", "--message-level", "6", "-d", level, plan.compress, VMCORE, path, NULL };
	struct process_result r;
	bool ok;

	if (!*plan.compress)
		memmove(&argv[5], &argv[6], 3 * sizeof(*argv));
	step_begin(STEP_VMCORE);
	snprintf(level, sizeof(level), "%d", plan.level);
	dump_path(path, sizeof(path), whole[0]);
	ok = step_run(STEP_VMCORE, argv, NULL, NULL, &r);
	/* Only a file that makedumpfile finished may be called vmcore; readers can do much with a cut one, too. */
	if (file_size(whole[0])) {
		char why[sizeof(s->error)];

		memcpy(why, s->error, sizeof(why));
		step_run(STEP_VMCORE, NULL, child_settle, ok ? whole : cut, &r);
		if (*why)
			memcpy(s->error, why, sizeof(why));
		s->bytes = file_size(ok ? "vmcore" : "vmcore.incomplete");
	}
	step_end(STEP_VMCORE);
}

static void remote_vmcore_step(void)
{
	struct step_status *s = &status->steps[STEP_VMCORE];
	char level[16];
	const char *argv[] = { "/bin/makedumpfile", "-F", "--message-level", "6", "-d", level, plan.compress, VMCORE, NULL };
	struct process_result r;
	const char *bytes;

	if (!*plan.compress)
		memmove(&argv[6], &argv[7], 2 * sizeof(*argv));
	step_begin(STEP_VMCORE);
	snprintf(level, sizeof(level), "%d", plan.level);
	if (step_run(STEP_VMCORE, NULL, child_stream, argv, &r)) {
		bytes = strstr(r.output, "bytes ");
		s->bytes = bytes ? strtoll(bytes + 6, NULL, 10) : 0;
	}
	step_end(STEP_VMCORE);
	/* The server has counted what arrived. */
	if (s->state == STATE_DONE && s->bytes > 1 << 20)
		status->steps[STEP_CHECK].state = STATE_DONE;
	else
		skip_step(STEP_CHECK, "there is no complete vmcore");
}

static void check_step(void)
{
	char path[PATH_MAX];
	const char *argv[] = { "/bin/deadfall", "report", path, "-o", "/dev/null", NULL };
	struct process_result r;

	step_begin(STEP_CHECK);
	dump_path(path, sizeof(path), "vmcore");
	/* Cheap first; then our own reader goes through all that a report shows. */
	if (step_run(STEP_CHECK, NULL, child_check, NULL, &r))
		step_run(STEP_CHECK, argv, NULL, NULL, &r);
	step_end(STEP_CHECK);
}

static void work(void)
{
	struct process_result r;
	char path[PATH_MAX];

	status->steps[STEP_MODULES].state = STATE_RUNNING;
	status->steps[STEP_MODULES].started = uptime();
	step_run(STEP_MODULES, NULL, child_modules, NULL, &r);
	step_end(STEP_MODULES);
	step_begin(STEP_TARGET);
	if (!step_run(STEP_TARGET, NULL, child_target, NULL, &r)) {
		step_end(STEP_TARGET);
		return;
	}
	step_end(STEP_TARGET);
	capsule_step();
	dmesg_step();
	if (plan.capsule_only) {
		skip_step(STEP_VMCORE, "capsule only, as the plan says");
		skip_step(STEP_CHECK, "");
		return;
	}
	if (remote()) {
		remote_vmcore_step();
		return;
	}
	vmcore_step();
	dump_path(path, sizeof(path), "vmcore");
	if (!access(path, F_OK))
		check_step();
	else
		skip_step(STEP_CHECK, "there is no complete vmcore");
}

/* ---- PID 1 ---- */

static void sample_memory(void)
{
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");
	long kb;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemTotal: %ld", &kb) == 1)
			status->mem_total_kb = kb;
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1 && (!status->mem_min_kb || kb < status->mem_min_kb))
			status->mem_min_kb = kb;
	}
	if (f)
		fclose(f);
}

static void watch(pid_t worker)
{
	double end = process_now() + plan.total, fed = 0;
	int st, watchdog = -1;

	for (;;) {
		pid_t pid = waitpid(-1, &st, WNOHANG);

		if (pid == worker) {
			if (WIFSIGNALED(st))
				snprintf(status->note, sizeof(status->note), "init's worker died of signal %d", WTERMSIG(st));
			return;
		}
		if (pid > 0)
			continue;
		if (process_now() > end) {
			snprintf(status->note, sizeof(status->note), "stopped: all steps together took over %u s", plan.total);
			say("%s", status->note);
			kill(-1, SIGKILL);
			return;
		}
		/* Its driver may be one of the modules that the worker loads. */
		if (plan.watchdog && process_now() - fed > 1) {
			if (watchdog < 0)
				watchdog = watchdog_open();
			watchdog_feed(watchdog);
			fed = process_now();
		}
		sample_memory();
		poll(NULL, 0, 100);
	}
}

static void __attribute__((noreturn)) come_back(void)
{
	struct process unmount = { .call = child_unmount, .limit = 30 };
	struct process own_log = { .call = child_save_own_log, .limit = 20 };
	struct process_result r;
	bool any_failed = false;
	int fd;

	for (int i = 0; i < STEP_COUNT; i++) {
		any_failed |= status->steps[i].state != STATE_DONE && status->steps[i].state != STATE_SKIPPED;
		if (status->steps[i].state == STATE_RUNNING) {
			status->steps[i].state = STATE_FAILED;
			snprintf(status->steps[i].error, sizeof(status->steps[i].error), "cut off: %s", status->note);
		}
	}
	if (any_failed && *status->name)
		process_run(&own_log, &r, NULL);
	status->finished = true;
	save_status();
	say("%s: %s, %s", status_result(status, &plan), *status->name ? status->name : "nothing saved",
	    plan.final == FINAL_POWEROFF ? "power off" : "reboot");
	process_run(&unmount, &r, NULL);
	reboot(plan.final == FINAL_POWEROFF ? RB_POWER_OFF : RB_AUTOBOOT);
	/* Neither returns where it works. The emergency ways: sysrq b, then the panic that PID 1's end is. */
	poll(NULL, 0, 10000);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (fd >= 0 && write(fd, "b", 1) == 1)
		poll(NULL, 0, 10000);
	_exit(1);
}

static void read_plan(void)
{
	struct buf text = BUF_INIT;
	struct err err;

	plan_init(&plan);
	if (read_under("", PLAN_PATH, &text, &err) || plan_parse(buf_str(&text), &plan, &err)) {
		say("%s", err.msg);
		snprintf(status->note, sizeof(status->note), "%.190s", err.msg);
		come_back();
	}
	buf_deinit(&text);
}

static void set_up(void)
{
	static const struct {
		const char *what, *where;
	} mounts[] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" } };

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].what, mounts[i].where, mounts[i].what, 0, NULL) < 0 && errno != EBUSY)
			say("mount %s: %s", mounts[i].where, strerror(errno));
	}
	/* The loader finds all libraries in one directory; makedumpfile wants room for its bitmap. */
	setenv("LD_LIBRARY_PATH", "/lib", 1);
	setenv("PATH", "/bin", 1);
	mkdir("/tmp", 0700);
}

int main(void)
{
	pid_t worker;

	if (getpid() != 1) {
		fprintf(stderr, "deadfall-init is PID 1 of the crash kernel; 'deadfall kdump setup' puts it there\n");
		return 2;
	}
	status = mmap(NULL, sizeof(*status), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (status == MAP_FAILED)
		_exit(1);
	set_up();
	strcpy(status->rule, RULE_UNKNOWN);
	read_plan();
	/* A machine without a working clock starts in 1970: then the crash was at some time after the setup. */
	status->time = time(NULL) > plan.built ? (long long)time(NULL) : (long long)plan.built;
	sample_memory();
	say("crash kernel up after %.1f s, %ld of %ld MB free", uptime(), status->mem_min_kb / 1024,
	    status->mem_total_kb / 1024);
	if (access(VMCORE, R_OK) < 0)
		say("no " VMCORE ": this kernel did not follow a crash");
	worker = fork();
	if (!worker) {
		work();
		_exit(0);
	}
	if (worker > 0)
		watch(worker);
	come_back();
}
