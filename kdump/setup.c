// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * setup.c - see setup.h. All decisions first, nothing changed; then build, load, check, record.
 */
#include "kdump/setup.h"

#include "kdump/beside.h"
#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/initramfs.h"
#include "kdump/kexec.h"
#include "kdump/level.h"
#include "kdump/loaded.h"
#include "kdump/makedumpfile.h"
#include "kdump/modules.h"
#include "kdump/owner.h"
#include "kdump/process.h"
#include "kdump/raw_target.h"
#include "kdump/ssh.h"
#include "kdump/state.h"
#include "kdump/target.h"
#include "kdump/watchdog.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* Room for the capsule (at most a few hundred KB) and status.json of a crash on a full disk. */
#define RESERVE_BYTES (4LL << 20)

/* All that was decided. */
struct setup {
	const struct setup_options *o;
	const char *targets[PLAN_TARGETS_MAX];	/* as named, or the default */
	char release[128];
	char kernel[PATH_MAX];
	char deadfall[PATH_MAX];
	char init[PATH_MAX];
	struct makedumpfile makedumpfile;
	struct level_choice level;
	struct plan plan;
	struct modules modules;
	struct module_list list;
	struct buf append;
	struct buf initramfs;
	size_t unpacked;
};

static int find_own_programs(struct setup *s, struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", s->deadfall, sizeof(s->deadfall) - 1);
	char dir[1024], *slash;

	if (n < 0)
		return err_sys(err, errno, "/proc/self/exe");
	s->deadfall[n] = 0;
	snprintf(dir, sizeof(dir), "%.1000s", s->deadfall);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	snprintf(s->init, sizeof(s->init), "%s/deadfall-init", dir);
	if (!access(s->init, R_OK))
		return 0;
	snprintf(s->init, sizeof(s->init), "%s/../lib/deadfall/deadfall-init", dir);
	if (!access(s->init, R_OK))
		return 0;
	return err_set(err, ERR_ENVIRONMENT, "deadfall-init is neither in %s nor in %s/../lib/deadfall; it is built and "
		       "installed together with deadfall", dir, dir);
}

static int choose_level(struct setup *s, struct err *err)
{
	if (makedumpfile_probe(&s->makedumpfile, err))
		return -1;
	s->level = makedumpfile_level(&s->makedumpfile);
	s->plan.level = s->o->level >= 0 ? s->o->level : s->level.level;
	snprintf(s->plan.compress, sizeof(s->plan.compress), "%s", s->makedumpfile.compress);
	/* 2 and 4 leave out the page cache, files' contents, and 8 the memory of processes. */
	if (s->o->redact && !s->o->capsule_only && (s->plan.level & 14) != 14)
		return err_set(err, ERR_ENVIRONMENT, "--redact: a vmcore at level %d holds user-space memory (%s); say --capsule-only, "
			       "or --level 31 to have it without, at the price of some kernel data", s->plan.level, s->level.why);
	return 0;
}

static int resolve_one(struct setup *s, const char *target, struct plan_target *t, struct err *err)
{
	if (ssh_is_target(target)) {
		if (s->o->max_dumps || s->o->max_bytes)
			fprintf(stderr, "deadfall kdump: warning: nothing is deleted on %s: that is the server's business\n", target);
		return ssh_resolve(target, s->o->ssh_key, t, err) || ssh_modules(t, &s->modules, &s->list, err) ? -1 : 0;
	}
	/* --print changes nothing. */
	if (target_is_device(target) && !s->o->print && raw_target_prepare(target, s->o->overwrite, err))
		return -1;
	return target_resolve(target, t, err) || target_modules(&s->modules, target, &s->list, err) ? -1 : 0;
}

static int resolve_targets(struct setup *s, struct err *err)
{
	s->targets[0] = TARGET_DEFAULT;
	if (!s->o->target_count && make_dirs(TARGET_DEFAULT, 0700, err))
		return -1;
	s->plan.target_count = s->o->target_count ? s->o->target_count : 1;
	for (unsigned int i = 0; i < s->plan.target_count; i++) {
		if (i < s->o->target_count)
			s->targets[i] = s->o->targets[i];
		if (resolve_one(s, s->targets[i], &s->plan.targets[i], err))
			return -1;
	}
	plan_set_total(&s->plan);
	return 0;
}

