// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/armed.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/budget.h"
#include "agent/guards.h"
#include "agent/object.h"
#include "agent/params.h"
#include "agent/running.h"
#include "agent/tell.h"
#include "kdump/panics.h"
#include "lib/arena.h"
#include "rules/kbtf.h"

enum df_act armed_act(const struct run_options *o)
{
	if (o->disarmed)
		return DF_ACT_NONE;
	return o->dry_run ? DF_ACT_LOG : DF_ACT_PANIC;
}

const char *armed_word(enum df_act act)
{
	static const char *const words[] = { "disarmed", "armed (dry run: nothing will crash)", "armed" };

	return act < sizeof(words) / sizeof(words[0]) ? words[act] : "armed";
}

static void describe(struct armed *s)
{
	char only_log[32] = "";

	if (s->only_log)
		snprintf(only_log, sizeof(only_log), " (%u only log%s)", s->only_log, s->only_log == 1 ? "s" : "");
	snprintf(s->text, sizeof(s->text), "%s %s: %u rule%s%s, %u function%s%s", armed_word(s->act),
		 s->info.name, s->info.nrules, s->info.nrules == 1 ? "" : "s", only_log, s->loaded.functions,
		 s->loaded.functions == 1 ? "" : "s", s->loaded.lists ? "" : ", history in arrays (no BPF lists here)");
}

/* A parameter of another numbering, by its name and that of its rule; -1: this set has it not. */
static int find_param(const struct set_info *info, const struct set_info *all, const struct info_param *wanted)
{
	for (uint32_t i = 0; i < info->nparams; i++) {
		const struct info_param *p = &info->params[i];

		if (!strcmp(p->name, wanted->name) && !strcmp(info->rules[p->rule].name, all->rules[wanted->rule].name))
			return (int)i;
	}
	return -1;
}

static int set_params(struct armed *s, const struct set_info *all, struct err *err)
{
	uint64_t value;
	uint32_t index;

	for (int i = 0; i < s->opts->nsets; i++) {
		int mine;

		if (param_parse(all, s->opts->sets[i], &index, &value, err))
			return err_wrap(err, "--set");
		mine = find_param(&s->info, all, &all->params[index]);
		if (mine >= 0 && set_param(&s->loaded, (uint32_t)mine, value, err))
			return -1;
	}
	return 0;
}

/* What each rule may do at most. In a dry run no rule may panic, whoever arms the set later, and how. */
static int arm_rules(struct armed *s, struct err *err)
{
	const char *const *why = NULL;

	if (armed_act(s->opts) == DF_ACT_PANIC) {
		s->in_ledger = true;
		if (guards_enter(s->a, &s->info, s->opts->at_boot, &why, err))
			return -1;
	}
	for (uint32_t i = 0; i < s->info.nrules; i++) {
		if (why && why[i]) {
			fprintf(stderr, "deadfall run: %s\n", why[i]);
			s->only_log++;
		}
		if ((s->opts->dry_run || (why && why[i])) && set_rule_act(&s->loaded, i, DF_ACT_LOG, 0, err))
			return -1;
	}
	return 0;
}

int armed_begin(struct armed *s, const struct run_options *o, enum df_act act, struct buf *object, struct kbtf *kbtf, struct err *err)
{
	const char *manifest;
	size_t len;

	*s = (struct armed){ .opts = o, .act = act, .a = arena_create(NULL, NULL), .object = *object, .brake = { .stats_fd = -1 } };
	*object = (struct buf)BUF_INIT;
	if (!s->a)
		return err_nomem(err);
	if (object_manifest(&s->object, &manifest, &len, err) || set_info_parse(s->a, manifest, len, &s->info, err) ||
	    manifest_parse(s->a, arena_strndup(s->a, manifest, len), len, &s->mf, err))
		return -1;
	for (uint32_t i = 0; o->force && i < s->info.nrules; i++)
		s->info.rules[i].needs_dump = false;
	return resolve(s->a, &s->info, kbtf, &s->object, &s->plan, err);
}

/* Rules of this set that the other has as well; the first of them. */
static uint32_t rules_in_both(const struct set_info *mine, const struct set_info *other, const char **first)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < mine->nrules; i++) {
		for (uint32_t k = 0; k < other->nrules; k++) {
			if (!strcmp(mine->rules[i].name, other->rules[k].name) && !n++)
				*first = mine->rules[i].name;
		}
	}
	return n;
}

