/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h - /run/deadfall/kdump.json: which crash kernel `deadfall kdump setup` loaded, and when.
 *
 * The kernel tells only that some crash kernel is loaded. The record tells that it is ours: it carries the
 * boot's id, so one left from another boot counts for nothing.
 */
#ifndef KDUMP_STATE_H
#define KDUMP_STATE_H

#include "kdump/loaded.h"
#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>

#define STATE_DIR "/run/deadfall"
#define STATE_PATH STATE_DIR "/kdump.json"

struct kdump_state {
	char boot_id[64];
	char kernel[128];		/* release */
	char image[512];		/* path of the kernel image */
	char method[32];		/* kexec_file_load, kexec_load, or the service */
	struct state_target {
		char target[1024];	/* directory or device as the running system sees it, or a server's */
		char device[64], fstype[16], fsid[40];
	} targets[PLAN_TARGETS_MAX];	/* the first is where dumps go; the others are for when it fails */
	unsigned int target_count;
	char ssh_key[512];		/* "": root's usual one */
	char service[32];		/* whose crash kernel it is: "" for ours, "kdump-tools" */
	char compress[8];
	int level;
	bool capsule_only, redact, watchdog;
	long long max_dumps, max_bytes;	/* retention, 0: none */
	char final[16];
	char modules[2048];		/* names in the initramfs, blanks between */
	struct loaded_image initramfs;	/* the compressed archive, and where it lies */
	long long unpacked_bytes;
	long long time;			/* seconds since 1970 */
	long long mem_total_kb;		/* of the machine when it was loaded */
};

/* A record of this boot and moment, all else empty: boot, kernel, time, memory. */
void state_begin(struct kdump_state *s);

int state_write(const struct kdump_state *s, struct err *err);

/* ERR_ABSENT if nothing was set up in this boot (root: see files.h), ERR_CORRUPT if the file is damaged. */
int state_read(const char *root, struct kdump_state *ret, struct err *err);

/* All places where dumps may be, for dumps_scan_all(): target after target, newlines between. */
void state_places(const struct kdump_state *s, char *out, size_t size);

/* Those of this boot's set-up; where there was none, those where dumps would be by default. */
void state_places_now(char *out, size_t size);

#endif
