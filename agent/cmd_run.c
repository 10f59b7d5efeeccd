// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_run.c - `deadfall run FILE...`: compile, resolve, load, attach, arm, then stay and tell what happens.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/brake.h"
#include "agent/commands.h"
#include "agent/notify.h"
#include "agent/parts.h"
#include "agent/tell.h"
#include "lib/cleanup.h"
#include "rules/memory.h"

#define RETRY_MS 50

static int parse_options(int argc, char **argv, struct run_options *o)
{
	struct err err;

	o->src.files = argv + 1;
	o->brake = BRAKE_DEFAULT;
	o->src.memory = MEMORY_DEFAULT;
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
			o->src.json = true;
		else if (!strcmp(argv[i], "--brake") && i + 1 < argc) {
			if (brake_parse(argv[++i], &o->brake, &err))
				return command_usage("run", "%s", err.msg);
		} else if (!strcmp(argv[i], "--memory") && i + 1 < argc) {
			if (memory_parse(argv[++i], &o->src.memory, &err))
				return command_usage("run", "%s", err.msg);
		} else if (!strcmp(argv[i], "--set") && i + 1 < argc)
			o->sets[o->nsets++] = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1])
			return command_usage("run", "no option '%s', or its argument is missing", argv[i]);
		else
			argv[1 + o->src.n++] = argv[i];
	}
	return o->src.n ? 0 : command_usage("run", "name a rule file or a compiled set");
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* What is done now and then, if it is time. Returns milliseconds until the next time. */
static int tick(struct parts *ps, uint64_t *next)
{
	uint64_t now = now_ns();
	int ms;

	if (now >= *next) {
		*next = now + ARMED_TICK_NS;
		for (uint32_t i = 0; i < ps->n; i++) {
			if (ps->items[i].is_armed)
				armed_tick(&ps->items[i].armed, now);
		}
	}
	ms = (int)((*next - now) / 1000000) + 1;
	return ps->retry && ms > RETRY_MS ? RETRY_MS : ms;
}

static void listen_all(struct parts *ps)
{
	for (uint32_t i = 0; i < ps->n; i++) {
		if (ps->items[i].is_armed)
			armed_listen(&ps->items[i].armed);
	}
}

/* Signals, modules, and the sets that are armed now. */
static nfds_t fill_fds(const struct parts *ps, int sig, struct pollfd *fds)
{
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = sig, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = modwatch_fd(&ps->watch), .events = POLLIN };
	for (uint32_t i = 0; i < ps->n; i++) {
		if (ps->items[i].is_armed)
			fds[n++] = (struct pollfd){ .fd = armed_fd(&ps->items[i].armed), .events = POLLIN };
	}
	return n;
}

static int open_signals(void)
{
	sigset_t set;

	armed_hold_signals(&set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int follow(struct parts *ps, struct err *err)
{
	_cleanup_free_ struct pollfd *fds = calloc(ps->n + 2, sizeof(*fds));
	_cleanup_close_ int sig = open_signals();
	struct signalfd_siginfo info;
	uint64_t next = 0;
	nfds_t n;

	if (!fds)
		return err_nomem(err);
	do {
		if (modwatch_changed(&ps->watch) || ps->retry)
			parts_look(ps);
		listen_all(ps);
		n = fill_fds(ps, sig, fds);
	} while (poll(fds, n, tick(ps, &next)) >= 0 && !(fds[0].revents & POLLIN));
	listen_all(ps);
	if (fds[0].revents & POLLIN && read(sig, &info, sizeof(info)) == sizeof(info)) {
		for (uint32_t i = 0; i < ps->n; i++)
			tell(ps->opts->src.json, "unloaded", "unloaded %s", ps->items[i].name);
	}
	return 0;
}

/* A kprobe of each function, where many cannot share one link, and a program of each body: each is a file to us. */
static void allow_files(void)
{
	struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };

	if (!setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int cmd_run(int argc, char **argv)
{
	struct run_options opts = { 0 };
	struct err err = { 0 };
	struct parts ps;
	int ret = parse_options(argc, argv, &opts);

	if (!ret) {
		allow_files();
		ret = parts_start(&ps, &opts, &err);
		if (!ret) {
			notify_ready(ps.items[0].is_armed ? ps.items[0].armed.text : "waits for a module");
			ret = follow(&ps, &err);
		}
		if (ret < 0)
			ret = command_fail("run", &err);
		parts_end(&ps);
	}
	free(opts.sets);
	return ret;
}
