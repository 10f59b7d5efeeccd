// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/losses.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/datamap.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

/*
 * struct bpf_link_info as later kernels have it: the headers of v6.1 lack `missed`. A kernel that lacks it too says so
 * by the length it returns, or leaves it 0.
 */
union link_info {
	struct bpf_link_info info;
	struct {
		uint32_t type, id, prog_id, pad;
		union {
			struct {
				uint64_t addrs;
				uint32_t count, flags;
				uint64_t missed;	/* v6.7 */
			} multi;
			struct {
				uint32_t kind, pad;
				uint64_t func_name;
				uint32_t name_len, offset;
				uint64_t addr;
				uint64_t missed;	/* v6.7 */
			} perf;
		};
	};
	char room[128];
};

static bool link_info(int fd, union link_info *info, uint32_t *len)
{
	memset(info, 0, sizeof(*info));
	*len = sizeof(*info);
	return !bpf_obj_get_info_by_fd(fd, &info->info, len);
}

static int64_t missed_of(const union link_info *info, uint32_t len)
{
	if (info->type == BPF_LINK_TYPE_KPROBE_MULTI && len >= offsetof(union link_info, multi.missed) + 8)
		return (int64_t)info->multi.missed;
	if (info->type == BPF_LINK_TYPE_PERF_EVENT && len >= offsetof(union link_info, perf.missed) + 8)
		return (int64_t)info->perf.missed;
	return -1;
}

int64_t link_missed(int fd)
{
	union link_info info;
	uint32_t len;

	return link_info(fd, &info, &len) ? missed_of(&info, len) : -1;
}

int losses_forget(const struct loaded *s, struct err *err)
{
	_cleanup_free_ struct df_stats *none = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*none));
	size_t len;
	uint32_t *losses = datamap_open(set_map_fd(s, ".data.df_losses"), &len);

	if (losses)
		memset(losses, 0, len);
	datamap_close(losses, len);
	for (uint32_t e = 0; none && e < s->info->nevents; e++) {
		if (bpf_map_update_elem(set_map_fd(s, "df_stats"), &e, none, 0))
			return err_sys(err, errno, "set the counters of events to 0");
	}
	return none ? 0 : err_nomem(err);
}

void losses_begin(struct losses *l, struct arena *a, const struct loaded *s)
{
	l->a = a;
	l->hook = arena_array(a, s->info->nhooks + 1, sizeof(*l->hook));
	l->map = datamap_open(set_map_fd(s, ".data.df_losses"), &l->len);
}

/* What a program missed because it, or another BPF program, ran on that CPU already; *id receives its id. */
static uint64_t fd_missed(int fd, uint32_t *id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	*id = 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	*id = info.id;
	return info.recursion_misses;
}

static uint64_t program_missed(struct bpf_object *o, const char *name, uint32_t *id)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o, name);

	return fd_missed(p ? bpf_program__fd(p) : -1, id);
}

/* Tracing programs are one for each function, and call the engine themselves. */
static uint64_t tracing_missed(const struct loaded *s, uint32_t h)
{
	uint64_t missed = 0;
	uint32_t id;

	for (uint32_t i = 0; i < s->nprogs; i++) {
		if (s->info->bodies[s->progs[i].body].hook == h)
			missed += fd_missed(s->progs[i].fd, &id);
	}
	return missed;
}

static uint64_t links_missed(const struct loaded *s, uint32_t prog_id)
{
	uint64_t missed = 0;

	for (uint32_t i = 0; i < s->nlinks + s->nlink_fds; i++) {
		int fd = i < s->nlinks ? bpf_link__fd(s->links[i]) : s->link_fds[i - s->nlinks];
		union link_info info;
		uint32_t len;

		if (link_info(fd, &info, &len) && info.prog_id == prog_id && missed_of(&info, len) > 0)
			missed += (uint64_t)missed_of(&info, len);
	}
	return missed;
}

static uint64_t hook_missed(const struct loaded *s, uint32_t h)
{
	char engine[32];
	uint64_t missed;
	uint32_t id;

	if (!s->info->hooks[h].program)
		return tracing_missed(s, h);
	snprintf(engine, sizeof(engine), "%s%u", s->lists ? "df_list" : "df_ring", h);
	missed = program_missed(s->engines, engine, &id);
	missed += program_missed(s->hooks, s->info->hooks[h].program, &id);
	return id ? missed + links_missed(s, id) : missed;
}

static bool rule_uses(const struct set_info *info, uint32_t rule, uint32_t hook)
{
	for (uint32_t i = 0; i < info->nbodies; i++) {
		if (info->bodies[i].hook == hook && info->events[info->bodies[i].event].rule == rule)
			return true;
	}
	return false;
}

void losses_update(struct losses *l, struct loaded *s)
{
	size_t room = l->len / sizeof(*l->map);

	for (uint32_t h = 0; h < s->info->nhooks; h++) {
		uint64_t now = hook_missed(s, h), more;

		if (now <= l->hook[h])
			continue;
		more = now - l->hook[h];
		l->hook[h] = now;
		__atomic_fetch_add(&s->ctl->missed, more, __ATOMIC_SEQ_CST);
		for (uint32_t r = 0; l->map && r < s->info->nrules && r < room; r++) {
			if (rule_uses(s->info, r, h))
				__atomic_fetch_add(&l->map[r], (uint32_t)more, __ATOMIC_SEQ_CST);
		}
	}
}

void losses_end(struct losses *l)
{
	datamap_close(l->map, l->len);
	*l = (struct losses){ 0 };
}
