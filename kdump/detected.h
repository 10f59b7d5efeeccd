/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detected.h - which of the things that a lifecycle detects a verdict is about. */
#ifndef KDUMP_DETECTED_H
#define KDUMP_DETECTED_H

#include "kdump/manifest.h"

/*
 * event completed the match with sequence number seq; step are the numbers that the verdict remembers: of the alloc, of the
 * free (0: none). NULL: the rule is no lifecycle, or the manifest is of a version that does not say.
 */
const struct mf_fault *detected(const struct mf_rule *rule, uint64_t event, uint64_t seq, const uint64_t step[2]);

#endif
