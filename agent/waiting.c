// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/waiting.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/running.h"
#include "kdump/files.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

#define SUFFIX ".waiting"

static json_t *part_json(const struct part *p)
{
	json_t *events = json_array();

	for (uint32_t i = 0; i < p->nwaits; i++)
		json_array_append_new(events, json_pack("{s:s, s:s}", "event", p->wait_events[i], "probe", p->waits[i].probe));
	return json_pack("{s:s, s:o, s:s*}", "set", p->name, "events", events, "problem", p->problem);
}

int waiting_write(const struct parts *ps, char *path, size_t size, struct err *err)
{
	json_t *sets = json_array(), *j;
	_cleanup_free_ char *text = NULL;
	int e = 0;

	for (uint32_t i = 0; i < ps->n; i++) {
		if (!ps->items[i].is_armed)
			json_array_append_new(sets, part_json(&ps->items[i]));
	}
	if (!json_array_size(sets)) {
		json_decref(sets);
		if (path[0])
			unlink(path);
		path[0] = '\0';
		return 0;
	}
	mkdir("/run/deadfall", 0755);
	mkdir(SETS_DIR, 0755);
	snprintf(path, size, SETS_DIR "/%d" SUFFIX, (int)getpid());
	j = json_pack("{s:i, s:i, s:o}", "pid", (int)getpid(), "map", (int)ps->watch.map_id, "sets", sets);
	text = json_dumps(j, JSON_COMPACT);
	e = text ? file_replace(path, text, strlen(text), 0600, err) : err_nomem(err);
	json_decref(j);
	return e;
}

static void read_set(struct arena *a, const json_t *j, struct waiting *w)
{
	const json_t *events = json_object_get(j, "events");

	w->set = arena_strdup(a, json_string_value(json_object_get(j, "set")) ?: "");
	if (json_object_get(j, "problem"))
		w->problem = arena_strdup(a, json_string_value(json_object_get(j, "problem")) ?: "");
	w->nevents = (uint32_t)json_array_size(events);
	w->events = arena_array(a, w->nevents + 1, sizeof(*w->events));
	for (uint32_t i = 0; i < w->nevents; i++) {
		const json_t *e = json_array_get(events, i);

		w->events[i].event = arena_strdup(a, json_string_value(json_object_get(e, "event")) ?: "");
		w->events[i].probe = arena_strdup(a, json_string_value(json_object_get(e, "probe")) ?: "");
	}
}

/* The agent of the file is gone: so is the map that it held. */
static bool is_left_over(uint32_t map_id)
{
	int fd = map_id ? bpf_map_get_fd_by_id(map_id) : -1;

	if (fd >= 0)
		close(fd);
	return map_id && fd < 0 && errno == ENOENT;
}

struct found {
	struct arena *a;
	struct waiting *sets;
	uint32_t n;
};

static void add_waiting(const char *path, void *arg)
{
	struct found *f = arg;
	json_t *j = json_load_file(path, 0, NULL), *sets = json_object_get(j, "sets");
	uint32_t map_id = (uint32_t)json_integer_value(json_object_get(j, "map"));
	bool gone = j && is_left_over(map_id);

	if (gone)
		unlink(path);
	for (size_t i = 0; i < json_array_size(sets) && !gone; i++) {
		struct waiting w = { .pid = (uint32_t)json_integer_value(json_object_get(j, "pid")), .map_id = map_id };

		snprintf(w.path, sizeof(w.path), "%s", path);
		read_set(f->a, json_array_get(sets, i), &w);
		f->sets = arena_grow(f->a, f->sets, f->n, sizeof(*f->sets));
		f->sets[f->n++] = w;
	}
	json_decref(j);
}

int waiting_read(struct arena *a, struct waiting **ret, uint32_t *n, struct err *err)
{
	struct found f = { .a = a };
	int e = each_set_file(SUFFIX, add_waiting, &f, err);

	*ret = f.sets;
	*n = f.n;
	return e;
}
