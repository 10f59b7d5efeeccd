/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ssh.h - dumps sent to a server by ssh.
 *
 * The crash kernel gets the ssh client, one private key and the known hosts of this machine; the server's name is
 * resolved at set-up, and its key checked under that name. Files are collected in the crash kernel's memory and sent
 * when they are complete; the vmcore, which has no room there, goes through a pipe in makedumpfile's flattened form
 * (vmcore.flat: `makedumpfile -R vmcore <vmcore.flat` makes a dump of it).
 */
#ifndef KDUMP_SSH_H
#define KDUMP_SSH_H

#include "kdump/cpio.h"
#include "kdump/modules.h"
#include "kdump/plan.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the files are in the crash initramfs. */
#define SSH_CRASH_KEY "/ssh/key"
#define SSH_CRASH_HOSTS "/ssh/known_hosts"

/* Whether a target is of the form USER@HOST:/DIR or ssh://USER@HOST[:PORT]/DIR. */
bool ssh_is_target(const char *target);

/*
 * Fill in the target, and try it: log in, make the directory, write there. key: private key file, NULL for
 * root's usual ones.
 */
int ssh_resolve(const char *target, const char *key, struct plan_target *t, struct err *err);

/* Append the network driver's modules. */
int ssh_modules(const struct plan_target *t, const struct modules *m, struct module_list *list, struct err *err);

/* Put the client, the key and the known hosts into the crash initramfs. */
int ssh_add_files(const char *key, struct cpio *c, struct err *err);

/* Room for the words of a command line. */
struct ssh_words {
	char identity[600], hosts[600], alias[200];
	const char *argv[32];
};

/* The client's command line but for the remote command; returns the number of words, NULL follows. */
size_t ssh_client(const struct plan_target *t, const char *ssh, const char *key, const char *hosts, struct ssh_words *w);

/* ---- in the crash kernel; all run in a child process and report on stderr, the results are exit statuses ---- */

/* Send one file to dir/name/file on the server: under a temporary name, synced, renamed. */
int ssh_put(const struct plan_target *t, const char *local, const char *name, const char *file);

/* Send what argv writes to its stdout; prints "bytes N" when all has arrived. */
int ssh_stream(const struct plan_target *t, const char *const *argv, const char *name, const char *file);

#endif
