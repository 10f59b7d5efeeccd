// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent/attach.h"
#include "agent/datamap.h"
#include "agent/features.h"
#include "agent/late.h"
#include "agent/losses.h"
#include "agent/members.h"
#include "agent/object.h"
#include "agent/percpu.h"
#include "agent/places.h"
#include "agent/subprog.h"
#include "agent/tracing.h"
#include "agent/verlog.h"
#include "kdump/loaded.h"
#include "lib/arena.h"

/* Applies commands; it is run, not attached. */
#define DRAIN "df_drain"
/* Has the allocator keep nodes ready; it is run on each CPU. */
#define NODES_READY "df_nodes_ready"
/* Puts the set to sleep when this process dies ... */
#define GUARDIAN "df_guardian"
/* ... and when a module goes that it has probes in. */
#define MODULE_GONE "df_module_gone"

/* Maps that the other engine has, or this kernel lacks. */
static bool map_unused(const struct loaded *s, const char *name)
{
	if (!strcmp(name, "df_in") && !feature_has(FEATURE_USER_RINGBUF))
		return true;
	if (s->lists)
		return !strcmp(name, "df_keys_ring") || !strcmp(name, "df_ring");
	return !strcmp(name, "df_keys");
}

static uint32_t at_least_1(uint32_t n)
{
	return n ? n : 1;
}

static void size_map(struct bpf_map *m, const struct loaded *s, const struct attach_plan *plan)
{
	const struct set_info *info = s->info;
	const char *name = bpf_map__name(m);
	uint32_t n = 0;

	if (!strcmp(name, "df_keys") || !strcmp(name, "df_keys_ring")) {
		n = DF_KEYS(info->slots);
		if (info->slots > DF_KEYS_PREALLOC)
			bpf_map__set_map_flags(m, BPF_F_NO_PREALLOC);
	} else if (!strcmp(name, "df_slots")) {
		n = info->slots;
	} else if (!strcmp(name, "df_ring")) {
		n = info->nodes;
	} else if (!strcmp(name, "df_stats")) {
		n = info->nevents;
	} else if (!strcmp(name, "df_reach")) {
		n = info->nstates;
	} else if (!strcmp(name, "df_scratch") || !strcmp(name, "df_blank")) {
		n = DF_PROGS + DF_NESTED;
	} else if (!strcmp(name, "df_live") || !strcmp(name, "df_clocks")) {
		n = info->nmachines;
	} else if (!strcmp(name, "df_rules")) {
		n = info->nrules;
	} else if (!strcmp(name, "df_fires")) {
		n = DF_FIRES + info->nrules;
	} else if (!strcmp(name, "df_dispatch")) {
		n = plan->ndispatch;
	} else if (!strcmp(name, "df_places")) {
		n = s->places.n;
	} else if (!strcmp(name, "df_modules")) {
		n = s->nmodules;
	} else if (!strcmp(name, "df_usdt")) {
		n = plan->nsites;
	} else if (!strcmp(name, "df_delay_locks")) {
		n = (uint32_t)libbpf_num_possible_cpus();
	} else if (!strcmp(name, "df_sets") || !strcmp(name, "df_bloom")) {
		n = members_max(info);
	} else {
		return;
	}
	bpf_map__set_max_entries(m, at_least_1(n));
}

static struct bpf_object *open_object(const struct buf *object, const char *name, struct err *err)
{
	/* 4: BPF_LOG_STATS of the kernel's linux/bpf_verifier.h */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .kernel_log_level = verlog_accepted ? 4 : 0);
	struct bpf_object *o = bpf_object__open_mem(object->data, object->len, &opts);
	struct bpf_program *p;

	if (!o) {
		err_sys(err, errno, "open object");
		return NULL;
	}
	bpf_object__for_each_program(p, o)
		bpf_program__set_autoload(p, false);
	return o;
}

static int load_object(struct bpf_object *o, struct err *err)
{
	struct verlog log;
	int e;

	verlog_begin(&log);
	e = bpf_object__load(o);
	verlog_end(&log);
	return e ? verlog_error(&log, -e, err) : 0;
}

