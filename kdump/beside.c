// SPDX-License-Identifier: GPL-2.0-or-later
/* beside.c - see beside.h. */
#include "kdump/beside.h"

#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/makedumpfile.h"
#include "kdump/mounts.h"
#include "kdump/owner.h"
#include "kdump/plan.h"
#include "kdump/process.h"
#include "kdump/state.h"
#include "kdump/target.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HOOK_PLAN "/var/lib/deadfall/kdump-tools.plan"
#define HOOK_NAME "deadfall.conf"
/* The unit that dumps, and the one that would if systemd.unit= were taken off KDUMP_CMDLINE_APPEND. */
#define HOOK_UNIT "kdump-tools-dump.service"
#define HOOK_DIRS "/etc/systemd/system/" HOOK_UNIT ".d", "/etc/systemd/system/kdump-tools.service.d"

/* Room for the capsule of a crash on a full disk. */
#define RESERVE_BYTES (4LL << 20)

struct beside {
	const struct setup_options *o;
	struct kdump_service service;
	struct plan plan;
	struct makedumpfile makedumpfile;
	struct level_choice level;
	int dump_level;			/* at which the service will dump */
	bool set_level;			/* by our hook, since nothing is configured */
	char dir[PATH_MAX];
	struct mount_entry mount;
	struct loaded_image image;
	struct kdump_state old;		/* of an earlier set-up in this boot */
	bool have_old;
};

void beside_directory(const struct kdump_service *service, char *out, size_t size)
{
	snprintf(out, size, "%s/deadfall", service->dumps);
}

static int check_service(struct beside *b, struct err *err)
{
	service_find("", &b->service);
	if (strcmp(b->service.name, "kdump-tools"))
		return err_set(err, ERR_ENVIRONMENT, "--beside works with Debian's kdump-tools, and %s; 'deadfall kdump setup' "
			       "without it loads a crash kernel of our own",
			       *b->service.name ? "this machine has kdump-utils" : "it is not installed");
	if (!b->service.enabled)
		return err_set(err, ERR_ENVIRONMENT, "kdump-tools is switched off: set USE_KDUMP=1 in /etc/default/kdump-tools, then "
			       "'systemctl restart kdump-tools'");
	if (access("/lib/systemd/system/" HOOK_UNIT, F_OK) && access("/usr/lib/systemd/system/" HOOK_UNIT, F_OK))
		return err_set(err, ERR_ENVIRONMENT, "kdump-tools has no " HOOK_UNIT " here, the systemd unit that our hook is for");
	return 0;
}

/* What the hook names and writes must be there in the crash kernel, which mounts what /etc/fstab says. */
static int find_disk(const char *path, struct mount_entry *m, struct err *err)
{
	static const char *const fleeting[] = { "tmpfs", "ramfs", "rootfs", "overlay", "devtmpfs" };
	_cleanup_free_ char *real = realpath(path, NULL);
	struct buf text = BUF_INIT;
	int ret;

	if (!real)
		return err_sys(err, errno, "%s", path);
	ret = read_under("", "/proc/self/mountinfo", &text, err) || mount_find(buf_str(&text), real, m, err) ? -1 : 0;
	buf_deinit(&text);
	for (size_t i = 0; !ret && i < sizeof(fleeting) / sizeof(*fleeting); i++) {
		if (!strcmp(m->fstype, fleeting[i]))
			ret = err_set(err, ERR_ENVIRONMENT, "%s lives on %s, which is gone after a crash", path, m->fstype);
	}
	return ret;
}

static int choose_level(struct beside *b, struct err *err)
{
	if (makedumpfile_probe(&b->makedumpfile, err))
		return -1;
	b->level = makedumpfile_level(&b->makedumpfile);
	b->dump_level = b->service.level;
	b->set_level = !*b->service.arguments && (b->o->level >= 0 || level_is_risky(b->service.level, &b->level));
	if (b->set_level)
		b->dump_level = b->o->level >= 0 ? b->o->level : b->level.level;
	else if (b->o->level >= 0 && b->o->level != b->service.level)
		return err_set(err, ERR_ENVIRONMENT, "--level: MAKEDUMP_ARGS in /etc/default/kdump-tools says \"%s\"; change it there",
			       b->service.arguments);
	return 0;
}

