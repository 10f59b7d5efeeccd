// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_run.c - `deadfall run FILE...`: compile, resolve, load, attach, arm, then stay and tell what happens.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/brake.h"
#include "agent/commands.h"
#include "agent/guards.h"
#include "agent/load.h"
#include "agent/losses.h"
#include "agent/notify.h"
#include "agent/object.h"
#include "agent/params.h"
#include "agent/source_set.h"
#include "agent/running.h"
#include "agent/said.h"
#include "agent/symbols.h"
#include "lib/arena.h"
#include "kdump/panics.h"
#include "kdump/ready.h"
#include "lib/cleanup.h"
#include "rules/kbtf.h"

#define TICK_NS 1000000000ULL

struct run_options {
	char **files;
	int nfiles;
	char **sets;		/* --set */
	int nsets;
	uint32_t brake;		/* thousandths of a CPU, 0: none */
	bool dry_run, disarmed, force, json;
	bool at_boot;		/* nobody asked for it just now */
};

struct run {
	struct run_options opts;
	struct arena *a;
	struct kbtf *kbtf;
	struct buf object;
	struct set_info info;
	struct attach_plan plan;
	struct loaded loaded;
	bool in_ledger;			/* the set was armed: its rules stand in the ledger of panics */
	unsigned int only_log;		/* rules that may not crash the machine (again), whatever the set's state */
	bool late;			/* it stands there as armed beyond the first minutes of this boot */
	char state_path[256];
	char armed_text[256];
	struct brake brake;
	struct losses losses;
	uint64_t next_tick_ns;
	struct manifest *mf;
	struct symbols syms;		/* read when a message names a function */
};

static int parse_options(int argc, char **argv, struct run_options *o)
{
	struct err err;

	o->files = argv + 1;
	o->brake = BRAKE_DEFAULT;
	o->sets = calloc((size_t)argc, sizeof(*o->sets));
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--dry-run"))
			o->dry_run = true;
		else if (!strcmp(argv[i], "--disarmed"))
			o->disarmed = true;
		else if (!strcmp(argv[i], "--force"))
			o->force = true;
		else if (!strcmp(argv[i], "--at-boot"))
			o->at_boot = true;
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--brake") && i + 1 < argc) {
			if (brake_parse(argv[++i], &o->brake, &err))
				return command_usage("run", "%s", err.msg);
		} else if (!strcmp(argv[i], "--set") && i + 1 < argc)
			o->sets[o->nsets++] = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1])
			return command_usage("run", "no option '%s'", argv[i]);
		else
			o->files[o->nfiles++] = argv[i];
	}
	return o->nfiles ? 0 : command_usage("run", "name a rule file or a compiled set");
}

/* The first rule that may panic, and needs a dump to be captured; NULL if none. */
static const struct info_rule *rule_needing_kdump(const struct set_info *info)
{
	for (uint32_t i = 0; i < info->nrules; i++) {
		if (info->rules[i].panics && strcmp(info->rules[i].kdump, "optional") != 0)
			return &info->rules[i];
	}
	return NULL;
}

static enum df_act wanted_act(const struct run *r)
{
	if (r->opts.disarmed)
		return DF_ACT_NONE;
	return r->opts.dry_run ? DF_ACT_LOG : DF_ACT_PANIC;
}

static void describe(struct run *r)
{
	static const char *const how[] = { "disarmed", "armed (dry run: nothing will crash)", "armed" };
	enum df_act act = wanted_act(r);
	const char *word = act == DF_ACT_PANIC && !rule_needing_kdump(&r->info) ? "armed" : how[act];
	char only_log[32] = "";

	if (r->only_log)
		snprintf(only_log, sizeof(only_log), " (%u only log%s)", r->only_log, r->only_log == 1 ? "s" : "");
	snprintf(r->armed_text, sizeof(r->armed_text), "%s %s: %u rule%s%s, %u function%s%s", word, r->info.name,
		 r->info.nrules, r->info.nrules == 1 ? "" : "s", only_log, r->loaded.functions,
		 r->loaded.functions == 1 ? "" : "s", r->loaded.lists ? "" : ", history in arrays (no BPF lists here)");
}

static int set_params(struct run *r, struct err *err)
{
	uint64_t value;
	uint32_t index;

	for (int i = 0; i < r->opts.nsets; i++) {
		if (param_parse(&r->info, r->opts.sets[i], &index, &value, err))
			return err_wrap(err, "--set");
		if (r->loaded.hooks && set_param(&r->loaded, index, value, err))
			return -1;
	}
	return 0;
}

/* What each rule may do at most. In a dry run no rule may panic, whoever arms the set later, and how. */
static int arm_rules(struct run *r, struct err *err)
{
	const char *const *why = NULL;

	if (wanted_act(r) == DF_ACT_PANIC) {
		r->in_ledger = true;
		if (guards_enter(r->a, &r->info, r->opts.at_boot, &why, err))
			return -1;
		kdump_tell("deadfall run");
	}
	for (uint32_t i = 0; i < r->info.nrules; i++) {
		if (why && why[i]) {
			fprintf(stderr, "deadfall run: %s\n", why[i]);
			r->only_log++;
		}
		if ((r->opts.dry_run || (why && why[i])) && set_rule_act(&r->loaded, i, DF_ACT_LOG, 0, err))
			return -1;
	}
	return 0;
}