/* A rule that is run once more, changed perhaps, does not take the place of the one that runs. */
static void warn_of_twins(const struct armed *s)
{
	struct running *sets = NULL;
	const char *first = "", *more;
	struct df_ctl ctl;
	struct err err;
	uint32_t n = 0, same, zero = 0;

	if (running_read(s->a, &sets, &n, &err))
		return;
	for (uint32_t i = 0; i < n; i++) {
		same = rules_in_both(&s->info, &sets[i].info, &first);
		if (!same || bpf_map_lookup_elem(sets[i].ctl_fd, &zero, &ctl))
			continue;
		more = same > 1 ? arena_printf(s->a, " and %u more of these", same - 1) : "";
		fprintf(stderr, "deadfall run: warning: set %s of process %u, %s, has rule '%s'%s, too: it goes on beside this one; "
			"'deadfall unload %u' ends it\n", sets[i].info.name, sets[i].pid, armed_word(ctl.armed), first, more,
			sets[i].pid);
	}
	running_close(sets, n);
}

static int announce(struct armed *s, uint32_t number, struct err *err)
{
	const char *manifest;
	size_t len;

	describe(s);
	warn_of_twins(s);
	if (object_manifest(&s->object, &manifest, &len, err))
		return -1;
	return running_write(s->a, &s->loaded, &s->plan, arena_strndup(s->a, manifest, len), s->text, s->opts->dry_run, number, s->state_path,
			     sizeof(s->state_path), err);
}

void armed_hold_signals(sigset_t *set)
{
	/* a shell starts jobs in the background with SIGINT ignored, and what is ignored never gets here */
	signal(SIGINT, SIG_DFL);
	/* who reads our output may go away; the trap stays */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigprocmask(SIG_BLOCK, set, NULL);
}

int armed_arm(struct armed *s, const struct set_info *all, uint32_t number, struct err *err)
{
	sigset_t set;

	if (budget_check(s->a, &s->info, &s->plan, s->opts->src.memory, err) ||
	    set_load(s->a, &s->info, &s->object, &s->plan, &s->loaded, err) || set_params(s, all, err))
		return -1;
	armed_hold_signals(&set);
	if (arm_rules(s, err) || set_attach(s->a, &s->loaded, &s->plan, err) || announce(s, number, err))
		return -1;
	s->untold = arena_array(s->a, s->info.nrules + 1, sizeof(*s->untold));
	s->rings = ring_buffer__new(set_map_fd(&s->loaded, "df_out"), armed_note, s, NULL);
	if (!s->rings)
		return err_sys(err, errno, "open the set's ring buffer");
	brake_begin(&s->brake, s->opts->brake);
	losses_begin(&s->losses, s->a, &s->loaded);
	set_arm(&s->loaded, s->act);
	return 0;
}

bool armed_may_wait(const struct armed *s)
{
	for (uint32_t e = 0; e < s->info.nevents; e++) {
		if (s->info.events[e].wait_module)
			return true;
	}
	return false;
}

void armed_listen(struct armed *s)
{
	ring_buffer__consume(s->rings);
	armed_untold(s);
}

int armed_fd(const struct armed *s)
{
	return ring_buffer__epoll_fd(s->rings);
}

static void pull_brake(struct armed *s, uint32_t took)
{
	s->loaded.ctl->braked = took;	/* first: from here on nobody can arm it */
	set_arm(&s->loaded, DF_ACT_NONE);
	tell(s->opts->src.json, "brake",
	     "brake: the probes of %s took %u.%u %% of a CPU for 5 s, the limit is %u.%u %%: disarmed, and detached",
	     s->info.name, took / 10, took % 10, s->opts->brake / 10, s->opts->brake % 10);
	set_detach(&s->loaded);
}

/* What probes missed the verdict shall know soon; but a set of a thousand links is asked less often. */
#define MANY_LINKS 64

void armed_tick(struct armed *s, uint64_t now)
{
	bool second = now >= s->next_second_ns;
	uint32_t took;

	if (second || s->loaded.nlinks + s->loaded.nlink_fds <= MANY_LINKS)
		losses_update(&s->losses, &s->loaded);
	if (!second)
		return;
	s->next_second_ns = now + 1000000000;
	if (s->in_ledger && !s->late && now / 1000000000 >= PANICS_EARLY_SECONDS) {
		guards_late(&s->info);
		s->late = true;
	}
	took = s->loaded.ctl->braked ? 0 : brake_tick(&s->brake, &s->loaded, now);
	if (took)
		pull_brake(s, took);
}

void armed_end(struct armed *s)
{
	brake_end(&s->brake);
	losses_end(&s->losses);
	ring_buffer__free(s->rings);
	if (s->state_path[0])
		unlink(s->state_path);
	loaded_destroy(&s->loaded);
	if (s->in_ledger)
		guards_leave(&s->info);
	buf_deinit(&s->object);
	arena_destroy(s->a);
	*s = (struct armed){ 0 };
}
