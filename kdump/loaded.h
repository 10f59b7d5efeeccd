/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loaded.h - which crash kernel really lies in the reserved memory.
 *
 * The kernel tells that a crash kernel is loaded, not which. Other services load theirs too (kdump-tools does
 * at boot and on updates), and the last one wins. So we look, through /proc/kcore: the kernel's own record of
 * the image (`kexec_crash_image`) lists the segments with their place and size, and the reserved memory holds
 * their bytes. Where kcore is closed (lockdown=confidentiality) nothing can be seen.
 */
#ifndef KDUMP_LOADED_H
#define KDUMP_LOADED_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

/* Where the initramfs of the loaded crash kernel lies, valid for this boot. */
struct loaded_image {
	uint64_t phys;		/* physical address; 0: not known */
	uint64_t symbol;	/* virtual address of kexec_crash_image */
	uint64_t bytes;
	uint32_t crc;		/* CRC-32 (zlib's) of the bytes */
};

/* Address of kexec_crash_image, the kernel's pointer to the image; 0 where kallsyms hides addresses. */
uint64_t loaded_symbol(void);

/*
 * Find `data` in the memory reserved for the crash kernel. ERR_ABSENT if it does not lie there, ERR_SYSTEM if
 * the memory cannot be read.
 */
int loaded_find(const void *data, size_t len, struct loaded_image *ret, struct err *err);

/*
 * Whether the crash kernel that is loaded now has this initramfs. ERR_CORRUPT if not: something else was
 * loaded since. ERR_SYSTEM if that cannot be seen.
 */
int loaded_verify(const struct loaded_image *image, struct err *err);

#endif