static int make_plan(struct beside *b, const struct beside_programs *programs, struct err *err)
{
	struct plan_target *t = &b->plan.targets[0];
	struct mount_entry of_program;

	beside_directory(&b->service, b->dir, sizeof(b->dir));
	if (make_dirs(b->dir, 0700, err) || find_disk(b->dir, &b->mount, err) || find_disk(programs->init, &of_program, err))
		return -1;
	plan_init(&b->plan);
	for (int i = 0; i < STEP_COUNT && b->o->limits[i]; i++) {
		if (!plan_set_limit(&b->plan, b->o->limits[i]))
			return err_set(err, ERR_INVALID, "--limit %s: not STEP=SECONDS; here steps are target and capsule",
				       b->o->limits[i]);
	}
	b->plan.built = time(NULL);
	b->plan.max_dumps = (unsigned int)b->o->max_dumps;
	b->plan.max_bytes = b->o->max_bytes;
	/* What goes to a server cannot be looked at from here: then the capsule is all that there is to check. */
	b->plan.capsule_only = b->service.sends;
	file_line("", "/proc/sys/kernel/osrelease", b->plan.kernel, sizeof(b->plan.kernel));
	snprintf(b->plan.program, sizeof(b->plan.program), "%s", programs->deadfall);
	snprintf(b->plan.service, sizeof(b->plan.service), "%s", b->service.name);
	b->plan.target_count = 1;
	strcpy(t->target, "dir");
	snprintf(t->source, sizeof(t->source), "%.1000s", b->dir);
	snprintf(t->fstype, sizeof(t->fstype), "%.15s", b->mount.fstype);
	snprintf(t->device, sizeof(t->device), "%.60s", b->mount.source);
	strcpy(t->dir, "/");
	plan_set_total(&b->plan);
	return 0;
}

static int write_hook(struct beside *b, const struct beside_programs *programs, struct err *err)
{
	static const char *const dirs[] = { HOOK_DIRS };
	struct buf plan = BUF_INIT, hook = BUF_INIT;
	char path[256];
	int ret = 0;

	plan_write(&b->plan, &plan);
	buf_printf(&hook, "# From 'deadfall kdump setup --beside': the capsule is saved before kdump-tools dumps. Delete this file to "
		   "end that.\n"
		   "[Service]\nExecStartPre=-%s --plan " HOOK_PLAN "\n", programs->init);
	if (b->set_level)
		buf_printf(&hook, "# MAKEDUMP_ARGS in /etc/default/kdump-tools, where set, wins. Level %d: %s.\n"
			   "Environment=\"MAKEDUMP_ARGS=-c -d %d\"\n", b->dump_level, b->level.why, b->dump_level);
	if (buf_failed(&plan) || buf_failed(&hook))
		ret = err_nomem(err);
	if (!ret)
		ret = make_dirs("/var/lib/deadfall", 0700, err) || file_replace(HOOK_PLAN, plan.data, plan.len, 0600, err) ? -1 : 0;
	for (size_t i = 0; !ret && i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/" HOOK_NAME, dirs[i]);
		ret = make_dirs(dirs[i], 0755, err) || file_replace(path, hook.data, hook.len, 0644, err) ? -1 : 0;
	}
	buf_deinit(&plan);
	buf_deinit(&hook);
	return ret;
}

/* So that systemctl shows it; the crash kernel's systemd reads it anyway. */
static void tell_systemd(void)
{
	const char *argv[] = { "/usr/bin/systemctl", "daemon-reload", NULL };
	struct process p = { .argv = argv, .limit = 60 };
	struct process_result r;

	if (!access("/run/systemd/system", F_OK))
		process_run(&p, &r, NULL);
}

int beside_check(const char *root, struct err *err)
{
	static const char *const dirs[] = { HOOK_DIRS };
	struct buf hook = BUF_INIT, text = BUF_INIT;
	char path[512], init[512] = "";
	const char *start;
	struct plan plan;
	int ret;

	snprintf(path, sizeof(path), "%s/" HOOK_NAME, dirs[0]);
	ret = read_under(root, path, &hook, err) || read_under(root, HOOK_PLAN, &text, err) ||
	      plan_parse(buf_str(&text), &plan, err) ? -1 : 0;
	start = ret ? NULL : strstr(buf_str(&hook), "\nExecStartPre=-");
	if (start)
		snprintf(init, sizeof(init), "%.*s", (int)strcspn(start + 15, " \n"), start + 15);
	if (!ret && (!*init || access(init, X_OK)))
		ret = err_set(err, ERR_ENVIRONMENT, "%s names the program '%s', which is not there", path, init);
	if (!ret && access(plan.program, X_OK))
		ret = err_set(err, ERR_ENVIRONMENT, HOOK_PLAN " names the program '%s', which is not there", plan.program);
	buf_deinit(&hook);
	buf_deinit(&text);
	return ret;
}

