/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usyms.h - symbols of user-space files on the machine that prints the report, recognized by their build-ids.
 */
#ifndef KDUMP_USYMS_H
#define KDUMP_USYMS_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USYMS_ID 20	/* bytes of a build-id, as BPF keeps them */

struct usyms;

/* root: a folder with the files of the machine that crashed, or NULL for this machine's own. Lives in the arena. */
struct usyms *usyms_create(struct arena *a, const char *root);

/*
 * The symbol at an offset of the file with that build-id, as "name+0x12". path: where the crashed machine had the
 * file, or NULL. Looks for ROOT/usr/lib/debug/.build-id/ab/cdef....debug and ROOT/path; a file with another build-id
 * is not used. after_call: the offset is a return address. NULL: no such file here, or no symbol there.
 */
const char *usyms_at(struct usyms *u, const uint8_t id[USYMS_ID], const char *path, uint64_t offset, bool after_call);

#endif