static int decide(struct setup *s, struct err *err)
{
	struct utsname u;
	struct buf cmdline = BUF_INIT;

	uname(&u);
	snprintf(s->release, sizeof(s->release), "%s", u.release);
	plan_init(&s->plan);
	snprintf(s->plan.kernel, sizeof(s->plan.kernel), "%s", u.release);
	s->plan.built = time(NULL);
	s->plan.final = s->o->final;
	s->plan.capsule_only = s->o->capsule_only;
	s->plan.redact = s->o->redact;
	s->plan.max_dumps = (unsigned int)s->o->max_dumps;
	s->plan.max_bytes = s->o->max_bytes;
	for (int i = 0; i < STEP_COUNT && s->o->limits[i]; i++) {
		if (!plan_set_limit(&s->plan, s->o->limits[i]))
			return err_set(err, ERR_INVALID, "--limit %s: not STEP=SECONDS; steps are modules, target, capsule, "
				       "dmesg, vmcore, check", s->o->limits[i]);
	}
	if (find_own_programs(s, err) || choose_level(s, err) ||
	    kexec_find_kernel("", s->release, s->o->kernel, s->kernel, sizeof(s->kernel), err))
		return -1;
	if (modules_open(&s->modules, "", s->release, err) || resolve_targets(s, err))
		return -1;
	if (read_under("", "/proc/cmdline", &cmdline, err))
		return -1;
	if (watchdog_modules(&s->modules, &s->list, &s->plan.watchdog, err))
		return -1;
	kexec_append_line(buf_str(&cmdline), &s->append);
	buf_deinit(&cmdline);
	return buf_failed(&s->append) ? err_nomem(err) : 0;
}

static void print_decisions(const struct setup *s)
{
	struct buf text = BUF_INIT;

	printf("kernel        %s\n", s->kernel);
	printf("command line  %s\n", buf_str(&s->append));
	for (unsigned int i = 0; i < s->plan.target_count; i++) {
		const struct plan_target *t = &s->plan.targets[i];

		printf("%-13s %s (%s, %s on %s)\n", i ? "if that fails" : "target", s->targets[i], t->dir, t->fstype, t->device);
	}
	printf("makedumpfile  %s, version %u.%u.%u, %s -d %d: %s\n", s->makedumpfile.path, s->makedumpfile.version[0],
	       s->makedumpfile.version[1], s->makedumpfile.version[2], s->plan.compress, s->plan.level, s->level.why);
	printf("modules      ");
	for (unsigned int i = 0; i < s->list.count; i++)
		printf(" %s", s->list.paths[i]);
	printf("%s\n\n", s->list.count ? "" : " none, all built in");
	plan_write(&s->plan, &text);
	fputs(buf_str(&text), stdout);
	buf_deinit(&text);
}

static int build(struct setup *s, struct err *err)
{
	struct initramfs_parts parts = {
		.init = s->init, .deadfall = s->deadfall, .makedumpfile = s->makedumpfile.path,
		.modules = &s->modules, .list = &s->list, .ssh_key = s->o->ssh_key,
	};
	double start = process_now();

	for (unsigned int i = 0; i < s->plan.target_count; i++)
		parts.ssh |= !strcmp(s->plan.targets[i].target, "ssh");

	if (initramfs_build(&parts, &s->plan, &s->initramfs, &s->unpacked, err))
		return err_wrap(err, "crash initramfs");
	if (!s->o->quiet)
		printf("crash initramfs: %.1f MB (%.1f MB unpacked, %u modules), built in %.1f s\n",
		       (double)s->initramfs.len / 1e6, (double)s->unpacked / 1e6, s->list.count, process_now() - start);
	return 0;
}

static void record_target(struct state_target *to, const char *target, const struct plan_target *t)
{
	snprintf(to->target, sizeof(to->target), "%s", target);
	memcpy(to->device, t->device, sizeof(to->device));
	memcpy(to->fstype, t->fstype, sizeof(to->fstype));
	memcpy(to->fsid, t->fsid, sizeof(to->fsid));
}

static int record(const struct setup *s, const char *method, struct err *err)
{
	struct kdump_state st;
	size_t n = 0;

	state_begin(&st);
	snprintf(st.image, sizeof(st.image), "%.500s", s->kernel);
	snprintf(st.method, sizeof(st.method), "%s", method);
	snprintf(st.ssh_key, sizeof(st.ssh_key), "%s", s->o->ssh_key ? s->o->ssh_key : "");
	for (st.target_count = 0; st.target_count < s->plan.target_count; st.target_count++)
		record_target(&st.targets[st.target_count], s->targets[st.target_count], &s->plan.targets[st.target_count]);
	memcpy(st.compress, s->plan.compress, sizeof(st.compress));
	st.level = s->plan.level;
	st.capsule_only = s->plan.capsule_only;
	st.redact = s->plan.redact;
	st.max_dumps = s->o->max_dumps;
	st.max_bytes = s->o->max_bytes;
	st.watchdog = s->plan.watchdog;
	strcpy(st.final, s->plan.final == FINAL_POWEROFF ? "poweroff" : "reboot");
	for (unsigned int i = 0; i < s->list.count; i++)
		n += (size_t)snprintf(st.modules + n, sizeof(st.modules) - n, "%s%s", i ? " " : "", s->plan.modules[i] + 8);
	/* Seen in the reserved memory, it can be told later from a crash kernel that somebody else loaded. */
	if (loaded_find(s->initramfs.data, s->initramfs.len, &st.initramfs, NULL)) {
		st.initramfs.bytes = s->initramfs.len;
		st.initramfs.crc = (uint32_t)crc32(0, (const Bytef *)s->initramfs.data, (uInt)s->initramfs.len);
	}
	st.unpacked_bytes = (long long)s->unpacked;
	return state_write(&st, err);
}

