/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * panics.h - how often a rule has crashed this machine, so that it does not do so for ever.
 *
 * A rule that fires at every boot makes a crash loop: arm, crash, reboot, arm. The ledger in
 * /var/lib/deadfall/panics.json breaks it. The agent notes every arming before it arms, and takes the note
 * back when it disarms. A note that is still there in a later boot tells of a boot that ended with the rule
 * armed. Then the dumps are asked:
 *
 *	a dump of this rule, newer than the note	it panicked, then
 *	a dump of another rule or of none		it did not; the note is dropped
 *	a dump that does not know its rule		it may have: counted
 *	no dump at all					it may have panicked and not even the capture worked, or the
 *							power was cut: counted, and said so
 *
 * So a crash whose capture fails counts, too, and a dump that was deleted still counts.
 *
 * All functions lock the ledger: several agents may use it at once.
 */
#ifndef KDUMP_PANICS_H
#define KDUMP_PANICS_H

#include "lib/err.h"

#include <stdbool.h>

#define PANICS_PATH "/var/lib/deadfall/panics.json"
/* A crash so soon after boot is taken for a loop: the rule does not arm by itself again. */
#define PANICS_EARLY_SECONDS 600

struct panics_verdict {
	bool allowed;
	unsigned int count;	/* panics of the rule within the window */
	char why[400];		/* if not allowed: the reason and what to do, one sentence */
};

/*
 * May `rule` be armed with panic, if at most `max` panics are allowed in `window` seconds (max 0: never)?
 * `automatic`: nobody asked for it just now (a service at boot). Then a rule whose last panic came within
 * PANICS_EARLY_SECONDS of its boot is refused as well; one without a dump did, unless panics_late() was called.
 */
int panics_check(const char *rule, unsigned int max, long long window, bool automatic, struct panics_verdict *ret,
		 struct err *err);

/* Note that `rule` is about to be armed with panic. Durable when it returns: call it before arming. */
int panics_armed(const char *rule, struct err *err);

/* The rule is armed and PANICS_EARLY_SECONDS of this boot are over: a panic of it from now on is not an early one. */
int panics_late(const char *rule, struct err *err);

/* Take the note back, after the rule was disarmed. */
int panics_disarmed(const char *rule, struct err *err);

/* Forget the panics and notes of a rule (NULL: of all), because the user says so. */
int panics_forget(const char *rule, struct err *err);

/* The same with all that they look at given, for tests. */
struct panics_world {
	const char *path;	/* of the ledger */
	const char *dumps;	/* where the dumps are (dumps_scan_all) */
	const char *boot_id;
	long long now;		/* seconds since 1970 */
	long long booted;	/* when this boot began */
};

int panics_check_in(const struct panics_world *w, const char *rule, unsigned int max, long long window,
		    bool automatic, struct panics_verdict *ret, struct err *err);
int panics_armed_in(const struct panics_world *w, const char *rule, struct err *err);
int panics_late_in(const struct panics_world *w, const char *rule, struct err *err);
int panics_disarmed_in(const struct panics_world *w, const char *rule, struct err *err);
int panics_forget_in(const struct panics_world *w, const char *rule, struct err *err);

#endif
