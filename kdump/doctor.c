// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor.c - the checks, see doctor.h. */
#include "kdump/doctor.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MB (1LL << 20)

static void found(struct check_result *r, enum check_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void found(struct check_result *r, enum check_state state, const char *fmt, ...)
{
	va_list ap;

	r->state = state;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

static void fix(struct check_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fix(struct check_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->fix, sizeof(r->fix), fmt, ap);
	va_end(ap);
}

static bool is_beside(const struct doctor_facts *f)
{
	return f->have_state && *f->state.service;
}

static const char *setup_hint(const struct doctor_facts *f)
{
	return is_beside(f) || f->owner == OWNER_SERVICE ? "deadfall kdump setup --beside" : "deadfall kdump setup";
}

struct memory_need doctor_memory_needed(const struct doctor_facts *f)
{
	/*
	 * Measured with Debian's cloud kernels: 46 MB are gone before init starts (of 192 MB 146 are left), and
	 * 96 MB in all were too little for a machine of 1 GB, 128 MB plenty. makedumpfile keeps two bits per
	 * page of the dead kernel; its other buffers and the page cache of what it writes are the rest.
	 */
	struct memory_need n = {
		.kernel = 56 * MB,
		.initramfs = f->have_state ? f->state.unpacked_bytes + (long long)f->state.initramfs.bytes : 12 * MB,
		.makedumpfile = f->mem_total_kb * 1024 / 4096 / 4 + 32 * MB,
	};

	if (is_beside(f)) {
		/* systemd, udev and journal of a minimal Debian 12 took 33 MB; the initramfs is gone when they start. */
		n.services = 36 * MB;
		n.initramfs = n.initramfs > n.services + n.makedumpfile ? n.initramfs - n.services - n.makedumpfile : 0;
	}
	n.all = n.kernel + n.initramfs + n.services + n.makedumpfile;
	return n;
}

static void check_support(const struct doctor_facts *f, struct check_result *r)
{
	if (f->reserved >= 0)
		return found(r, CHECK_OK, "the kernel can start a crash kernel");
	found(r, CHECK_FAIL, "the kernel has no kdump support (CONFIG_CRASH_DUMP, CONFIG_KEXEC_FILE)");
	fix(r, "boot a kernel of your distribution");
}

static void check_reserved(const struct doctor_facts *f, struct check_result *r)
{
	struct memory_need n = doctor_memory_needed(f);
	char parts[160], services[32] = "";

	if (n.services)
		snprintf(services, sizeof(services), ", services %lld", n.services / MB);
	snprintf(parts, sizeof(parts), "about %lld MB needed: kernel %lld, initramfs %lld%s, makedumpfile %lld", n.all / MB,
		 n.kernel / MB, n.initramfs / MB, services, n.makedumpfile / MB);
	if (f->reserved > 0 && f->reserved >= n.all)
		return found(r, CHECK_OK, "%lld MB reserved, %s", f->reserved / MB, parts);
	if (f->reserved > 0)
		found(r, is_beside(f) ? CHECK_WARN : CHECK_FAIL, "%lld MB reserved, but %s", f->reserved / MB, parts);
	else
		found(r, CHECK_FAIL, "no memory is reserved for a crash kernel; %s", parts);
	fix(r, "boot with crashkernel=%lldM (GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then update-grub, then reboot)",
	    (n.all / MB + 63) / 64 * 64 + 64);
}

static void check_loaded(const struct doctor_facts *f, struct check_result *r)
{
	if (f->loaded)
		return found(r, CHECK_OK, "a crash kernel is loaded");
	found(r, CHECK_FAIL, "no crash kernel is loaded%s", f->load_disabled ? ", and kernel.kexec_load_disabled forbids it" : "");
	if (f->load_disabled)
		fix(r, "reboot; nothing can load a crash kernel in this boot any more");
	else
		fix(r, "%s", setup_hint(f));
}

/* Somebody else's crash kernel, and what is lost by it. */
static void foreign_owner(const struct doctor_facts *f, struct check_result *r)
{
	bool service = f->owner == OWNER_SERVICE;

	found(r, CHECK_FAIL, "%s of %s: it takes no capsule%s", f->have_state ? "ours was replaced by a crash kernel" : "it is",
	      service ? f->service.name : "another program", service ? "" : ", and what it saves is not known here");
	if (service)
		fix(r, "deadfall kdump setup --beside (its crash kernel, our capsule first), or --replace (ours, until %s loads its "
		    "own again)", f->service.name);
	else
		fix(r, "deadfall kdump setup --replace");
}

static void check_owner(const struct doctor_facts *f, struct check_result *r)
{
	if (!f->loaded)
		return found(r, CHECK_FAIL, "there is no crash kernel to own"), fix(r, "%s", setup_hint(f));
	if (f->owner == OWNER_UNSEEN && f->have_state)
		return found(r, CHECK_WARN, "%s loaded it; whether it was replaced since cannot be seen (/proc/kcore is closed)",
			     is_beside(f) ? f->state.service : "we");
	if (f->owner == OWNER_SERVICE && is_beside(f))
		return found(r, CHECK_OK, "it is that of %s, seen in the reserved memory; our capsule is its first step", f->service.name);
	if (f->owner != OWNER_OURS)
		return foreign_owner(f, r);
	if (!f->service.enabled)
		return found(r, CHECK_OK, "it is ours, seen in the reserved memory, loaded by %s", f->state.method);
	found(r, CHECK_WARN, "it is ours, seen in the reserved memory; but %s will load its own over it at boot, on updates, when "
	      "memory or CPUs come and go", f->service.name);
	fix(r, "USE_KDUMP=0 in /etc/default/kdump-tools; or restart it, then deadfall kdump setup --beside");
}

static void check_capsule(const struct doctor_facts *f, struct check_result *r)
{
	if (!f->have_state)
		return found(r, CHECK_FAIL, "kdump was not set up by deadfall in this boot"), fix(r, "%s", setup_hint(f));
	if (!is_beside(f))
		return found(r, CHECK_OK, "saved first, by our own init");
	if (!*f->hook_error)
		return found(r, CHECK_OK, "saved before %s dumps, by a drop-in of its unit", f->state.service);
	found(r, CHECK_FAIL, "%s", f->hook_error);
	fix(r, "%s", setup_hint(f));
}

static void check_kernel(const struct doctor_facts *f, struct check_result *r)
{
	if (!f->have_state)
		return found(r, CHECK_FAIL, "kdump was not set up by deadfall in this boot"), fix(r, "%s", setup_hint(f));
	if (strcmp(f->state.kernel, f->release)) {
		found(r, CHECK_FAIL, "set up for kernel %s, but %s runs", f->state.kernel, f->release);
		return fix(r, "%s", setup_hint(f));
	}
	/* The crash kernel sees the memory that was there when it was loaded (kdump-tools loads its anew when some comes). */
	if (!is_beside(f) && f->mem_total_kb > f->state.mem_total_kb + 16 * 1024) {
		found(r, CHECK_FAIL, "memory was added since the crash kernel was loaded (%lld MB, then %lld MB)",
		      f->mem_total_kb / 1024, f->state.mem_total_kb / 1024);
		return fix(r, "%s", setup_hint(f));
	}
	found(r, CHECK_OK, "set up for this kernel, %s", f->release);
}

static void check_lockdown(const struct doctor_facts *f, struct check_result *r)
{
	if (!strcmp(f->lockdown, "none") || !strcmp(f->lockdown, "unknown"))
		return found(r, CHECK_OK, strcmp(f->lockdown, "none") ? "no lockdown is known" : "no lockdown");
	if (f->loaded)
		return found(r, CHECK_OK, "lockdown=%s, and a signed crash kernel is loaded", f->lockdown);
	found(r, CHECK_WARN, "lockdown=%s: only a kernel image with a trusted signature can be loaded", f->lockdown);
	fix(r, "use your distribution's signed kernel");
}

/* The first target that would take a dump: the set-up's own, unchanged. NULL if none would. */
static const struct doctor_target *usable(const struct doctor_facts *f)
{
	for (unsigned int i = 0; i < f->target_count; i++) {
		if (f->targets[i].ok && (!f->have_state || !strcmp(f->state.targets[i].fsid, f->targets[i].plan.fsid)))
			return &f->targets[i];
	}
	return NULL;
}

/* What is wrong with one target; false if nothing is. */
static bool target_problem(const struct doctor_facts *f, unsigned int i, struct check_result *r)
{
	const struct doctor_target *t = &f->targets[i];

	if (!t->ok) {
		found(r, CHECK_FAIL, "%s", t->error);
		if (is_beside(f))
			fix(r, "mount it writable, or change KDUMP_COREDIR in /etc/default/kdump-tools, then %s", setup_hint(f));
		else
			fix(r, "mount it, or name another: %s --target DIR", setup_hint(f));
	} else if (f->have_state && strcmp(f->state.targets[i].fsid, t->plan.fsid)) {
		found(r, CHECK_FAIL, "%s is on filesystem %s now; the crash kernel looks for %s", t->target, t->plan.fsid,
		      f->state.targets[i].fsid);
		fix(r, "%s --target %s", setup_hint(f), t->target);
	} else {
		return false;
	}
	return true;
}

static void check_target(const struct doctor_facts *f, struct check_result *r)
{
	const struct doctor_target *t = usable(f);
	size_t n;

	/* A broken target is worth a word even where another takes its place. */
	for (unsigned int i = 0; i < f->target_count; i++) {
		if (!target_problem(f, i, r))
			continue;
		n = strlen(r->text);
		if (t) {
			r->state = CHECK_WARN;
			snprintf(r->text + n, sizeof(r->text) - n, "; dumps go to %s", t->target);
		}
		return;
	}
	if (!t)
		return found(r, CHECK_FAIL, "there is no target"), fix(r, "%s", setup_hint(f));
	found(r, CHECK_OK, "%s (%s on %s)", t->target, t->plan.fstype, t->plan.device);
	for (unsigned int i = 1; i < f->target_count; i++) {
		n = strlen(r->text);
		t = &f->targets[i];
		snprintf(r->text + n, sizeof(r->text) - n, ", else %s (%s on %s)", t->target, t->plan.fstype, t->plan.device);
	}
}

/* Whether each word of `needed` is a word of `have`; the first that is not is stored in missing. */
static bool words_in(const char *needed, const char *have, char *missing, size_t size)
{
	while (*needed) {
		size_t len = strcspn(needed, " ");
		const char *p = have;
		bool in = false;

		while (*p && !in) {
			size_t n = strcspn(p, " ");

			in = n == len && !strncmp(p, needed, len);
			p += n + (p[n] == ' ');
		}
		if (len && !in) {
			snprintf(missing, size, "%.*s", (int)len, needed);
			return false;
		}
		needed += len + (needed[len] == ' ');
	}
	return true;
}

static void check_drivers(const struct doctor_facts *f, struct check_result *r)
{
	char missing[128];

	if (!f->have_state || !usable(f))
		return found(r, CHECK_FAIL, "nothing is set up for this target"), fix(r, "%s", setup_hint(f));
	if (is_beside(f))
		return found(r, CHECK_OK, "%s packs those that the root filesystem needs", f->state.service);
	for (unsigned int i = 0; i < f->target_count; i++) {
		const struct doctor_target *t = &f->targets[i];

		if (!t->ok || words_in(t->modules, f->state.modules, missing, sizeof(missing)))
			continue;
		found(r, t == usable(f) ? CHECK_FAIL : CHECK_WARN, "the crash initramfs lacks %s, which %s needs", missing, t->target);
		return fix(r, "%s", setup_hint(f));
	}
	if (*f->state.modules)
		return found(r, CHECK_OK, "in the crash initramfs: %s", f->state.modules);
	found(r, CHECK_OK, "all built into the kernel");
}

void doctor_dump_size(const struct page_kinds *p, int level, long long *most, long long *expected)
{
	long long pages = p->kernel;

	pages += level & 1 ? 0 : p->zero;
	pages += level & 2 ? 0 : p->cache;
	pages += level & 4 ? 0 : p->private_cache;
	pages += level & 8 ? 0 : p->user;
	pages += level & 16 ? 0 : p->free;
	*most = p->known ? pages * 4096 + 8 * MB : 0;
	/* lzo made 64 MB out of 139 MB of kernel data on an idle 6.12; zlib and zstd do better. */
	*expected = *most * 6 / 10;
}

static void check_space(const struct doctor_facts *f, struct check_result *r)
{
	int level = f->have_state ? f->state.level : 23;
	const struct doctor_target *t = usable(f);
	long long most, expected, space = t ? t->free : 0;

	if (!t)
		return found(r, CHECK_FAIL, "no target can be reached"), fix(r, "see target");
	if (f->have_state && f->state.capsule_only && space > MB)
		return found(r, CHECK_OK, "%lld MB free, capsules only", space / MB);
	doctor_dump_size(&f->pages, level, &most, &expected);
	if (space == LLONG_MAX)
		return found(r, CHECK_WARN, "the space on the server is not known; a dump needs about %lld MB, at most %lld MB",
			     expected / MB, most / MB), fix(r, "look there");
	if (most && space >= most)
		return found(r, CHECK_OK, "%lld MB free, a dump at level %d needs about %lld MB, at most %lld MB",
			     space / MB, level, expected / MB, most / MB);
	if (!most)
		found(r, space > 256 * MB ? CHECK_WARN : CHECK_FAIL,
		      "%lld MB free; the size of a dump could not be estimated", space / MB);
	else
		found(r, space >= expected ? CHECK_WARN : CHECK_FAIL,
		      "%lld MB free, but a dump at level %d needs about %lld MB, at most %lld MB", space / MB, level,
		      expected / MB, most / MB);
	fix(r, "delete old dumps ('deadfall dumps'), or name a larger target: %s --target DIR", setup_hint(f));
}

static void check_makedumpfile(const struct doctor_facts *f, struct check_result *r)
{
	if (!f->have_makedumpfile) {
		found(r, CHECK_FAIL, "%s", f->makedumpfile_error);
		return fix(r, "apt-get install makedumpfile, then %s", setup_hint(f));
	}
	if (f->pages.known)
		return found(r, CHECK_OK, "version %u.%u.%u reads this kernel's memory", f->makedumpfile.version[0],
			     f->makedumpfile.version[1], f->makedumpfile.version[2]);
	if (f->have_state && f->state.capsule_only && !is_beside(f))
		return found(r, CHECK_OK, "not needed: capsules only");
	r->test_tells = true;
	/* What it cannot do in the running kernel it could not do to the dead one, unless it has been seen to. */
	found(r, f->kcore_closed || f->tested ? CHECK_WARN : CHECK_FAIL, "version %u.%u.%u could not %s: %s",
	      f->makedumpfile.version[0], f->makedumpfile.version[1], f->makedumpfile.version[2],
	      f->kcore_closed ? "be tried on this kernel" : "read this kernel's memory", f->makedumpfile_error);
	if (f->tested)
		return fix(r, "none needed: a test of this set-up passed");
	fix(r, "deadfall kdump test, to see whether it does at a crash%s",
	    f->kcore_closed ? "" : "; or a makedumpfile that knows this kernel; or deadfall kdump setup --capsule-only");
}

static void check_panic(const struct doctor_facts *f, struct check_result *r)
{
	if (f->crash_kexec_post_notifiers) {
		found(r, CHECK_WARN, "crash_kexec_post_notifiers is set: panic notifiers run before the crash kernel and can hang");
		return fix(r, "remove crash_kexec_post_notifiers from the kernel's command line");
	}
	if (!f->panic_on_oops) {
		found(r, CHECK_OK, "a rule's panic is dumped; an oops without a rule is not (kernel.panic_on_oops is 0)");
		return fix(r, "sysctl kernel.panic_on_oops=1, to have a dump of every oops");
	}
	found(r, CHECK_OK, "every panic and oops is dumped");
}

static void check_watchdog(const struct doctor_facts *f, struct check_result *r)
{
	if (!f->watchdog_active)
		return found(r, CHECK_OK, "no hardware watchdog is running");
	if (f->have_state && f->state.watchdog)
		return found(r, CHECK_OK, "the crash kernel feeds the watchdog '%s'", f->watchdog);
	if (is_beside(f) && f->systemd_watchdog)
		return found(r, CHECK_OK, "systemd feeds the watchdog '%s', in the crash kernel of %s, too", f->watchdog, f->state.service);
	found(r, CHECK_FAIL, "the watchdog '%s' is running: it will reset the machine in the middle of a dump", f->watchdog);
	if (is_beside(f))
		fix(r, "RuntimeWatchdogSec= in /etc/systemd/system.conf, so that systemd feeds it there, too; or stop it");
	else
		fix(r, "%s", setup_hint(f));
}

static void check_pstore(const struct doctor_facts *f, struct check_result *r)
{
	if (*f->pstore)
		return found(r, CHECK_OK, "the kernel log also goes to pstore (%s)", f->pstore);
	found(r, CHECK_OK, "none; it would keep the kernel log even where the crash kernel does not start");
}

const struct check doctor_checks[] = {
	{ "support", check_support, "without it a crash ends in a halt or a reboot" },
	{ "reserved", check_reserved, "the crash kernel lives in memory set aside at boot; too little, and it dies" },
	{ "loaded", check_loaded, "crash_kexec returns silently when none is loaded" },
	{ "owner", check_owner, "the last crash kernel loaded wins, whoever loaded it" },
	{ "capsule", check_capsule, "it is small and comes first: what a report needs, even where the vmcore fails" },
	{ "kernel", check_kernel, "modules and dump level belong to one kernel" },
	{ "lockdown", check_lockdown, "Secure Boot refuses kernels that are not signed" },
	{ "target", check_target, "the crash kernel finds the target by the identity of its filesystem" },
	{ "drivers", check_drivers, "the crash kernel has no other modules than those in its initramfs" },
	{ "space", check_space, "a full disk cuts the vmcore" },
	{ "makedumpfile", check_makedumpfile, "it must know this kernel's data structures" },
	{ "panic", check_panic, "what is dumped, and what runs before" },
	{ "watchdog", check_watchdog, "a hardware watchdog goes on ticking in the crash kernel" },
	{ "pstore", check_pstore, "a second place for the last words" },
	{ 0 }
};

_Static_assert(sizeof(doctor_checks) / sizeof(*doctor_checks) <= DOCTOR_CHECKS_MAX, "results[] of callers");

bool doctor_run(const struct doctor_facts *f, struct check_result *results)
{
	bool ready = true;

	for (size_t i = 0; doctor_checks[i].name; i++) {
		results[i] = (struct check_result){ 0 };
		doctor_checks[i].run(f, &results[i]);
		ready &= results[i].state != CHECK_FAIL;
	}
	return ready;
}

bool doctor_may_test(const struct check_result *results)
{
	for (size_t i = 0; doctor_checks[i].name; i++) {
		if (results[i].state == CHECK_FAIL && !results[i].test_tells)
			return false;
	}
	return true;
}