/* What the crash kernel will need of the target, now that there is time: space. Failures cost no dump. */
static void tidy_target(const struct setup *s, unsigned int i)
{
	const char *kind = s->plan.targets[i].target, *target = s->targets[i];
	size_t deleted = 0;
	struct err err;

	if (!strcmp(kind, "ssh"))
		return;
	if (dumps_prune(target, (size_t)s->o->max_dumps, s->o->max_bytes, &deleted, &err))
		fprintf(stderr, "deadfall kdump: warning: old dumps could not be deleted: %s\n", err.msg);
	if (deleted && !s->o->quiet)
		printf("%zu old dumps deleted in %s\n", deleted, target);
	/* Without the reserve a full disk loses the status, not the vmcore: worth a warning, not a refusal. */
	if (strcmp(kind, "raw") && target_reserve(target, RESERVE_BYTES, &err))
		fprintf(stderr, "deadfall kdump: warning: no space could be kept for a capsule on a full disk: %s\n", err.msg);
}

static int load(struct setup *s, struct err *err)
{
	struct kexec_load k = { .kernel = s->kernel, .initramfs = STATE_DIR "/crash-initramfs", .append = buf_str(&s->append) };
	double start = process_now();
	int ret;

	/* Whatever happens below, an older record must not speak for what is loaded then. */
	unlink(STATE_PATH);
	if (make_dirs(STATE_DIR, 0755, err) || file_replace(k.initramfs, s->initramfs.data, s->initramfs.len, 0600, err))
		return -1;
	ret = kexec_load_crash(&k, err);
	unlink(k.initramfs);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < s->plan.target_count; i++)
		tidy_target(s, i);
	if (record(s, k.method, err))
		return -1;
	if (!s->o->quiet)
		printf("loaded by %s in %.1f s; a crash is dumped to %s (%s on %s), then %s\n", k.method, process_now() - start,
		       s->targets[0], s->plan.targets[0].fstype, s->plan.targets[0].device,
		       s->plan.final == FINAL_POWEROFF ? "the machine powers off" : "the machine reboots");
	return 0;
}

/* There is room for one crash kernel: what another program loaded goes only if that is wanted. */
static int refuse_foreign(const struct setup *s, struct err *err)
{
	struct kdump_service service;
	struct kdump_state state;
	bool have = !state_read("", &state, NULL);
	enum owner owner;

	service_find("", &service);
	owner = owner_of_loaded(have ? &state : NULL, &service, NULL);
	if (owner == OWNER_SERVICE && !s->o->replace)
		return err_set(err, ERR_ENVIRONMENT, "the crash kernel of kdump-tools is loaded: --beside has our capsule saved before its "
			       "dump; --replace loads ours in its place, until kdump-tools loads its own again (to end that: USE_KDUMP=0 "
			       "in /etc/default/kdump-tools)");
	if ((owner == OWNER_OTHER || (owner == OWNER_UNSEEN && !have)) && !s->o->replace)
		return err_set(err, ERR_ENVIRONMENT, "a crash kernel is loaded that 'deadfall kdump setup' did not load: --replace loads "
			       "ours in its place");
	if (service.enabled)
		fprintf(stderr, "deadfall kdump: warning: kdump-tools is installed and will load its crash kernel over ours: at boot, on "
			"updates, when memory or CPUs come and go. To end that: USE_KDUMP=0 in /etc/default/kdump-tools; to use its: --beside\n");
	return 0;
}

static int run(struct setup *s, struct err *err)
{
	/* The commonest obstacle first: without memory for a crash kernel the rest is of no interest. */
	if (!s->o->print && !s->o->output && kexec_check_possible("", err))
		return -1;
	if (s->o->beside)
		return find_own_programs(s, err) ||
		       beside_setup(s->o, &(struct beside_programs){ .init = s->init, .deadfall = s->deadfall }, err) ? -1 : 0;
	if (!s->o->print && !s->o->output && refuse_foreign(s, err))
		return -1;
	if (decide(s, err))
		return -1;
	if (level_is_risky(s->plan.level, &s->level))
		fprintf(stderr, "deadfall kdump: warning: level %d may leave out kernel data here (%s); %d is safe\n",
			s->plan.level, s->level.why, s->level.level);
	if (s->o->print) {
		print_decisions(s);
		return 0;
	}
	if (build(s, err))
		return -1;
	if (s->o->output)
		return file_replace(s->o->output, s->initramfs.data, s->initramfs.len, 0600, err);
	return load(s, err);
}

int kdump_setup(const struct setup_options *o, struct err *err)
{
	struct setup s = { .o = o };
	int ret;

	if (geteuid() != 0)
		return err_set(err, ERR_ENVIRONMENT, "only root can load a crash kernel");
	ret = run(&s, err);
	modules_close(&s.modules);
	module_list_deinit(&s.list);
	buf_deinit(&s.append);
	buf_deinit(&s.initramfs);
	/* Setting up fails for reasons of the machine, never for those of a rule. */
	if (ret && err->code != ERR_NOMEM)
		err->code = ERR_ENVIRONMENT;
	return ret;
}