static int check_loaded(struct beside *b, struct err *err)
{
	static const char *const what[] = {
		[OWNER_NONE] = "kdump-tools has not loaded its crash kernel",
		[OWNER_OURS] = "our own crash kernel is loaded, not that of kdump-tools",
		[OWNER_OTHER] = "the crash kernel that is loaded is somebody else's (or older than the initramfs of kdump-tools)",
	};
	enum owner owner = owner_of_loaded(b->have_old ? &b->old : NULL, &b->service, &b->image);

	if (owner == OWNER_SERVICE || owner == OWNER_UNSEEN)
		return 0;
	return err_set(err, ERR_ENVIRONMENT, "the hook is installed, but %s: 'systemctl restart kdump-tools', then this again",
		       what[owner]);
}

static int record(const struct beside *b, struct err *err)
{
	struct kdump_state st;
	struct state_target *t = &st.targets[0];

	state_begin(&st);
	snprintf(st.image, sizeof(st.image), "%s", b->service.kernel);
	snprintf(st.method, sizeof(st.method), "%s", b->service.name);
	snprintf(st.service, sizeof(st.service), "%s", b->service.name);
	st.target_count = 1;
	snprintf(t->target, sizeof(t->target), "%.1000s", b->dir);
	snprintf(t->device, sizeof(t->device), "%s", b->plan.targets[0].device);
	snprintf(t->fstype, sizeof(t->fstype), "%s", b->plan.targets[0].fstype);
	st.level = b->dump_level;
	st.capsule_only = b->plan.capsule_only;
	st.max_dumps = b->o->max_dumps;
	st.max_bytes = b->o->max_bytes;
	strcpy(st.final, "reboot");
	st.initramfs = b->image;
	/* An estimate: initramfs-tools compresses with zstd. */
	st.unpacked_bytes = (long long)b->image.bytes * 4;
	return state_write(&st, err);
}

static void warn(const struct beside *b)
{
	struct err err;

	if (level_is_risky(b->dump_level, &b->level))
		fprintf(stderr, "deadfall kdump: warning: kdump-tools dumps at level %d (MAKEDUMP_ARGS in /etc/default/kdump-tools), "
			"which may leave out kernel data here (%s); %d is safe\n", b->dump_level, b->level.why, b->level.level);
	if (b->service.sends)
		fprintf(stderr, "deadfall kdump: warning: kdump-tools sends its dump to a server; the capsule stays here, in %s\n", b->dir);
	if (target_reserve(b->dir, RESERVE_BYTES, &err))
		fprintf(stderr, "deadfall kdump: warning: no space could be kept for a capsule on a full disk: %s\n", err.msg);
	if ((b->o->max_dumps || b->o->max_bytes) && dumps_prune(b->dir, (size_t)b->o->max_dumps, b->o->max_bytes, NULL, &err))
		fprintf(stderr, "deadfall kdump: warning: old capsules could not be deleted: %s\n", err.msg);
}

int beside_setup(const struct setup_options *o, const struct beside_programs *programs, struct err *err)
{
	struct beside b = { .o = o };

	if (check_service(&b, err) || choose_level(&b, err) || make_plan(&b, programs, err))
		return -1;
	b.have_old = !state_read("", &b.old, NULL);
	unlink(STATE_PATH);
	if (write_hook(&b, programs, err))
		return -1;
	tell_systemd();
	if (check_loaded(&b, err) || record(&b, err))
		return -1;
	warn(&b);
	if (!o->quiet)
		printf("the crash kernel of kdump-tools is loaded; at a crash the capsule is saved to %s, then kdump-tools dumps to %s "
		       "(makedumpfile -d %d)\n", b.dir, b.service.sends ? "its server" : b.service.dumps, b.dump_level);
	return 0;
}
