/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - would a crash right now end in a dump?
 *
 * Two halves. doctor_gather() looks at the machine and only collects facts. The checks are a table of pure
 * functions over these facts, each with a name, the reason why it matters, and the fix. A condition without
 * which no dump is saved fails; what may spoil a dump in some cases warns.
 */
#ifndef KDUMP_DOCTOR_H
#define KDUMP_DOCTOR_H

#include "kdump/makedumpfile.h"
#include "kdump/owner.h"
#include "kdump/plan.h"
#include "kdump/service.h"
#include "kdump/state.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Pages by kind, as makedumpfile itself counts them in the running kernel. */
struct page_kinds {
	bool known;
	long long zero, cache, private_cache, user, free, kernel;
};

struct doctor_facts {
	long long reserved;		/* bytes for the crash kernel; -1: the kernel has no support */
	bool loaded;
	bool load_disabled;		/* kernel.kexec_load_disabled */
	char lockdown[32];
	char release[128];
	long long mem_total_kb;
	bool have_state;		/* state is from this boot */
	struct kdump_state state;
	enum owner owner;		/* of what lies in the reserved memory */
	struct kdump_service service;	/* the distribution's own */
	char hook_error[512];		/* beside it: why our first step would not run, "" if it would */
	bool have_makedumpfile;
	struct makedumpfile makedumpfile;
	char makedumpfile_error[256];
	bool kcore_closed;		/* so that makedumpfile cannot be tried here (lockdown=confidentiality) */
	bool tested;			/* a test of this set-up passed */
	struct page_kinds pages;
	struct doctor_target {
		char target[1024];	/* directory, device or server */
		bool ok;		/* reachable by a crash kernel, and writable */
		char error[512];
		struct plan_target plan;	/* as it would be set up now */
		char modules[2048];	/* names that it needs now, blanks between */
		long long free;		/* bytes; LLONG_MAX: not known */
	} targets[PLAN_TARGETS_MAX];	/* the first is where dumps go; the others are for when it fails */
	unsigned int target_count;
	int panic_on_oops, crash_kexec_post_notifiers;
	bool watchdog_active;
	char watchdog[64];		/* its identity */
	bool systemd_watchdog;		/* systemd is told to feed it, in whichever kernel */
	char pstore[64];		/* backend, "" if there is none */
};

enum check_state { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_result {
	enum check_state state;
	char text[600];			/* what was found */
	char fix[600];			/* what to do, "" if nothing */
	bool test_tells;		/* a test of the capture finds out: it may begin even where this fails */
};

struct check {
	const char *name;
	void (*run)(const struct doctor_facts *f, struct check_result *r);
	const char *why;		/* what goes wrong if this does not hold */
};

/* Ends with an entry whose name is NULL. */
extern const struct check doctor_checks[];

/*
 * Collect the facts. `target` is the directory to look at when nothing was set up in this boot. Slow: starts
 * makedumpfile, which counts the machine's pages.
 */
void doctor_gather(const char *target, struct doctor_facts *f);

/* The parts that come from sysfs and procfs under root. */
void doctor_gather_kernel(const char *root, struct doctor_facts *f);

/* What `makedumpfile --mem-usage` prints. */
bool doctor_parse_pages(const char *output, struct page_kinds *ret);

/* Memory that the crash kernel needs on this machine, in bytes: an estimate. */
struct memory_need {
	long long kernel, initramfs, makedumpfile;
	long long services;	/* of another service's crash kernel, 0 in ours */
	long long all;
};

struct memory_need doctor_memory_needed(const struct doctor_facts *f);

/* Bytes of a vmcore at this level: at most, and as expected after compression. 0 if unknown. */
void doctor_dump_size(const struct page_kinds *p, int level, long long *most, long long *expected);

/* Run all checks into results (as many as the table has entries); true if a dump would be saved. */
bool doctor_run(const struct doctor_facts *f, struct check_result *results);

/* Whether a test of the capture may begin: nothing fails but what the test itself finds out. */
bool doctor_may_test(const struct check_result *results);

#define DOCTOR_CHECKS_MAX 24

#endif