static int start(struct run *r, struct err *err)
{
	const char *manifest;
	size_t len;
	int ret;

	if (kbtf_open(NULL, &r->kbtf, err))
		return -1;
	ret = source_set_read(r->a, r->opts.files, r->opts.nfiles, r->kbtf, r->opts.json, &r->object, err);
	if (ret)
		return ret;
	if (object_manifest(&r->object, &manifest, &len, err) || set_info_parse(r->a, manifest, len, &r->info, err))
		return -1;
	manifest = arena_strndup(r->a, manifest, len);
	if (manifest_parse(r->a, manifest, len, &r->mf, err))
		return -1;
	for (uint32_t i = 0; r->opts.force && i < r->info.nrules; i++)
		r->info.rules[i].needs_dump = false;
	if (set_params(r, err))	/* nothing is loaded yet: are they right? */
		return -1;
	if (geteuid() != 0)
		return err_set(err, ERR_ENVIRONMENT, "loading BPF programs takes root");
	if (wanted_act(r) == DF_ACT_PANIC && !r->opts.force && guards_check_kdump(&r->info, err))
		return -1;
	if (resolve(r->a, &r->info, r->kbtf, &r->object, &r->plan, err))
		return -1;
	if (set_load(r->a, &r->info, &r->object, &r->plan, &r->loaded, err) || set_params(r, err) ||
	    arm_rules(r, err) || set_attach(r->a, &r->loaded, &r->plan, err))
		return -1;
	describe(r);
	if (running_write(&r->loaded, manifest, r->armed_text, r->opts.dry_run, r->state_path, sizeof(r->state_path), err))
		return -1;
	set_arm(&r->loaded, wanted_act(r));
	return 0;
}

static const char *fire_word(const struct run *r, uint32_t act)
{
	if (act == DF_ACT_NONE)
		return "suppressed, since events were lost";
	return r->opts.dry_run ? "would have fired" : r->opts.json ? "logged" : "matched";
}

static void print_fire_json(const struct run *r, const struct df_said *s, const char *message)
{
	const struct df_rec *e = &s->rec;
	json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:I, s:s*}", "verdict", fire_word(r, s->act), "rule",
			      r->info.rules[s->rule].name, "event", r->info.events[e->event].name, "time_ns",
			      (json_int_t)e->ns, "key", json_sprintf("0x%" PRIx64, (uint64_t)e->key.part[0]), "pid",
			      (json_int_t)(e->pid_tgid >> 32), "tid", (json_int_t)(uint32_t)e->pid_tgid, "comm",
			      json_sprintf("%.16s", (const char *)e->comm), "cpu", (json_int_t)e->cpu, "message", message);

	if (j)
		json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

static void print_fire(struct run *r, const struct df_said *s)
{
	struct arena *a = arena_scratch(r->a);
	const struct df_rec *e = &s->rec;
	const char *message;

	if (said_needs_symbols(r->mf, s->rule) && !r->syms.n)
		symbols_read(r->a, &r->syms, NULL);
	message = said_message(a, r->mf, &r->syms, s->rule, e);
	if (s->rule >= r->info.nrules || e->event >= r->info.nevents)
		goto out;
	if (r->opts.json)
		print_fire_json(r, s, message);
	else
		printf("%s: rule %s at event %s, key 0x%" PRIx64 ", task %.16s (pid %u, tid %u) on CPU %u%s%s\n",
		       fire_word(r, s->act), r->info.rules[s->rule].name, r->info.events[e->event].name,
		       (uint64_t)e->key.part[0], (const char *)e->comm, (uint32_t)(e->pid_tgid >> 32),
		       (uint32_t)e->pid_tgid, e->cpu, message ? ": " : "", message ? message : "");
out:
	arena_reset(a);
}

