/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h - the distribution's own kdump service on this machine: Debian's kdump-tools.
 *
 * kdump-tools loads its crash kernel at boot, on updates, and when memory or CPUs come and go. In that kernel systemd
 * mounts the real root filesystem and starts kdump-tools-dump.service, which runs makedumpfile and reboots. There can be
 * one crash kernel only: either ours, or theirs with our capsule as its first step (beside.h).
 */
#ifndef KDUMP_SERVICE_H
#define KDUMP_SERVICE_H

#include <stdbool.h>

struct kdump_service {
	char name[32];		/* "kdump-tools", "kdump-utils" (of which nothing more is known), "" if there is none */
	bool enabled;		/* it loads its crash kernel at boot */
	char kernel[512], initrd[512];	/* what it loads */
	char dumps[1024];	/* its directory for dumps */
	char arguments[256];	/* makedumpfile's, "" where it takes its default */
	int level;		/* makedumpfile -d, of its arguments or default */
	bool sends;		/* dumps go to a server (ssh, nfs, ftp) */
};

/* What is installed under root, from its files. */
void service_find(const char *root, struct kdump_service *ret);

#endif
