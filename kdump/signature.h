/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signature.h - a name for a bug, the same on every machine and at every reboot.
 *
 * Made of what does not change from crash to crash: the rule, the event that fired, and the functions on top of its
 * kernel stack, without addresses, offsets and the compiler's suffixes. Where no rule fired, of the kernel's own words:
 * the panic message without its numbers and the function it happened in.
 *
 *	"3f2a90c1d4e5b677 widget-freed-twice/free widget_free < widget_close < __fput"
 *
 * The number is a hash of the text behind it.
 */
#ifndef KDUMP_SIGNATURE_H
#define KDUMP_SIGNATURE_H

#include "kdump/dumps.h"
#include "kdump/report.h"

#include <stddef.h>

#define SIGNATURE_SIZE 512

/* The signature of what a report shows; "" if it shows neither a rule nor words of the kernel. */
void signature_of_report(const struct report *r, char *out, size_t size);

/* That of a dump, from its capsule or else its vmcore; "" if neither can be read. */
void signature_of_dump(const struct dump *d, char *out, size_t size);

#endif
