// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * panics.c - see panics.h. The ledger:
 *
 *	{"format": 1,
 *	 "armed": [{"rule": R, "boot_id": B, "booted": T, "time": T, "late": BOOL, "dumps": DIR}],
 *	 "panics": [{"rule": R, "time": T, "booted": T, "early": BOOL, "dump": NAME or null}]}
 *
 * late: the rule was still armed when the first minutes of its boot were over. So of a panic without a dump, whose time
 * nobody knows, it is known whether it came early.
 */
#include "kdump/panics.h"

#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/state.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* Panics older than any sensible window are dropped. */
#define KEEP_SECONDS (90LL * 24 * 3600)

struct ledger {
	int lock;
	json_t *root, *armed, *panics;
};

static void ledger_close(struct ledger *l)
{
	json_decref(l->root);
	if (l->lock >= 0)
		close(l->lock);
}

#define _cleanup_ledger_ _cleanup_(ledger_close)

static json_t *array_of(json_t *root, const char *key)
{
	json_t *a = json_object_get(root, key);

	if (!json_is_array(a)) {
		a = json_array();
		json_object_set_new(root, key, a);
	}
	return a;
}

static int ledger_open(const struct panics_world *w, struct ledger *l, struct err *err)
{
	char path[PATH_MAX], *slash;
	json_error_t je;

	snprintf(path, sizeof(path), "%s", w->path);
	slash = strrchr(path, '/');
	if (slash && slash > path) {
		*slash = 0;
		if (make_dirs(path, 0700, err))
			return -1;
	}
	/* The file itself is replaced by rename, so the lock is another one. */
	snprintf(path, sizeof(path), "%s.lock", w->path);
	l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->lock < 0 || flock(l->lock, LOCK_EX) < 0)
		return err_sys(err, errno, "%s", path);
	l->root = json_load_file(w->path, 0, &je);
	if (!l->root && access(w->path, F_OK) == 0)
		return err_set(err, ERR_ENVIRONMENT, "%s is damaged (line %d: %s); delete it to start counting anew", w->path,
			       je.line, je.text);
	if (!l->root)
		l->root = json_pack("{si}", "format", 1);
	if (!l->root)
		return err_nomem(err);
	l->armed = array_of(l->root, "armed");
	l->panics = array_of(l->root, "panics");
	return 0;
}

static int ledger_save(const struct panics_world *w, const struct ledger *l, struct err *err)
{
	_cleanup_free_ char *text = json_dumps(l->root, JSON_INDENT(1));

	return text ? file_replace(w->path, text, strlen(text), 0600, err) : err_nomem(err);
}

