// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_control.c - `deadfall set`, `arm`, `disarm`, `mark` and `unload`: live control of running sets. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/control.h"
#include "agent/guards.h"
#include "agent/params.h"
#include "agent/waiting.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

/* Detaching a plain kprobe takes 70 ms, and there may be a thousand. */
#define UNLOAD_WAIT_MS 180000
/* After so long it is looked at whether it can end at all. */
#define UNLOAD_STOPPED_MS 3000

struct sets {
	struct arena *a;
	struct running *sets;
	uint32_t n;
};

static int sets_open(struct sets *s, struct err *err)
{
	*s = (struct sets){ .a = arena_create(NULL, NULL) };
	if (geteuid() != 0)
		return err_set(err, ERR_ENVIRONMENT, "controlling a set takes root");
	return running_read(s->a, &s->sets, &s->n, err);
}

static void sets_close(struct sets *s)
{
	running_close(s->sets, s->n);
	arena_destroy(s->a);
}

static int send_all(const struct running *set, struct df_cmd *cmds, uint32_t n, struct err *err)
{
	struct control c = { .lock_fd = -1 };
	int ret = control_open(&c, set, err);

	if (!ret)
		ret = control_send(&c, cmds, n, err);
	control_close(&c);
	return ret;
}

static int set_params(struct sets *s, const char *name, char **args, int n, struct err *err)
{
	struct running *set = running_find(s->sets, s->n, name, err);
	struct df_cmd *cmds = arena_array(s->a, (size_t)n, sizeof(*cmds));

	if (!set)
		return -1;
	for (int i = 0; i < n; i++) {
		bool member = is_member_change(args[i]), removes = false;
		uint64_t value;

		if (member ? member_parse(&set->info, args[i], &cmds[i].index, &value, &removes, err) :
			     param_parse(&set->info, args[i], &cmds[i].index, &value, err))
			return -1;
		cmds[i].kind = removes ? DF_CMD_REMOVE : member ? DF_CMD_ADD : DF_CMD_PARAM;
		cmds[i].value = value;
	}
	return send_all(set, cmds, (uint32_t)n, err);
}

int cmd_set(int argc, char **argv)
{
	bool named = argc > 1 && !strchr(argv[1], '=');
	struct err err = { 0 };
	struct sets s;
	int ret;

	if (argc < 2 + named)
		return command_usage("set", "name a parameter and its value: window=5s");
	ret = sets_open(&s, &err);
	if (!ret)
		ret = set_params(&s, named ? argv[1] : NULL, argv + 1 + named, argc - 1 - named, &err);
	sets_close(&s);
	return ret ? command_fail("set", &err) : EXIT_OK;
}

/* What a rule that panics may do from now on; one that has stopped itself stays so. */
static int limit_rule(const struct running *set, uint32_t i, enum df_act act, bool needs_dump, struct err *err)
{
	struct df_rule r;

	if (bpf_map_lookup_elem(set->rules_fd, &i, &r))
		return err_sys(err, errno, "rule %s", set->info.rules[i].name);
	if (r.act == DF_ACT_NONE || (r.act == act && r.needs_dump == needs_dump))
		return 0;
	r.act = act;
	r.needs_dump = needs_dump;
	if (bpf_map_update_elem(set->rules_fd, &i, &r, BPF_EXIST))
		return err_sys(err, errno, "rule %s", set->info.rules[i].name);
	return 0;
}

/* The same guards as at `run`: a set that was loaded disarmed has not passed them yet. */
static int pass_guards(struct arena *a, const struct running *set, bool force, struct err *err)
{
	const char *const *why;

	if ((!force && guards_check_kdump(&set->info, err)) || guards_enter(a, &set->info, false, &why, err))
		return -1;
	for (uint32_t i = 0; i < set->info.nrules; i++) {
		if (why[i])
			fprintf(stderr, "deadfall arm: %s\n", why[i]);
		if (set->info.rules[i].panics && limit_rule(set, i, why[i] ? DF_ACT_LOG : DF_ACT_PANIC,
							    !force && set->info.rules[i].needs_dump, err))
			return -1;
	}
	return 0;
}

static int arm_one(struct arena *a, const struct running *set, bool arm, bool force, struct err *err)
{
	struct df_cmd cmd = { .kind = DF_CMD_ARM, .value = DF_ACT_NONE };

	if (arm)
		cmd.value = set->dry_run ? DF_ACT_LOG : DF_ACT_PANIC;
	if (cmd.value == DF_ACT_PANIC && pass_guards(a, set, force, err))
		return -1;
	if (!arm && control_disarm(set, err))
		return -1;
	if (send_all(set, &cmd, 1, err))
		return err_wrap(err, "%s", arm ? "not armed" : "disarmed, but its agent does not know");
	if (!arm && !set->dry_run)
		guards_leave(&set->info);
	printf("%s %s\n", arm ? (set->dry_run ? "armed (dry run: nothing will crash)" : "armed") : "disarmed",
	       set->info.name);
	return 0;
}

