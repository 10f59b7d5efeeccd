// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/running.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/files.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

/* What the file names by id, and where struct running keeps its descriptor. */
static const struct {
	const char *name;
	size_t fd;
} running_maps[] = {
	{ ".data.df_ctl", offsetof(struct running, ctl_fd) },
	{ "df_stats", offsetof(struct running, stats_fd) },
	{ "df_rules", offsetof(struct running, rules_fd) },
	{ "df_fires", offsetof(struct running, fires_fd) },
	{ "df_reach", offsetof(struct running, reach_fd) },
	{ ".data.df_params", offsetof(struct running, params_fd) },
	{ ".data.df_losses", offsetof(struct running, losses_fd) },
	{ "df_sets", offsetof(struct running, sets_fd) },
	{ "df_bloom", offsetof(struct running, bloom_fd) },
	{ "df_in", offsetof(struct running, in_fd) },
};

static int *map_fd(struct running *r, size_t i)
{
	return (int *)((char *)r + running_maps[i].fd);
}

static json_t *map_id_json(const struct loaded *s, const char *name)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = set_map_fd(s, name);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return json_integer(0);
	return json_integer(info.id);
}

static json_t *modules_json(struct arena *a, const struct set_info *info, const struct attach_plan *plan)
{
	json_t *modules = json_object();
	struct probed_module *items;
	uint32_t n = probed_modules(a, info, plan, &items);

	for (uint32_t i = 0; i < n; i++)
		json_object_set_new(modules, items[i].name, json_boolean(items[i].held));
	return modules;
}

int running_write(struct arena *a, const struct loaded *s, const struct attach_plan *plan, const char *manifest, const char *armed_text,
		  bool dry_run, uint32_t number, char *path, size_t size, struct err *err)
{
	json_t *j = json_object(), *maps = json_object(), *m = json_loads(manifest, 0, NULL);
	_cleanup_free_ char *text = NULL;
	int e;

	mkdir("/run/deadfall", 0755);
	mkdir(SETS_DIR, 0755);
	if (number)
		snprintf(path, size, SETS_DIR "/%d-%u.json", (int)getpid(), number);
	else
		snprintf(path, size, SETS_DIR "/%d.json", (int)getpid());
	for (size_t i = 0; i < sizeof(running_maps) / sizeof(running_maps[0]); i++)
		json_object_set_new(maps, running_maps[i].name, map_id_json(s, running_maps[i].name));
	json_object_set_new(j, "pid", json_integer(getpid()));
	json_object_set_new(j, "functions", json_integer(s->functions));
	json_object_set_new(j, "memory", json_integer((json_int_t)s->info->memory));
	json_object_set_new(j, "modules", modules_json(a, s->info, plan));
	json_object_set_new(j, "armed", json_string(armed_text));
	json_object_set_new(j, "dry_run", json_boolean(dry_run));
	json_object_set_new(j, "maps", maps);
	json_object_set_new(j, "drain", json_integer(set_drain_id(s)));
	json_object_set_new(j, "manifest", m ? m : json_null());
	/* in one piece: a reader takes half a file for one that is left over */
	text = json_dumps(j, JSON_COMPACT);
	e = text ? file_replace(path, text, strlen(text), 0600, err) : err_nomem(err);
	json_decref(j);
	return e;
}

static int open_map(const json_t *maps, const char *name)
{
	json_int_t id = json_integer_value(json_object_get(maps, name));

	return id > 0 ? bpf_map_get_fd_by_id((uint32_t)id) : -1;
}

static void read_modules(struct arena *a, json_t *j, struct running *r)
{
	const char *name;
	json_t *held;

	r->modules = arena_array(a, json_object_size(j) + 1, sizeof(*r->modules));
	json_object_foreach(j, name, held)
		r->modules[r->nmodules++] = (struct probed_module){ arena_strdup(a, name), json_is_true(held) };
}

static bool read_one(struct arena *a, const char *path, struct running *r, struct err *err)
{
	json_t *j = json_load_file(path, 0, NULL), *maps = json_object_get(j, "maps");
	json_int_t drain;
	char *manifest;
	bool ok;

	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->pid = (uint32_t)json_integer_value(json_object_get(j, "pid"));
	r->functions = (uint32_t)json_integer_value(json_object_get(j, "functions"));
	r->memory = (uint64_t)json_integer_value(json_object_get(j, "memory"));
	read_modules(a, json_object_get(j, "modules"), r);
	r->armed_text = arena_strdup(a, json_string_value(json_object_get(j, "armed")) ?: "");
	r->dry_run = json_is_true(json_object_get(j, "dry_run"));
	r->ctl_id = (uint32_t)json_integer_value(json_object_get(maps, ".data.df_ctl"));
	for (size_t i = 0; i < sizeof(running_maps) / sizeof(running_maps[0]); i++)
		*map_fd(r, i) = open_map(maps, running_maps[i].name);
	drain = json_integer_value(json_object_get(j, "drain"));
	r->drain_fd = drain > 0 ? bpf_prog_get_fd_by_id((uint32_t)drain) : -1;
	manifest = json_dumps(json_object_get(j, "manifest"), JSON_COMPACT);
	ok = manifest && r->ctl_fd >= 0 && r->stats_fd >= 0 &&
	     !set_info_parse(a, manifest, strlen(manifest), &r->info, err);
	r->manifest = manifest ? arena_strdup(a, manifest) : NULL;
	free(manifest);
	json_decref(j);
	return ok;
}

