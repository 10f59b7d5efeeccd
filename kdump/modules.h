/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modules.h - which kernel modules a crash kernel has to load, in which order.
 *
 * The crash initramfs has no modprobe. What modprobe would do there is decided while the machine is well,
 * from the files that depmod wrote (modules.dep, modules.softdep, modules.alias, modules.builtin): a list of
 * module files in which each stands after what it needs. Names compare as the kernel compares them, with '-'
 * and '_' the same.
 */
#ifndef KDUMP_MODULES_H
#define KDUMP_MODULES_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>

struct modules {
	char dir[512];		/* ROOT/lib/modules/RELEASE */
	char release[128];
	struct buf dep;		/* the files' texts */
	struct buf builtin;
	struct buf softdep;
	struct buf alias;
};

/* Paths of modules relative to modules.dir, in load order. */
struct module_list {
	char *paths[64];
	unsigned int count;
};

/*
 * Read depmod's files of a kernel under root/lib/modules. ERR_ABSENT if modules.dep is missing; the others
 * may be.
 */
int modules_open(struct modules *m, const char *root, const char *release, struct err *err);
void modules_close(struct modules *m);

bool modules_is_builtin(const struct modules *m, const char *name);

/* The path of a module relative to modules.dir; false if this kernel has no such module. */
bool modules_path(const struct modules *m, const char *name, char *out, size_t size);

/*
 * Append a module and, before it, all that it needs and that is not in the list yet: hard dependencies and
 * "pre" soft ones (ext4 names crc32c so, and does not mount without it). A module built into the kernel
 * needs nothing. ERR_ABSENT if this kernel has no such module.
 */
int modules_add(const struct modules *m, struct module_list *list, const char *name, struct err *err);

/*
 * As modules_add for what an alias stands for ("fs-ext4", "crypto-crc32c"). Modules that match are all
 * added. An alias that stands for nothing is no error: what it names is built in, or the kernel lacks it.
 */
int modules_add_alias(const struct modules *m, struct module_list *list, const char *alias, struct err *err);

void module_list_deinit(struct module_list *list);

#endif