/* What this kernel decides: constants in read-only data, which the verifier then knows. */
static int set_late(struct loaded *s, struct bpf_object *o, struct err *err)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, ".rodata.df_late");
	size_t size;

	if (!m || !bpf_map__initial_value(m, &size) || size < s->info->late_words * sizeof(*s->late) ||
	    bpf_map__set_initial_value(m, s->late, size))
		return err_set(err, ERR_CORRUPT, "the object was made by another version of deadfall: compile it again");
	return 0;
}

/* Where the hooks' table of functions is looked into. */
static int set_places(struct loaded *s, struct err *err)
{
	struct bpf_map *m = bpf_object__find_map_by_name(s->hooks, ".rodata.df_places");

	if (!m || bpf_map__set_initial_value(m, &s->places.at, sizeof(s->places.at)))
		return err_set(err, ERR_CORRUPT, "the object was made by another version of deadfall: compile it again");
	return 0;
}

/* struct df_has of bpf/runtime.h */
static int set_features(struct bpf_object *o, const struct set_info *info, struct err *err)
{
	const struct {
		uint32_t crash_kexec, bpf_panic, test_clock, casts;
		uint64_t crash_image;
	} has = { .crash_kexec = feature_has(FEATURE_CRASH_KEXEC),
		  .bpf_panic = feature_has(FEATURE_BPF_PANIC),
		  .test_clock = info->test_clock,
		  .casts = feature_has(FEATURE_CASTS),
		  .crash_image = loaded_symbol() };
	struct bpf_map *m = bpf_object__find_map_by_name(o, ".rodata.df_has");

	if (!m || bpf_map__set_initial_value(m, &has, sizeof(has)))
		return err_set(err, ERR_CORRUPT, "the object was made by another version of deadfall: compile it again");
	return 0;
}

static int load_hooks(struct loaded *s, const struct buf *object, const struct attach_plan *plan, struct err *err)
{
	struct bpf_map *m;

	s->hooks = open_object(object, "deadfall", err);
	if (!s->hooks || set_late(s, s->hooks, err) || set_places(s, err) || set_features(s->hooks, s->info, err))
		return -1;
	bpf_object__for_each_map(m, s->hooks) {
		size_map(m, s, plan);
		/* df_keys holds lists: it belongs to the engines' object */
		if (map_unused(s, bpf_map__name(m)) || !strcmp(bpf_map__name(m), "df_keys"))
			bpf_map__set_autocreate(m, false);
	}
	for (uint32_t h = 0; h < s->info->nhooks; h++) {
		struct bpf_program *p;

		if (!plan->hooks[h].used || !s->info->hooks[h].program)
			continue;
		p = bpf_object__find_program_by_name(s->hooks, s->info->hooks[h].program);
		if (!p)
			return err_set(err, ERR_CORRUPT, "the object lacks the program %s", s->info->hooks[h].program);
		bpf_program__set_autoload(p, true);
		attach_prepare(p, s->info->hooks[h].name);
	}
	return load_object(s->hooks, err) ? err_wrap(err, "load hooks") : 0;
}