/* The crash kernel may be gone, and the rule be one that needs its dump. */
static bool dump_is_lost(const struct run *r, uint32_t fire)
{
	struct df_rule rule;
	struct df_fire f;
	struct err err;

	if (bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_fires"), &fire, &f) ||
	    bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_rules"), &f.rule, &rule) || !rule.needs_dump || !kdump_ready(&err))
		return false;
	printf("crash_kexec returned, and a crash would leave no dump: not crashed. %s\n", err.msg);
	return true;
}

/* crash_kexec came back: the crash kernel is gone or busy. Second best, and later than the bug. */
static void crash_by_sysrq(const struct run *r, uint32_t fire)
{
	_cleanup_close_ int fd = -1;

	if (dump_is_lost(r, fire))
		return;
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	printf("crash_kexec returned: crashing by sysrq-c, later than the bug\n");
	if (fd < 0 || write(fd, "c", 1) != 1)
		printf("sysrq-c failed as well: %s\n", strerror(errno));
}

static void print_mark(const struct run *r, uint32_t index)
{
	struct df_mark m;

	if (!bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_marks"), &index, &m))
		printf("mark after event %" PRIu64 ": %.*s\n", (uint64_t)m.seq, (int)sizeof(m.text), m.text);
}

static void print_armed(struct run *r, uint32_t act)
{
	static const char *const how[] = { "disarmed", "armed (dry run: nothing will crash)", "armed" };

	r->in_ledger = r->in_ledger || act == DF_ACT_PANIC;	/* who armed it has entered it */
	if (act < sizeof(how) / sizeof(how[0]))
		printf("now %s: %s\n", how[act], r->info.name);
}

static int on_note(void *ctx, void *data, size_t size)
{
	struct run *r = ctx;
	struct df_note note;

	if (size < sizeof(note))
		return 0;
	memcpy(&note, data, sizeof(note));
	if (note.kind == DF_NOTE_FIRE && size >= sizeof(struct df_said))
		print_fire(r, data);
	else if (note.kind == DF_NOTE_FIRE)
		printf("a rule matched (verdict %u); too many at once to say more\n", note.index + 1);
	else if (note.kind == DF_NOTE_CRASH_RETURNED)
		crash_by_sysrq(r, note.index);
	else if (note.kind == DF_NOTE_MARK)
		print_mark(r, note.index);
	else if (note.kind == DF_NOTE_ARMED)
		print_armed(r, note.index);
	else if (note.kind == DF_NOTE_PARAM && note.index < r->info.nparams)
		printf("parameter %s changed\n", r->info.params[note.index].name);
	fflush(stdout);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * TICK_NS + (uint64_t)ts.tv_nsec;
}

static void pull_brake(struct run *r, uint32_t took)
{
	r->loaded.ctl->braked = took;	/* first: from here on nobody can arm it */
	set_arm(&r->loaded, DF_ACT_NONE);
	printf("brake: the probes of %s took %u.%u %% of a CPU for 5 s, the limit is %u.%u %%: disarmed, and detached\n",
	       r->info.name, took / 10, took % 10, r->opts.brake / 10, r->opts.brake % 10);
	fflush(stdout);
	set_detach(&r->loaded);
}

/* What is done once a second, if a second has passed. Returns milliseconds until the next time. */
static int tick(struct run *r)
{
	uint64_t now = now_ns();
	uint32_t took;

	if (now >= r->next_tick_ns) {
		r->next_tick_ns = now + TICK_NS;
		losses_update(&r->losses, &r->loaded);
		if (r->in_ledger && !r->late && now / 1000000000 >= PANICS_EARLY_SECONDS) {
			guards_late(&r->info);
			r->late = true;
		}
		took = r->loaded.ctl->braked ? 0 : brake_tick(&r->brake, &r->loaded, now);
		if (took)
			pull_brake(r, took);
	}
	return (int)((r->next_tick_ns - now) / 1000000) + 1;
}

static int follow(struct run *r, struct err *err)
{
	struct ring_buffer *rb = ring_buffer__new(set_map_fd(&r->loaded, "df_out"), on_note, r, NULL);
	_cleanup_close_ int sig = -1;
	struct signalfd_siginfo info;
	struct pollfd fds[2];
	sigset_t set;

	if (!rb)
		return err_sys(err, errno, "open the set's ring buffer");
	/* a shell starts jobs in the background with SIGINT ignored, and what is ignored never gets here */
	signal(SIGINT, SIG_DFL);
	/* who reads our output may go away; the trap stays */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sig = signalfd(-1, &set, SFD_CLOEXEC);
	fds[0] = (struct pollfd){ .fd = sig, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = ring_buffer__epoll_fd(rb), .events = POLLIN };
	brake_begin(&r->brake, r->opts.brake);
	losses_begin(&r->losses, r->a, &r->loaded);
	do {
		ring_buffer__consume(rb);
	} while (poll(fds, 2, tick(r)) >= 0 && !(fds[0].revents & POLLIN));
	brake_end(&r->brake);
	ring_buffer__consume(rb);
	if (fds[0].revents & POLLIN && read(sig, &info, sizeof(info)) == sizeof(info))
		printf("unloaded %s\n", r->info.name);
	ring_buffer__free(rb);
	return 0;
}

static void finish(struct run *r)
{
	if (r->state_path[0])
		unlink(r->state_path);
	loaded_destroy(&r->loaded);
	if (r->in_ledger)
		guards_leave(&r->info);
	buf_deinit(&r->object);
	kbtf_close(r->kbtf);
	arena_destroy(r->a);
	free(r->opts.sets);
}

int cmd_run(int argc, char **argv)
{
	struct run r = { .a = arena_create(NULL, NULL), .object = BUF_INIT };
	struct err err = { 0 };
	int ret = parse_options(argc, argv, &r.opts);

	if (!ret) {
		ret = start(&r, &err);
		for (uint32_t i = 0; i < r.plan.nnotes; i++)
			fprintf(stderr, "deadfall run: note: %s\n", r.plan.notes[i]);
		if (!ret) {
			puts(r.armed_text);
			fflush(stdout);
			notify_ready(r.armed_text);
			ret = follow(&r, &err);
		}
		if (ret < 0)
			ret = command_fail("run", &err);
	}
	finish(&r);
	return ret;
}
