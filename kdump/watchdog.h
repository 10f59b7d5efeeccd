/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog.h - hardware watchdogs go on ticking in the crash kernel.
 *
 * Where the first system feeds one (systemd's RuntimeWatchdogSec, watchdogd), nobody feeds it after a crash,
 * and it resets the machine in the middle of the dump. So its driver goes into the crash initramfs, and init
 * feeds it; it then also brings back a crash kernel that hangs.
 */
#ifndef KDUMP_WATCHDOG_H
#define KDUMP_WATCHDOG_H

#include "kdump/modules.h"
#include "lib/err.h"

#include <stdbool.h>

/* Whether a hardware watchdog is running (root: see files.h); its identity in name. Software ones die with the kernel. */
bool watchdog_active(const char *root, char *name, size_t size);

/* Append the driver modules of the running watchdogs; *active tells whether there is one. */
int watchdog_modules(const struct modules *m, struct module_list *list, bool *active, struct err *err);

/* ---- in the crash kernel ---- */

/* Open the first watchdog; this starts it if it is not running. A descriptor, or -1. */
int watchdog_open(void);

/* Feed it. Must be called every second. */
void watchdog_feed(int fd);

#endif