/* The set is gone, its agent was killed; of a file that cannot be read for another reason nothing is known. */
static bool is_left_over(const struct running *r)
{
	return r->ctl_fd < 0 && r->ctl_id && bpf_map_get_fd_by_id(r->ctl_id) < 0 && errno == ENOENT;
}

int each_set_file(const char *suffix, void (*fn)(const char *path, void *arg), void *arg, struct err *err)
{
	DIR *dir = opendir(SETS_DIR);
	struct dirent *d;
	char path[256];

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(err, errno, SETS_DIR);
	while ((d = readdir(dir))) {
		size_t len = strlen(d->d_name), end = strlen(suffix);

		if (len > end && !strcmp(d->d_name + len - end, suffix) &&
		    (size_t)snprintf(path, sizeof(path), SETS_DIR "/%s", d->d_name) < sizeof(path))
			fn(path, arg);
	}
	closedir(dir);
	return 0;
}

struct found {
	struct arena *a;
	struct running *sets;
	uint32_t n;
};

static void add_running(const char *path, void *arg)
{
	struct found *f = arg;
	struct running r;
	struct err err;

	if (!read_one(f->a, path, &r, &err)) {
		if (is_left_over(&r))
			unlink(path);
		running_close(&r, 1);
		return;
	}
	f->sets = arena_grow(f->a, f->sets, f->n, sizeof(*f->sets));
	f->sets[f->n++] = r;
}

int running_read(struct arena *a, struct running **ret, uint32_t *n, struct err *err)
{
	struct found f = { .a = a };
	int e = each_set_file(".json", add_running, &f, err);

	*ret = f.sets;
	*n = f.n;
	return e;
}

void running_close(struct running *sets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (size_t m = 0; m < sizeof(running_maps) / sizeof(running_maps[0]); m++) {
			if (*map_fd(&sets[i], m) >= 0)
				close(*map_fd(&sets[i], m));
		}
		if (sets[i].drain_fd >= 0)
			close(sets[i].drain_fd);
	}
}

static bool is_meant(const struct set_name *s, const char *name)
{
	size_t len = strlen(s->set);
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", s->pid);
	if (!strcmp(name, s->set) || !strcmp(name, pid))
		return true;
	return !strncmp(name, s->set, len) && name[len] == '@' && !strcmp(name + len + 1, pid);
}

/* "a (12), b (13)", or as NAME@PID those that are meant */
static const char *names_text(const struct set_name *all, uint32_t n, const char *meant, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (uint32_t i = 0; i < n && len < size; i++) {
		if (!meant || is_meant(&all[i], meant))
			len += (size_t)snprintf(out + len, size - len, meant ? "%s%s@%u" : "%s%s (%u)", len ? ", " : "",
						all[i].set, all[i].pid);
	}
	return out;
}

int set_by_name(const struct set_name *all, uint32_t n, const char *name, bool by_agent, struct err *err)
{
	char text[400];
	int found = -1;
	bool several = false;

	for (uint32_t i = 0; i < n; i++) {
		if (name && !is_meant(&all[i], name))
			continue;
		several |= found >= 0 && !(by_agent && all[i].pid == all[found].pid);
		found = found < 0 ? (int)i : found;
	}
	if (found >= 0 && !several)
		return found;
	if (!n)
		return err_set(err, ERR_ENVIRONMENT, "no set is loaded");
	if (found < 0)
		return err_set(err, ERR_ENVIRONMENT, "no set '%s' is loaded; there are: %s", name,
			       names_text(all, n, NULL, text, sizeof(text)));
	if (name)
		return err_set(err, ERR_ENVIRONMENT, "which '%s'? There are: %s", name,
			       names_text(all, n, name, text, sizeof(text)));
	return err_set(err, ERR_ENVIRONMENT, "which one? Name a set or its process id: %s",
		       names_text(all, n, NULL, text, sizeof(text)));
}

struct running *running_find(struct running *sets, uint32_t n, const char *name, struct err *err)
{
	_cleanup_free_ struct set_name *names = calloc(n + 1, sizeof(*names));
	int i;

	if (!names) {
		err_nomem(err);
		return NULL;
	}
	for (uint32_t k = 0; k < n; k++)
		names[k] = (struct set_name){ sets[k].info.name, sets[k].pid };
	i = set_by_name(names, n, name, false, err);
	return i < 0 ? NULL : &sets[i];
}

int stats_read(int fd, uint32_t event, struct df_stats *ret)
{
	int ncpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct df_stats *all = calloc((size_t)(ncpus > 0 ? ncpus : 1), sizeof(*all));

	memset(ret, 0, sizeof(*ret));
	if (ncpus <= 0 || !all || bpf_map_lookup_elem(fd, &event, all))
		return -1;
	for (int cpu = 0; cpu < ncpus; cpu++) {
		const uint64_t *from = (const uint64_t *)&all[cpu];
		uint64_t *to = (uint64_t *)ret;

		for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
			to[i] += from[i];
	}
	return 0;
}