/* Use the hooks' maps for all maps of the same name. */
static int share_maps(struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	struct bpf_map *m, *mine;
	char name[64];
	int e;

	bpf_object__for_each_map(m, s->engines) {
		strncpy(name, bpf_map__name(m), sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		size_map(m, s, plan);
		if (map_unused(s, name) || !strncmp(name, ".rodata.df_man", 14)) {
			bpf_map__set_autocreate(m, false);
			continue;
		}
		/* constants are frozen in each object; lists stay here */
		if (!strncmp(name, ".rodata", 7) || !strcmp(name, "df_keys"))
			continue;
		mine = bpf_object__find_map_by_name(s->hooks, name);
		if (!mine || bpf_map__fd(mine) < 0)
			continue;
		e = bpf_map__reuse_fd(m, bpf_map__fd(mine));
		if (e)
			return err_sys(err, -e, "share map %s", name);
	}
	return 0;
}

static int choose_program(struct loaded *s, const char *name, struct err *err)
{
	struct bpf_program *p = bpf_object__find_program_by_name(s->engines, name);

	if (!p)
		return err_set(err, ERR_CORRUPT, "the object was made by another version of deadfall (no program %s): compile "
			       "it again", name);
	bpf_program__set_autoload(p, true);
	return 0;
}

/*
 * An engine for each hook, attached to that hook's copy of df_hit. A hook has none when the verifier knows that no event
 * of it can be a hit, and has removed the call (`cpu == 7` on a machine of two): then there is nothing to run.
 */
static int choose_engines(struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	char name[32];

	for (uint32_t h = 0; h < s->info->nhooks; h++) {
		struct bpf_program *hook, *p;

		if (!plan->hooks[h].used || !s->info->hooks[h].program)
			continue;
		snprintf(name, sizeof(name), "%s%u", s->lists ? "df_list" : "df_ring", h);
		p = bpf_object__find_program_by_name(s->engines, name);
		hook = bpf_object__find_program_by_name(s->hooks, s->info->hooks[h].program);
		if (!p || !hook)
			return err_set(err, ERR_CORRUPT, "the object lacks the program %s", name);
		if (!prog_has_function(bpf_program__fd(hook), "df_hit")) {
			s->idle_hooks |= h < 64 ? 1ULL << h : 0;
			continue;
		}
		bpf_program__set_autoload(p, true);
		bpf_program__set_attach_target(p, bpf_program__fd(hook), "df_hit");
	}
	if (choose_program(s, GUARDIAN, err) || (s->nmodules && choose_program(s, MODULE_GONE, err)))
		return -1;
	if (s->lists && choose_program(s, NODES_READY, err))
		return -1;
	return feature_has(FEATURE_USER_RINGBUF) ? choose_program(s, DRAIN, err) : 0;
}

/* Tracing programs call the engine themselves: they live where the lists are. */
static int choose_tracing(struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->nprogs; i++) {
		const char *name = s->info->bodies[plan->progs[i].body].program;
		struct bpf_program *p = bpf_object__find_program_by_name(s->engines, name);

		if (!p)
			return err_set(err, ERR_CORRUPT, "the object lacks the program %s", name);
		bpf_program__set_autoload(p, true);
	}
	return 0;
}

static int load_engines(struct arena *a, struct loaded *s, struct buf *object, const struct attach_plan *plan,
			struct err *err)
{
	struct tracing *t;
	int ret = -1;

	if (!s->lists && object_swap_functions(object, "df_direct", "df_direct_ring", err))
		return -1;
	if (!tracing_begin(a, s, plan, &t, err)) {
		s->engines = open_object(object, "deadfall", err);
		if (s->engines && !set_late(s, s->engines, err) && !share_maps(s, plan, err) &&
		    !set_features(s->engines, s->info, err) &&
		    !choose_engines(s, plan, err) && !choose_tracing(s, plan, err))
			ret = load_object(s->engines, err) ? err_wrap(err, "load engines") : tracing_loaded(t);
	}
	tracing_end(t);
	return ret;
}

int set_map_fd(const struct loaded *s, const char *name)
{
	struct bpf_map *m = bpf_object__find_map_by_name(s->hooks, name);

	if ((!m || bpf_map__fd(m) < 0) && s->engines)
		m = bpf_object__find_map_by_name(s->engines, name);
	return m ? bpf_map__fd(m) : -1;
}

/* Of a program of the engines'; negative if it is not loaded. */
static int program_fd(const struct loaded *s, const char *name)
{
	struct bpf_program *p = bpf_object__find_program_by_name(s->engines, name);

	return p ? bpf_program__fd(p) : -1;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int setup_ctl(struct loaded *s, struct err *err)
{
	int fd = set_map_fd(s, ".data.df_ctl");
	void *p = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return err_sys(err, errno, "map control page");
	s->ctl = p;
	set_freeze(s, DF_FROZEN_PARTIAL);
	s->ctl->tgid = (uint32_t)getpid();
	s->ctl->nodes_left = s->info->nodes_left;
	s->ctl->started_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC);
	s->ctl->wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	strncpy(s->ctl->set, s->info->name, sizeof(s->ctl->set) - 1);
	return 0;
}

int set_param(struct loaded *s, uint32_t index, uint64_t value, struct err *err)
{
	size_t len;
	uint64_t *params = datamap_open(set_map_fd(s, ".data.df_params"), &len);

	if (!params || index >= len / sizeof(*params))
		return err_sys(err, errno, "map the parameters");
	__atomic_store_n(&params[index], value, __ATOMIC_SEQ_CST);
	datamap_close(params, len);
	return 0;
}

