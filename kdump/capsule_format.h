/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capsule_format.h - numbers that the writer and the reader of capsules share (capsule.h has the format). */
#ifndef KDUMP_CAPSULE_FORMAT_H
#define KDUMP_CAPSULE_FORMAT_H

#define CAPSULE_CHUNK_MAGIC 0x4b484344u		/* "DCHK" */
#define CAPSULE_CHUNK_RAW (16u << 10)		/* a chunk is written when it is this long */
#define CAPSULE_CHUNK_MAX (80u << 20)		/* one answer may be MEM_READ_MAX bytes */

enum capsule_kind {
	CAPSULE_MEMORY = 1,	/* u64 address, u32 length -> bytes */
	CAPSULE_NO_MEMORY,	/* u64 address, u32 length -> error */
	CAPSULE_VMCOREINFO,	/* key -> value */
	CAPSULE_SYMBOL,		/* name -> u64 address */
	CAPSULE_ADDRESS,	/* u64 address -> u64 start, name, module */
	CAPSULE_MEMBER,		/* type, path -> u32 offset, u32 size, u8 bit, u8 bits */
};

#endif
