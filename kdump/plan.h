/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - what the crash kernel is to do, decided while the machine is well.
 *
 * `deadfall kdump setup` writes the plan as a text file into the crash initramfs; init reads it there. One
 * line is one "key value"; values run to the end of the line:
 *
 *	deadfall-plan 1
 *	kernel 6.12.117+deb12-cloud-amd64
 *	built 1790000000
 *	module modules/virtio_blk.ko		(any number, in load order)
 *	target fs				(begins a target; up to four, tried in this order)
 *	device vda1
 *	fstype ext4
 *	fsid 0a1b...
 *	options noatime
 *	dir /crash
 *	level 23
 *	compress -l
 *	limit capsule 60			(seconds; one line per step)
 *	total 900
 *	final reboot
 *
 * Unknown keys are errors: init and plan are always built by the same program.
 */
#ifndef KDUMP_PLAN_H
#define KDUMP_PLAN_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PLAN_MODULES_MAX 64
#define PLAN_TARGETS_MAX 4
/* Where the plan is in the crash initramfs. */
#define PLAN_PATH "/plan"

enum plan_step {
	STEP_MODULES,		/* load the drivers */
	STEP_TARGET,		/* find and mount the target, make the dump's directory */
	STEP_CAPSULE,		/* our own maps and lists: first, small, fsync'd */
	STEP_DMESG,		/* kernel log as text */
	STEP_VMCORE,		/* makedumpfile */
	STEP_CHECK,		/* the dump opens */
	STEP_COUNT
};

enum plan_final { FINAL_REBOOT, FINAL_POWEROFF };

/* One place for dumps. */
struct plan_target {
	/*
	 * "fs": a filesystem on a block device; "nfs": one on a server; "raw": a block device without one (raw.h);
	 * "ssh": a server's shell. These two take whole files, one after the other. "dir": a directory that is there
	 * already, in another service's crash kernel (beside.h).
	 */
	char target[16];
	char source[1024];		/* nfs: what is mounted, "10.0.0.1:/export"; ssh: "user@10.0.0.1"; dir: its path */
	char net[96];			/* nfs, ssh: the way there (net.h) */
	char port[8];			/* ssh */
	char hostalias[160];		/* ssh: the server's name in known_hosts */
	char device[64];		/* name in the first kernel; a hint only, fsid decides */
	char fstype[16];
	char fsid[40];
	char options[256];		/* mount data, may be empty */
	char dir[1024];			/* directory for dumps inside the filesystem */
};

struct plan {
	char kernel[128];		/* release that is watched (and that runs as crash kernel) */
	char program[512];		/* the deadfall command, as the crash kernel finds it */
	char service[32];		/* whose crash kernel it is: "" ours; it dumps, after our capsule (beside.h) */
	int64_t built;			/* seconds since 1970: no crash can be earlier */
	char modules[PLAN_MODULES_MAX][96];
	unsigned int module_count;
	struct plan_target targets[PLAN_TARGETS_MAX];	/* the first is where dumps go, the others are for when it fails */
	unsigned int target_count;
	int level;			/* makedumpfile -d */
	char compress[8];		/* makedumpfile's option: -z, -l, -c or empty */
	bool capsule_only;		/* no vmcore: memory may not leave this machine */
	bool redact;			/* bytes that came from user space are blanked in the capsule */
	unsigned int max_dumps;		/* older ones beyond this are deleted; 0: none are */
	int64_t max_bytes;		/* the same by size of all together */
	bool watchdog;			/* a hardware watchdog was running: keep it content */
	unsigned int limits[STEP_COUNT];	/* seconds */
	unsigned int total;		/* seconds until the machine comes back whatever happens (plan_set_total) */
	enum plan_final final;
};

/* The plan with the default limits and level, no target. */
void plan_init(struct plan *p);

/* Append the plan's text to *out. */
void plan_write(const struct plan *p, struct buf *out);

/* Parse a plan's text. ERR_CORRUPT names the line. *ret is untouched on failure. */
int plan_parse(const char *text, struct plan *ret, struct err *err);

/* Set the time limit of a step from "STEP=SECONDS"; false if there is no such step or number. */
bool plan_set_limit(struct plan *p, const char *text);

/* The total from the steps' limits and the number of targets. */
void plan_set_total(struct plan *p);

/* "capsule", "vmcore" ... as it stands in status.json. */
const char *plan_step_name(enum plan_step step);

#endif
