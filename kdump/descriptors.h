/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * descriptors.h - page descriptors of a makedumpfile dump, checked before libkdumpfile sees them.
 *
 * libkdumpfile 0.5 reads as many bytes as a descriptor says into memory for one page, and hands what it failed to read
 * of a file that was cut short to the decompressor as a null pointer. makedumpfile never writes a compressed page that
 * is larger than a page; damage does.
 */
#ifndef KDUMP_DESCRIPTORS_H
#define KDUMP_DESCRIPTORS_H

#include "lib/err.h"

/*
 * fd: a dump. If all descriptors are sound, or it is of another format: fd itself. Else a nameless copy ($TMPDIR or
 * /var/tmp) in which pages whose descriptor is damaged read as corrupt, and those beyond the file's end as absent; fd
 * is closed then. -1: no room for that copy (*err); fd stays open.
 */
int descriptors_mend(int fd, struct err *err);

#endif
