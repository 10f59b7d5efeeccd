/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deny.h - functions that must not be probed: a trap on what the trap itself runs on hangs the machine.
 */
#ifndef RULES_DENY_H
#define RULES_DENY_H

/* Why a function must not be probed, in a few words; NULL: it may be. */
const char *deny_reason(const char *function);

#endif
