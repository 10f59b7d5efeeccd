/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usdt.h - USDT probes of a program or library: the notes that sys/sdt.h leaves in .note.stapsdt, decoded.
 *
 * A note names provider and probe, the site's address, a semaphore that the program tests ("is anybody
 * tracing?"; the kernel counts it up through the uprobe's reference counter), and an operand for each argument in
 * assembler syntax: "4@%eax -8@16(%rbp) 4@$7 -4@counter(%rip) 8@(%rax,%rcx,8)". Format: systemtap's
 * UserSpaceProbeImplementation. A site whose operands cannot be decoded (floats) still works: those arguments are
 * unknown.
 */
#ifndef AGENT_USDT_H
#define AGENT_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/layout.h"
#include "lib/err.h"

struct arena;

struct usdt_note {
	const char *provider, *name;
	const char *args;		/* as in the note */
	uint64_t offset;		/* of the site in the file: what a uprobe takes */
	uint64_t semaphore;		/* file offset of its counter; 0: none */
	struct df_usdt_site site;	/* cookie not set */
};

/*
 * All USDT sites of an ELF file. Errors: ERR_ABSENT (no such file, or no probes in it), ERR_CORRUPT,
 * ERR_UNSUPPORTED (not an x86-64 program).
 */
int usdt_read(struct arena *a, const char *path, struct usdt_note **ret, uint32_t *n, struct err *err);

/*
 * Decode one operand ("-4@8(%rbp)"). symbol looks up the address of a symbol in the program, 0 if unknown; pc is the
 * site's address there. False: not understood.
 */
bool usdt_operand(const char *text, size_t len, uint64_t pc, uint64_t (*symbol)(const char *name, void *arg), void *arg,
		  struct df_usdt_arg *ret);

#endif