static const char *string_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static long long number_of(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static void add_panic(struct ledger *l, const char *rule, long long when, long long booted, bool early, const char *dump)
{
	json_array_append_new(l->panics, json_pack("{ss sI sI sb ss?}", "rule", rule, "time", (json_int_t)when, "booted",
						   (json_int_t)booted, "early", early, "dump", dump));
}

/* What became of an arming of an earlier boot. */
static void settle_note(const struct panics_world *w, struct ledger *l, const json_t *note)
{
	const char *dir = *string_of(note, "dumps") ? string_of(note, "dumps") : w->dumps;
	long long armed = number_of(note, "time"), booted = number_of(note, "booted");
	const struct dump *last = NULL;
	struct dump_list list = { 0 };

	/* The first dump after the arming is the one that ended that boot. */
	if (!dumps_scan_all(dir, &list, NULL)) {
		for (size_t i = 0; i < list.count && !last; i++) {
			if (list.dumps[i].time >= armed - 1)
				last = &list.dumps[i];
		}
	}
	if (!last)
		add_panic(l, string_of(note, "rule"), w->booted, booted, !json_is_true(json_object_get(note, "late")), NULL);
	else if (last->rule_unknown || !strcmp(last->rule, string_of(note, "rule")))
		add_panic(l, string_of(note, "rule"), last->time, booted, last->time - booted < PANICS_EARLY_SECONDS, last->name);
	dumps_free(&list);
}

static void settle(const struct panics_world *w, struct ledger *l)
{
	for (size_t i = 0; i < json_array_size(l->armed);) {
		json_t *note = json_array_get(l->armed, i);

		if (!strcmp(string_of(note, "boot_id"), w->boot_id)) {
			i++;
			continue;
		}
		settle_note(w, l, note);
		json_array_remove(l->armed, i);
	}
	for (size_t i = 0; i < json_array_size(l->panics);) {
		if (number_of(json_array_get(l->panics, i), "time") < w->now - KEEP_SECONDS)
			json_array_remove(l->panics, i);
		else
			i++;
	}
}

static void format_time(long long when, char *out, size_t size)
{
	time_t t = (time_t)when;
	struct tm tm;

	strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
}

static void judge(const struct ledger *l, const struct panics_world *w, const char *rule, unsigned int max,
		  long long window, bool automatic, struct panics_verdict *v)
{
	const json_t *last = NULL;
	const char *guess;
	json_t *panic;
	char when[40], after[40];
	size_t i;

	*v = (struct panics_verdict){ .allowed = true };
	json_array_foreach(l->panics, i, panic) {
		if (strcmp(string_of(panic, "rule"), rule))
			continue;
		if (!last || number_of(panic, "time") >= number_of(last, "time"))
			last = panic;
		if (number_of(panic, "time") > w->now - window)
			v->count++;
	}
	guess = last && !*string_of(last, "dump") ? " (the boot ended while it was armed, and no dump tells why)" : "";
	if (last)
		format_time(number_of(last, "time"), when, sizeof(when));
	if (v->count >= max) {
		v->allowed = false;
		snprintf(v->why, sizeof(v->why), "%u panic%s in %lld h, the last at %s%s; max_panics allows %u. "
			 "'deadfall kdump forget %s' counts anew", v->count, v->count == 1 ? "" : "s", window / 3600,
			 last ? when : "-", guess, max, rule);
	} else if (automatic && last && json_is_true(json_object_get(last, "early"))) {
		v->allowed = false;
		if (*guess)
			snprintf(after, sizeof(after), "within %d minutes of boot", PANICS_EARLY_SECONDS / 60);
		else
			snprintf(after, sizeof(after), "%lld s after boot", number_of(last, "time") - number_of(last, "booted"));
		snprintf(v->why, sizeof(v->why), "its last panic, at %s%s, came %s: it does not arm by itself again; 'deadfall run' by hand "
			 "does", when, guess, after);
	}
}

int panics_check_in(const struct panics_world *w, const char *rule, unsigned int max, long long window, bool automatic,
		    struct panics_verdict *ret, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { .lock = -1 };

	if (ledger_open(w, &l, err))
		return -1;
	settle(w, &l);
	if (ledger_save(w, &l, err))
		return -1;
	judge(&l, w, rule, max, window, automatic, ret);
	return 0;
}

static void drop(json_t *array, const char *rule, const char *boot_id)
{
	for (size_t i = 0; i < json_array_size(array);) {
		const json_t *j = json_array_get(array, i);

		if ((!rule || !strcmp(string_of(j, "rule"), rule)) && (!boot_id || !strcmp(string_of(j, "boot_id"), boot_id)))
			json_array_remove(array, i);
		else
			i++;
	}
}

int panics_armed_in(const struct panics_world *w, const char *rule, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { .lock = -1 };

	if (ledger_open(w, &l, err))
		return -1;
	settle(w, &l);
	drop(l.armed, rule, w->boot_id);
	json_array_append_new(l.armed, json_pack("{ss ss sI sI sb ss}", "rule", rule, "boot_id", w->boot_id, "booted",
						 (json_int_t)w->booted, "time", (json_int_t)w->now, "late",
						 w->now - w->booted >= PANICS_EARLY_SECONDS, "dumps", w->dumps));
	return ledger_save(w, &l, err);
}

int panics_late_in(const struct panics_world *w, const char *rule, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { .lock = -1 };
	json_t *note;
	size_t i;

	if (ledger_open(w, &l, err))
		return -1;
	json_array_foreach(l.armed, i, note) {
		if (!strcmp(string_of(note, "rule"), rule) && !strcmp(string_of(note, "boot_id"), w->boot_id))
			json_object_set_new(note, "late", json_true());
	}
	return ledger_save(w, &l, err);
}

int panics_disarmed_in(const struct panics_world *w, const char *rule, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { .lock = -1 };

	if (ledger_open(w, &l, err))
		return -1;
	drop(l.armed, rule, w->boot_id);
	return ledger_save(w, &l, err);
}

int panics_forget_in(const struct panics_world *w, const char *rule, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { .lock = -1 };

	if (ledger_open(w, &l, err))
		return -1;
	settle(w, &l);
	drop(l.panics, rule, NULL);
	return ledger_save(w, &l, err);
}

/* This machine, now. */
struct here {
	struct panics_world world;
	char boot_id[64];
	char places[4200];
};

static void look_around(struct here *h)
{
	struct timespec up;

	file_line("", "/proc/sys/kernel/random/boot_id", h->boot_id, sizeof(h->boot_id));
	clock_gettime(CLOCK_BOOTTIME, &up);
	h->world = (struct panics_world){ .path = PANICS_PATH, .boot_id = h->boot_id, .now = time(NULL) };
	h->world.booted = h->world.now - up.tv_sec;
	state_places_now(h->places, sizeof(h->places));
	h->world.dumps = h->places;
}

int panics_check(const char *rule, unsigned int max, long long window, bool automatic, struct panics_verdict *ret,
		 struct err *err)
{
	struct here h;

	look_around(&h);
	return panics_check_in(&h.world, rule, max, window, automatic, ret, err);
}

int panics_armed(const char *rule, struct err *err)
{
	struct here h;

	look_around(&h);
	return panics_armed_in(&h.world, rule, err);
}

int panics_late(const char *rule, struct err *err)
{
	struct here h;

	look_around(&h);
	return panics_late_in(&h.world, rule, err);
}

int panics_disarmed(const char *rule, struct err *err)
{
	struct here h;

	look_around(&h);
	return panics_disarmed_in(&h.world, rule, err);
}

int panics_forget(const char *rule, struct err *err)
{
	struct here h;

	look_around(&h);
	return panics_forget_in(&h.world, rule, err);
}
