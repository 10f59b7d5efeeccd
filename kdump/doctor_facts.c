// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor_facts.c - collects what doctor.c judges. Nothing here decides. */
#include "kdump/doctor.h"

#include "kdump/beside.h"
#include "kdump/files.h"
#include "kdump/kexec.h"
#include "kdump/process.h"
#include "kdump/raw.h"
#include "kdump/selftest.h"
#include "kdump/ssh.h"
#include "kdump/target.h"
#include "kdump/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool systemd_feeds(const char *root)
{
	struct buf text = BUF_INIT;
	char value[32] = "0";

	if (!read_under(root, "/etc/systemd/system.conf", &text, NULL))
		config_value(buf_str(&text), "RuntimeWatchdogSec", value, sizeof(value));
	buf_deinit(&text);
	return *value && strcmp(value, "0") && strcmp(value, "off");
}

void doctor_gather_kernel(const char *root, struct doctor_facts *f)
{
	char line[128];

	f->reserved = file_number(root, "/sys/kernel/kexec_crash_size", -1);
	f->loaded = file_number(root, "/sys/kernel/kexec_crash_loaded", 0) == 1;
	f->load_disabled = file_number(root, "/proc/sys/kernel/kexec_load_disabled", 0) == 1;
	kexec_lockdown(root, f->lockdown, sizeof(f->lockdown));
	file_line(root, "/proc/sys/kernel/osrelease", f->release, sizeof(f->release));
	f->panic_on_oops = (int)file_number(root, "/proc/sys/kernel/panic_on_oops", 0);
	file_line(root, "/sys/module/kernel/parameters/crash_kexec_post_notifiers", line, sizeof(line));
	f->crash_kexec_post_notifiers = *line == 'Y' || *line == '1';
	file_line(root, "/sys/module/pstore/parameters/backend", f->pstore, sizeof(f->pstore));
	if (!strcmp(f->pstore, "(null)"))
		f->pstore[0] = 0;
	if (file_line(root, "/proc/meminfo", line, sizeof(line)))
		f->mem_total_kb = strtoll(line + strcspn(line, "0123456789"), NULL, 10);
	f->watchdog_active = watchdog_active(root, f->watchdog, sizeof(f->watchdog));
	f->systemd_watchdog = systemd_feeds(root);
	service_find(root, &f->service);
	f->have_state = !state_read(root, &f->state, NULL);
}

static void gather_owner(struct doctor_facts *f)
{
	struct err err;

	f->owner = owner_of_loaded(f->have_state ? &f->state : NULL, &f->service, NULL);
	if (f->have_state && *f->state.service && beside_check("", &err))
		snprintf(f->hook_error, sizeof(f->hook_error), "%.500s", err.msg);
}

bool doctor_parse_pages(const char *output, struct page_kinds *ret)
{
	struct page_kinds p = { 0 };
	const struct {
		const char *name;
		long long *value;
	} kinds[] = {
		{ "\nZERO", &p.zero }, { "\nNON_PRI_CACHE", &p.cache }, { "\nPRI_CACHE", &p.private_cache },
		{ "\nUSER", &p.user }, { "\nFREE", &p.free }, { "\nKERN_DATA", &p.kernel },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *at = strstr(output, kinds[i].name);

		if (!at || sscanf(at + strlen(kinds[i].name), " %lld", kinds[i].value) != 1)
			return false;
	}
	p.known = p.kernel > 0;
	*ret = p;
	return p.known;
}

static void gather_makedumpfile(struct doctor_facts *f)
{
	const char *argv[] = { f->makedumpfile.path, "--mem-usage", "/proc/kcore", NULL };
	struct process p = { .argv = argv, .limit = 120 };
	struct process_result r;
	struct err err;
	int kcore = open(argv[2], O_RDONLY | O_CLOEXEC);

	f->kcore_closed = kcore < 0;
	if (kcore >= 0)
		close(kcore);
	f->have_makedumpfile = !makedumpfile_probe(&f->makedumpfile, &err);
	if (!f->have_makedumpfile) {
		snprintf(f->makedumpfile_error, sizeof(f->makedumpfile_error), "%.250s", err.msg);
		return;
	}
	if (process_run(&p, &r, &err))
		snprintf(f->makedumpfile_error, sizeof(f->makedumpfile_error), "%.250s", err.msg);
	else if (!doctor_parse_pages(r.output, &f->pages))
		process_explain(&r, f->makedumpfile_error, sizeof(f->makedumpfile_error));
}

