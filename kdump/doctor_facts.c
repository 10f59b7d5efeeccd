// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor_facts.c - collects what doctor.c judges. Nothing here decides. */
#include "kdump/doctor.h"

#include "kdump/files.h"
#include "kdump/kexec.h"
#include "kdump/loaded.h"
#include "kdump/process.h"
#include "kdump/ssh.h"
#include "kdump/target.h"
#include "kdump/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void gather_other_service(const char *root, struct doctor_facts *f)
{
	static const struct {
		const char *file, *service;
	} signs[] = { { "/usr/sbin/kdump-config", "kdump-tools" }, { "/usr/bin/kdumpctl", "kdump-utils" } };

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s%s", root, signs[i].file);
		if (!access(path, F_OK))
			snprintf(f->other_service, sizeof(f->other_service), "%s", signs[i].service);
	}
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
	gather_other_service(root, f);
	f->have_state = !state_read(root, &f->state, NULL);
}

static void gather_image(struct doctor_facts *f)
{
	struct err err;

	f->image = IMAGE_UNSEEN;
	if (!f->loaded || !f->have_state)
		return;
	if (!loaded_verify(&f->state.initramfs, &err))
		f->image = IMAGE_OURS;
	else if (err.code == ERR_CORRUPT)
		f->image = IMAGE_OTHER;
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

static int gather_modules(struct doctor_facts *f, struct err *err)
{
	struct module_list list = { 0 };
	struct modules m;
	size_t n = 0;
	int ret;

	if (modules_open(&m, "", f->release, err))
		return -1;
	ret = target_modules(&m, f->target, &list, err);
	for (unsigned int i = 0; i < list.count && n < sizeof(f->modules); i++) {
		const char *slash = strrchr(list.paths[i], '/');
		const char *base = slash ? slash + 1 : list.paths[i];
		const char *ko = strstr(base, ".ko");

		n += (size_t)snprintf(f->modules + n, sizeof(f->modules) - n, "%s%.*s.ko", i ? " " : "",
				      (int)(ko ? ko - base : (ptrdiff_t)strlen(base)), base);
	}
	module_list_deinit(&list);
	modules_close(&m);
	return ret;
}

static void gather_target(const char *target, struct doctor_facts *f)
{
	struct statvfs st;
	struct err err;
	int ret;

	snprintf(f->target, sizeof(f->target), "%s", f->have_state ? f->state.target : target);
	if (ssh_is_target(f->target)) {
		/* The free space there is not known; that it takes files was tried. */
		f->target_ok = !ssh_resolve(f->target, NULL, &f->plan, &err);
		if (!f->target_ok)
			snprintf(f->target_error, sizeof(f->target_error), "%.500s", err.msg);
		f->target_free = LLONG_MAX;
		return;
	}
	ret = target_resolve(f->target, &f->plan, &err);
	if (!ret)
		ret = gather_modules(f, &err);
	if (!ret && statvfs(f->target, &st) < 0)
		ret = err_sys(&err, errno, "%s", f->target);
	if (!ret && (st.f_flag & ST_RDONLY))
		ret = err_set(&err, ERR_ENVIRONMENT, "%s is mounted read-only", f->target);
	f->target_ok = !ret;
	if (ret)
		snprintf(f->target_error, sizeof(f->target_error), "%.500s", err.msg);
	else
		f->target_free = (long long)st.f_bfree * (long long)st.f_frsize;
}

void doctor_gather(const char *target, struct doctor_facts *f)
{
	*f = (struct doctor_facts){ 0 };
	doctor_gather_kernel("", f);
	gather_image(f);
	gather_makedumpfile(f);
	gather_target(target, f);
}