static int arm_command(int argc, char **argv, bool arm)
{
	const char *name = NULL;
	struct running *set;
	struct err err = { 0 };
	bool force = false;
	struct sets s;
	int ret;

	for (int i = 1; i < argc; i++) {
		if (arm && !strcmp(argv[i], "--force"))
			force = true;
		else if (argv[i][0] == '-' || name)
			return command_usage(argv[0], "unexpected argument '%s'", argv[i]);
		else
			name = argv[i];
	}
	ret = sets_open(&s, &err);
	set = ret ? NULL : running_find(s.sets, s.n, name, &err);
	ret = set ? arm_one(s.a, set, arm, force, &err) : -1;
	sets_close(&s);
	return ret ? command_fail(argv[0], &err) : EXIT_OK;
}

int cmd_arm(int argc, char **argv)
{
	return arm_command(argc, argv, true);
}

int cmd_disarm(int argc, char **argv)
{
	return arm_command(argc, argv, false);
}

int cmd_mark(int argc, char **argv)
{
	struct df_cmd cmd = { .kind = DF_CMD_MARK };
	struct err err = { 0 };
	struct sets s;
	int ret;

	if (argc != 2)
		return command_usage("mark", "give the text as one argument");
	snprintf(cmd.text, sizeof(cmd.text), "%s", argv[1]);
	ret = sets_open(&s, &err);
	if (!ret && !s.n)
		ret = err_set(&err, ERR_ENVIRONMENT, "no set is loaded");
	for (uint32_t i = 0; i < s.n && !ret; i++)
		ret = send_all(&s.sets[i], &cmd, 1, &err);
	sets_close(&s);
	return ret ? command_fail("mark", &err) : EXIT_OK;
}

/* Does a process hold the set's control map? The id of a process that ended may be another's by now. */
static bool holds_map(uint32_t pid, uint32_t map_id)
{
	char path[320], line[128];
	struct dirent *d;
	bool found = false;
	uint32_t id;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		_cleanup_fclose_ FILE *f = NULL;

		snprintf(path, sizeof(path), "/proc/%u/fdinfo/%s", pid, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && !found && fgets(line, sizeof(line), f))
			found = sscanf(line, "map_id: %u", &id) == 1 && id == map_id;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Which agent to end: its process, a map that it holds, a set of its, and the file that it leaves last. */
struct agent {
	uint32_t pid, map_id;
	const char *set, *path;
};

/* By SIGSTOP, or by who traces it: no signal but SIGKILL ends it then. */
static bool is_stopped(uint32_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[512];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return false;
	state = strrchr(line, ')');
	return state && (!strncmp(state, ") T", 3) || !strncmp(state, ") t", 3));
}

static int unload_one(const struct agent *agent, struct err *err)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)agent->pid, 0);
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return err_sys(err, errno, "agent %u of %s", agent->pid, agent->set);
	if (!holds_map(agent->pid, agent->map_id))
		return err_set(err, ERR_ENVIRONMENT, "process %u is not the agent of %s", agent->pid, agent->set);
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0))
		return err_sys(err, errno, "end agent %u of %s", agent->pid, agent->set);
	if (!poll(&fd, 1, UNLOAD_STOPPED_MS) && is_stopped(agent->pid))
		return err_set(err, ERR_ENVIRONMENT, "agent %u of %s is stopped, and ends when it is let go on: kill -CONT %u", agent->pid,
			       agent->set, agent->pid);
	if (poll(&fd, 1, UNLOAD_WAIT_MS) != 1)
		return err_set(err, ERR_ENVIRONMENT, "agent %u of %s does not end", agent->pid, agent->set);
	if (!access(agent->path, F_OK))
		return err_set(err, ERR_ENVIRONMENT, "agent %u of %s ended and left %s", agent->pid, agent->set, agent->path);
	printf("unloaded %s\n", agent->set);
	return 0;
}

/* Of the sets that run, and of those that wait for a module. */
static int find_agent(struct sets *s, const char *name, struct agent *ret, struct err *err)
{
	struct waiting *w = NULL;
	struct set_name *names;
	struct agent *agents;
	uint32_t nwaiting = 0, n = s->n;
	int i;

	if (waiting_read(s->a, &w, &nwaiting, err))
		return -1;
	agents = arena_array(s->a, n + nwaiting + 1, sizeof(*agents));
	names = arena_array(s->a, n + nwaiting + 1, sizeof(*names));
	for (uint32_t k = 0; k < n; k++)
		agents[k] = (struct agent){ s->sets[k].pid, s->sets[k].ctl_id, s->sets[k].info.name, s->sets[k].path };
	for (uint32_t k = 0; k < nwaiting; k++)
		agents[n++] = (struct agent){ w[k].pid, w[k].map_id, w[k].set, w[k].path };
	for (uint32_t k = 0; k < n; k++)
		names[k] = (struct set_name){ agents[k].set, agents[k].pid };
	i = set_by_name(names, n, name, true, err);
	if (i >= 0)
		*ret = agents[i];
	return i < 0 ? -1 : 0;
}

int cmd_unload(int argc, char **argv)
{
	struct agent agent;
	struct err err = { 0 };
	struct sets s;
	int ret;

	if (argc > 2)
		return command_usage("unload", "unexpected argument '%s'", argv[2]);
	ret = sets_open(&s, &err);
	if (!ret)
		ret = find_agent(&s, argv[1], &agent, &err);
	if (!ret)
		ret = unload_one(&agent, &err);
	sets_close(&s);
	return ret ? command_fail("unload", &err) : EXIT_OK;
}