uint32_t set_drain_id(const struct loaded *s)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = program_fd(s, DRAIN);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

int set_rule_act(struct loaded *s, uint32_t rule, enum df_act act, uint64_t not_before, struct err *err)
{
	const struct info_rule *info = &s->info->rules[rule];
	struct df_rule r = { .act = act,
			     .not_before = not_before,
			     .cooldown_ns = info->cooldown_ns,
			     .every = info->every,
			     .on_loss = info->on_loss,
			     .signal = info->signal,
			     .stop = info->stop,
			     .first_flag = info->first_flag,
			     .nflags = info->nflags,
			     .needs_dump = info->needs_dump,
			     .tells = info->tells };

	snprintf(r.name, sizeof(r.name), "%s", info->name);
	if (bpf_map_update_elem(set_map_fd(s, "df_rules"), &rule, &r, 0))
		return err_sys(err, errno, "set rule %s", s->info->rules[rule].name);
	return 0;
}

/* df_index: where a reader of a dump begins. */
static int write_index(struct loaded *s, struct err *err)
{
	uint32_t ids[DF_INDEX_SIZE] = { DF_INDEX_MAGIC }, n = 0;
	struct bpf_object *const objects[] = { s->hooks, s->engines };
	int fd = set_map_fd(s, "df_index");
	struct bpf_map *m;

	for (int o = 0; o < 2; o++) {
		bpf_object__for_each_map(m, objects[o]) {
			struct bpf_map_info info = { 0 };
			uint32_t len = sizeof(info), i;

			if (bpf_map__fd(m) < 0 || bpf_obj_get_info_by_fd(bpf_map__fd(m), &info, &len))
				continue;
			for (i = 0; i < n && ids[i + 2] != info.id; i++)
				;
			if (i == n && n + 2 < DF_INDEX_SIZE)
				ids[2 + n++] = info.id;
		}
	}
	ids[1] = n;
	for (uint32_t i = 0; i < n + 2; i++) {
		if (bpf_map_update_elem(fd, &i, &ids[i], 0))
			return err_sys(err, errno, "write map index");
	}
	return 0;
}

static int setup_maps(struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	int dispatch = set_map_fd(s, "df_dispatch"), usdt = set_map_fd(s, "df_usdt");

	for (uint32_t i = 0; i < plan->ndispatch; i++) {
		if (bpf_map_update_elem(dispatch, &i, &plan->dispatch[i], 0))
			return err_sys(err, errno, "write dispatch table");
	}
	for (uint32_t i = 0; i < plan->nsites; i++) {
		if (bpf_map_update_elem(usdt, &i, &plan->sites[i].site, 0))
			return err_sys(err, errno, "write USDT sites");
	}
	for (uint32_t i = 0; i < s->info->nrules; i++) {
		const struct info_rule *r = &s->info->rules[i];

		uint64_t not_before = s->ctl->started_ns + r->after_ns;

		if (not_before < r->after_ns)
			not_before = UINT64_MAX;
		if (set_rule_act(s, i, r->panics ? DF_ACT_PANIC : DF_ACT_LOG, not_before, err))
			return -1;
	}
	for (uint32_t i = 0; i < s->nmodules; i++) {
		char name[DF_MODULE_NAME] = "";

		strncpy(name, s->modules[i].name, sizeof(name) - 1);
		if (bpf_map_update_elem(set_map_fd(s, "df_modules"), &i, name, 0))
			return err_sys(err, errno, "write the modules' names");
	}
	if (places_write(&s->places, set_map_fd(s, "df_places"), err))
		return -1;
	return write_index(s, err);
}

/* Modules that may go while the set is there. */
static int find_modules(struct arena *a, struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	uint32_t n = probed_modules(a, s->info, plan, &s->modules);

	for (uint32_t i = 0; i < n; i++) {
		if (!s->modules[i].held)
			s->modules[s->nmodules++] = s->modules[i];
	}
	if (s->nmodules > DF_MODULES)
		return err_set(err, ERR_UNSUPPORTED, "the set has probes in %u modules that could be unloaded meanwhile, %d are possible: "
			       "load the rules in several sets", s->nmodules, DF_MODULES);
	return 0;
}

