/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initramfs.h - the crash kernel's whole world, as one gzip'd cpio archive.
 *
 *	init		deadfall-init, static
 *	plan		what to do (plan.h)
 *	bin/		deadfall, makedumpfile
 *	lib/, lib64/	their libraries and the loader
 *	modules/	kernel modules, decompressed
 *	dev/console	for messages before devtmpfs is mounted
 */
#ifndef KDUMP_INITRAMFS_H
#define KDUMP_INITRAMFS_H

#include "kdump/modules.h"
#include "kdump/plan.h"
#include "lib/buf.h"
#include "lib/err.h"

struct initramfs_parts {
	const char *init;		/* path of deadfall-init */
	const char *deadfall;		/* path of the deadfall command */
	const char *makedumpfile;
	bool ssh;			/* with the ssh client, for a server as target ... */
	const char *ssh_key;		/* ... and this private key, NULL: root's usual one */
	const struct modules *modules;
	const struct module_list *list;
};

/*
 * Build the archive into *out (compressed); *unpacked is its size in the crash kernel's memory. Fills in
 * plan->modules.
 */
int initramfs_build(const struct initramfs_parts *parts, struct plan *plan, struct buf *out, size_t *unpacked,
		    struct err *err);

#endif
