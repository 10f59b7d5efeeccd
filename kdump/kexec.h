/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kexec.h - the kernel image that becomes the crash kernel, its command line, and loading it. */
#ifndef KDUMP_KEXEC_H
#define KDUMP_KEXEC_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>

/*
 * The image of the kernel `release`: `wanted` if not NULL, else the first of the usual places under root that
 * holds it. An x86 image tells its release, which must be this one: the modules are of this one, and
 * makedumpfile expects it.
 */
int kexec_find_kernel(const char *root, const char *release, const char *wanted, char *out, size_t size,
		      struct err *err);

/* The release an x86 bzImage says it is ("6.1.0-56-cloud-amd64"); ERR_CORRUPT if it is no bzImage. */
int kexec_image_release(const char *path, char *out, size_t size, struct err *err);

/*
 * The crash kernel's command line, from that of the running kernel: hardware quirks and consoles stay, what
 * belongs to the first system (root, crashkernel, services, hugepages, tracing) goes, what a small kernel on
 * one CPU needs is appended.
 */
void kexec_append_line(const char *cmdline, struct buf *out);

struct kexec_load {
	const char *kernel, *initramfs, *append;
	const char *method;		/* out: "kexec_file_load" or "kexec_load" */
};

/*
 * Load with kexec-tools: through kexec_file_load (the only way under Secure Boot), and where that fails
 * through kexec_load. Checks afterwards that the kernel says a crash kernel is loaded.
 */
int kexec_load_crash(struct kexec_load *load, struct err *err);

/* ERR_ENVIRONMENT, with what to do, if no memory is reserved for a crash kernel or loading is disabled. */
int kexec_check_possible(const char *root, struct err *err);

/* "none", "integrity" or "confidentiality"; "unknown" if it cannot be read. */
void kexec_lockdown(const char *root, char *out, size_t size);

#endif