static int gather_modules(struct doctor_facts *f, struct doctor_target *t, struct err *err)
{
	struct module_list list = { 0 };
	struct modules m;
	size_t n = 0;
	int ret;

	if (modules_open(&m, "", f->release, err))
		return -1;
	ret = ssh_is_target(t->target) ? ssh_modules(&t->plan, &m, &list, err) : target_modules(&m, t->target, &list, err);
	for (unsigned int i = 0; i < list.count && n < sizeof(t->modules); i++) {
		const char *slash = strrchr(list.paths[i], '/');
		const char *base = slash ? slash + 1 : list.paths[i];
		const char *ko = strstr(base, ".ko");

		n += (size_t)snprintf(t->modules + n, sizeof(t->modules) - n, "%s%.*s.ko", i ? " " : "",
				      (int)(ko ? ko - base : (ptrdiff_t)strlen(base)), base);
	}
	module_list_deinit(&list);
	modules_close(&m);
	return ret;
}

static int gather_space(struct doctor_target *t, struct err *err)
{
	static struct raw raw;
	struct statvfs st;

	if (!strcmp(t->plan.target, "raw")) {
		if (raw_open(t->target, true, &raw, err))
			return -1;
		t->free = (long long)raw_free_bytes(&raw);
		raw_close(&raw);
		return 0;
	}
	if (statvfs(t->target, &st) < 0)
		return err_sys(err, errno, "%s", t->target);
	if (st.f_flag & ST_RDONLY)
		return err_set(err, ERR_ENVIRONMENT, "%s is mounted read-only", t->target);
	t->free = (long long)st.f_bfree * (long long)st.f_frsize;
	return 0;
}

static void gather_target(struct doctor_facts *f, struct doctor_target *t)
{
	const char *key = f->have_state && *f->state.ssh_key ? f->state.ssh_key : NULL;
	struct err err;
	int ret;

	if (f->have_state && *f->state.service) {
		/* The service's crash kernel finds it as the running system does. */
		snprintf(t->plan.device, sizeof(t->plan.device), "%s", f->state.targets[0].device);
		snprintf(t->plan.fstype, sizeof(t->plan.fstype), "%s", f->state.targets[0].fstype);
		ret = gather_space(t, &err);
	} else if (ssh_is_target(t->target)) {
		/* The free space there is not known; that it takes files was tried. */
		ret = ssh_resolve(t->target, key, &t->plan, &err);
		t->free = LLONG_MAX;
	} else {
		ret = target_resolve(t->target, &t->plan, &err);
		if (!ret)
			ret = gather_space(t, &err);
	}
	if (!ret && !(f->have_state && *f->state.service))
		ret = gather_modules(f, t, &err);
	t->ok = !ret;
	if (ret)
		snprintf(t->error, sizeof(t->error), "%.500s", err.msg);
}

static void gather_targets(const char *target, struct doctor_facts *f)
{
	f->target_count = f->have_state ? f->state.target_count : 1;
	for (unsigned int i = 0; i < f->target_count; i++) {
		snprintf(f->targets[i].target, sizeof(f->targets[i].target), "%s", f->have_state ? f->state.targets[i].target : target);
		gather_target(f, &f->targets[i]);
	}
}

void doctor_gather(const char *target, struct doctor_facts *f)
{
	char verdict[700];

	*f = (struct doctor_facts){ 0 };
	doctor_gather_kernel("", f);
	gather_owner(f);
	gather_makedumpfile(f);
	f->tested = f->have_state && selftest_verdict(&f->state, verdict, sizeof(verdict)) == SELFTEST_PASSED;
	gather_targets(target, f);
}