int set_load(struct arena *a, struct set_info *info, struct buf *object, const struct attach_plan *plan,
	     struct loaded *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (features_suffice(err))
		return -1;
	ret->info = info;
	ret->lists = feature_has(FEATURE_LISTS) && !info->test_arrays;
	if (members_read(a, info, err) || late_resolve(a, info, &ret->late, err) || find_modules(a, ret, plan, err))
		return -1;
	if (feature_has(FEATURE_KPROBE_MULTI))
		ret->places = places_make(a, info, plan);
	if (load_hooks(ret, object, plan, err) || load_engines(a, ret, object, plan, err))
		return -1;
	if (setup_ctl(ret, err))
		return -1;
	if (ret->lists && run_on_each_cpu(program_fd(ret, NODES_READY), err))
		return -1;
	if (members_fill(info, set_map_fd(ret, "df_sets"), set_map_fd(ret, "df_bloom"), err))
		return -1;
	return setup_maps(ret, plan, err);
}

static int attach_program(struct arena *a, struct loaded *s, const char *name, struct err *err)
{
	struct bpf_program *p = bpf_object__find_program_by_name(s->engines, name);
	struct bpf_link *link = p ? bpf_program__attach(p) : NULL;

	if (!link)
		return err_sys(err, errno, "attach %s", name);
	keep_link(a, s, link);
	return 0;
}

/* First of all: they put the set to sleep when it must not go on. */
static int attach_guardians(struct arena *a, struct loaded *s, struct err *err)
{
	if (attach_program(a, s, GUARDIAN, err))
		return -1;
	return s->nmodules ? attach_program(a, s, MODULE_GONE, err) : 0;
}

/* Engines first: a hook that runs before its engine is attached does nothing. */
static int attach_engines(struct arena *a, struct loaded *s, struct err *err)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, s->engines) {
		struct bpf_link *link;

		/* tracing programs are attached with their hooks */
		if (!bpf_program__autoload(p) || strcmp(bpf_program__section_name(p), DF_SEC_ENGINE) != 0)
			continue;
		link = bpf_program__attach(p);
		if (!link)
			return err_sys(err, errno, "attach engine %s", bpf_program__name(p));
		keep_link(a, s, link);
	}
	return 0;
}

int set_attach(struct arena *a, struct loaded *s, const struct attach_plan *plan, struct err *err)
{
	if (attach_guardians(a, s, err) || attach_engines(a, s, err))
		return -1;
	for (uint32_t h = 0; h < s->info->nhooks; h++) {
		if (plan->hooks[h].used && attach_hook(a, s, h, plan, err))
			return -1;
	}
	if (losses_forget(s, err))
		return -1;
	set_freeze(s, DF_FROZEN_NOT);
	return 0;
}

void set_freeze(struct loaded *s, enum df_frozen why)
{
	__atomic_store_n(&s->ctl->frozen, why, __ATOMIC_SEQ_CST);
}

void set_arm(struct loaded *s, enum df_act act)
{
	__atomic_store_n(&s->ctl->armed, act, __ATOMIC_SEQ_CST);
}

void set_detach(struct loaded *s)
{
	if (s->ctl)
		set_freeze(s, DF_FROZEN_PARTIAL);
	for (uint32_t i = s->nlinks; i > 0; i--)
		bpf_link__destroy(s->links[i - 1]);
	for (uint32_t i = 0; i < s->nlink_fds; i++)
		close(s->link_fds[i]);
	s->nlinks = s->nlink_fds = 0;
}

void loaded_destroy(struct loaded *s)
{
	if (s->ctl)
		set_arm(s, DF_ACT_NONE);
	set_detach(s);
	for (uint32_t i = 0; i < s->nprogs; i++) {
		if (s->progs[i].is_copy)
			close(s->progs[i].fd);
	}
	if (s->ctl)
		munmap(s->ctl, (size_t)sysconf(_SC_PAGESIZE));
	bpf_object__close(s->engines);
	bpf_object__close(s->hooks);
	memset(s, 0, sizeof(*s));
}
