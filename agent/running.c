// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/running.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"

static const char *const running_maps[] = { ".data.df_ctl", "df_stats", "df_rules", "df_fires" };

static json_t *map_id_json(const struct loaded *s, const char *name)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = set_map_fd(s, name);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return json_integer(0);
	return json_integer(info.id);
}

int running_write(const struct loaded *s, const char *manifest, const char *armed_text, char *path, size_t size,
		struct err *err)
{
	json_t *j = json_object(), *maps = json_object(), *m = json_loads(manifest, 0, NULL);
	int e;

	mkdir("/run/deadfall", 0755);
	mkdir(STATE_DIR, 0755);
	snprintf(path, size, STATE_DIR "/%d.json", (int)getpid());
	for (size_t i = 0; i < sizeof(running_maps) / sizeof(running_maps[0]); i++)
		json_object_set_new(maps, running_maps[i], map_id_json(s, running_maps[i]));
	json_object_set_new(j, "pid", json_integer(getpid()));
	json_object_set_new(j, "functions", json_integer(s->functions));
	json_object_set_new(j, "armed", json_string(armed_text));
	json_object_set_new(j, "maps", maps);
	json_object_set_new(j, "manifest", m ? m : json_null());
	e = json_dump_file(j, path, JSON_COMPACT);
	json_decref(j);
	return e ? err_sys(err, errno, "%s", path) : 0;
}

static int open_map(const json_t *maps, const char *name)
{
	json_int_t id = json_integer_value(json_object_get(maps, name));

	return id > 0 ? bpf_map_get_fd_by_id((uint32_t)id) : -1;
}

static bool read_one(struct arena *a, const char *path, struct running *r, struct err *err)
{
	json_t *j = json_load_file(path, 0, NULL), *maps = json_object_get(j, "maps");
	char *manifest;
	bool ok;

	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->pid = (uint32_t)json_integer_value(json_object_get(j, "pid"));
	r->functions = (uint32_t)json_integer_value(json_object_get(j, "functions"));
	r->armed_text = arena_strdup(a, json_string_value(json_object_get(j, "armed")) ?: "");
	r->ctl_fd = open_map(maps, running_maps[0]);
	r->stats_fd = open_map(maps, running_maps[1]);
	r->rules_fd = open_map(maps, running_maps[2]);
	r->fires_fd = open_map(maps, running_maps[3]);
	manifest = json_dumps(json_object_get(j, "manifest"), JSON_COMPACT);
	ok = manifest && r->ctl_fd >= 0 && r->stats_fd >= 0 &&
	     !set_info_parse(a, manifest, strlen(manifest), &r->info, err);
	r->manifest = manifest ? arena_strdup(a, manifest) : NULL;
	free(manifest);
	json_decref(j);
	return ok;
}

int running_read(struct arena *a, struct running **ret, uint32_t *n, struct err *err)
{
	DIR *dir = opendir(STATE_DIR);
	struct dirent *d;
	char path[256];

	*ret = NULL;
	*n = 0;
	if (!dir)
		return errno == ENOENT ? 0 : err_sys(err, errno, STATE_DIR);
	while ((d = readdir(dir))) {
		struct running r;

		if (d->d_name[0] == '.' || (size_t)snprintf(path, sizeof(path), STATE_DIR "/%s", d->d_name) >= sizeof(path))
			continue;
		if (!read_one(a, path, &r, err)) {
			running_close(&r, 1);
			unlink(path);
			continue;
		}
		*ret = arena_grow(a, *ret, *n, sizeof(**ret));
		(*ret)[(*n)++] = r;
	}
	closedir(dir);
	return 0;
}

void running_close(struct running *sets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const int fds[] = { sets[i].ctl_fd, sets[i].stats_fd, sets[i].rules_fd, sets[i].fires_fd };

		for (size_t f = 0; f < sizeof(fds) / sizeof(fds[0]); f++) {
			if (fds[f] >= 0)
				close(fds[f]);
		}
	}
}

int running_stats(const struct running *r, uint32_t event, struct df_stats *ret)
{
	int ncpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct df_stats *all = calloc((size_t)(ncpus > 0 ? ncpus : 1), sizeof(*all));

	memset(ret, 0, sizeof(*ret));
	if (ncpus <= 0 || !all || bpf_map_lookup_elem(r->stats_fd, &event, all))
		return -1;
	for (int cpu = 0; cpu < ncpus; cpu++) {
		const uint64_t *from = (const uint64_t *)&all[cpu];
		uint64_t *to = (uint64_t *)ret;

		for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
			to[i] += from[i];
	}
	return 0;
}
