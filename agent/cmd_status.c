// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_status.c - `deadfall status` and `deadfall list`: what runs here and what it has seen. */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/datamap.h"
#include "agent/running.h"
#include "agent/waiting.h"
#include "agent/why.h"
#include "kdump/ready.h"
#include "lib/arena.h"
#include "rules/memory.h"

static const char *act_name(uint32_t act)
{
	return act == DF_ACT_PANIC ? "panic" : act == DF_ACT_LOG ? "log" : "none";
}

/* Counters of an event that are shown as they are. */
#define COUNTER(name) { #name, offsetof(struct df_stats, name) }
static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	COUNTER(seen), COUNTER(hit), COUNTER(unknown), COUNTER(key_unknown), COUNTER(field_unknown), COUNTER(recorded),
	COUNTER(nmi), COUNTER(full), COUNTER(nomem), COUNTER(raced), COUNTER(evicted), COUNTER(unfinished), COUNTER(fired),
	COUNTER(own), COUNTER(busy), COUNTER(cut),
};
#define NCOUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t counter_of(const struct df_stats *stats, size_t c)
{
	uint64_t v;

	memcpy(&v, (const char *)stats + counters[c].offset, sizeof(v));
	return v;
}

static void read_ctl(const struct running *r, struct df_ctl *ctl)
{
	uint32_t zero = 0;

	memset(ctl, 0, sizeof(*ctl));
	bpf_map_lookup_elem(r->ctl_fd, &zero, ctl);
}

static void read_rule(const struct running *r, uint32_t i, struct df_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	bpf_map_lookup_elem(r->rules_fd, &i, rule);
}

/* Why a crash by this set would leave no dump now, though it is armed for one; NULL: it would, or is not meant to. */
static const char *no_dump(const struct running *r, const struct df_ctl *ctl, struct err *err)
{
	struct df_rule rule;

	for (uint32_t i = 0; ctl->armed == DF_ACT_PANIC && i < r->info.nrules; i++) {
		read_rule(r, i, &rule);
		if (rule.act == DF_ACT_PANIC && rule.needs_dump)
			return kdump_ready(err) ? err->msg : NULL;
	}
	return NULL;
}

/* What has changed since `run` said how the set was armed. */
static void print_now(const struct running *r, const struct df_ctl *ctl)
{
	const char *now = ctl->armed == DF_ACT_PANIC ? "armed" : ctl->armed ? "armed (dry run)" : "disarmed", *why;
	struct err err;

	if (ctl->braked)
		printf("  the brake has let go of its probes: they took %u.%u %% of a CPU\n", ctl->braked / 10,
		       ctl->braked % 10);
	else if (ctl->gone)
		printf("  asleep: a module that it probes was unloaded, and its probes with it; run it again\n");
	else if (!strncmp(r->armed_text, "disarmed", 8) != !ctl->armed)
		printf("  now %s\n", now);
	why = no_dump(r, ctl, &err);
	if (why)
		printf("  not fit to crash now: %s\n", why);
	if (ctl->marks)
		printf("  %u marks\n", ctl->marks);
	if (ctl->untold)
		printf("  %" PRIu64 " events of earlier steps are missing in logs\n", (uint64_t)ctl->untold);
	if (ctl->notes_lost)
		printf("  %" PRIu64 " matches, or other news, found no room on their way to 'run', and are not said there\n",
		       (uint64_t)ctl->notes_lost);
	if (ctl->missed)
		printf("  missed %" PRIu64 " calls of its probes\n", (uint64_t)ctl->missed);
}

static void print_modules(const struct running *r)
{
	for (uint32_t i = 0; i < r->nmodules; i++)
		printf(r->modules[i].held ? "  holds module %s, which cannot be unloaded before the set\n" :
					    "  probes module %s; unloaded, it takes its probes with it\n", r->modules[i].name);
}

static json_t *modules_json(const struct running *r)
{
	json_t *modules = json_array();

	for (uint32_t i = 0; i < r->nmodules; i++)
		json_array_append_new(modules, json_pack("{s:s, s:b}", "module", r->modules[i].name, "held",
							 r->modules[i].held));
	return modules;
}

static uint32_t read_losses(const uint32_t *losses, size_t len, uint32_t rule)
{
	return losses && rule < len / sizeof(*losses) ? losses[rule] : 0;
}

/* What became of an event's delay. */
static void delay_json(json_t *j, const struct df_stats *st)
{
	json_object_set_new(j, "delayed", json_integer((json_int_t)st->delayed));
	json_object_set_new(j, "delay_ns", json_integer((json_int_t)st->delay_ns));
	json_object_set_new(j, "delay_irqs", json_integer((json_int_t)st->delay_irqs));
	json_object_set_new(j, "delay_often", json_integer((json_int_t)st->delay_often));
	json_object_set_new(j, "delay_dry", json_integer((json_int_t)st->delay_dry));
}

static void print_delay(const struct df_stats *st)
{
	printf("      waited %" PRIu64 " times, %" PRIu64 " us in all", (uint64_t)st->delayed, (uint64_t)st->delay_ns / 1000);
	if (st->delay_irqs)
		printf("; not %" PRIu64 " times, with interrupts off", (uint64_t)st->delay_irqs);
	if (st->delay_often)
		printf("; not %" PRIu64 " times, since the CPU had waited half of the time", (uint64_t)st->delay_often);
	if (st->delay_dry)
		printf("; not %" PRIu64 " times, in a dry run", (uint64_t)st->delay_dry);
	putchar('\n');
}

static json_t *set_json(const struct running *r)
{
	json_t *rules = json_array(), *events = json_array();
	size_t len;
	uint32_t *losses = datamap_open(r->losses_fd, &len);
	struct df_stats stats;
	struct df_rule rule;
	struct df_ctl ctl;
	struct err err;

	read_ctl(r, &ctl);
	for (uint32_t i = 0; i < r->info.nrules; i++) {
		read_rule(r, i, &rule);
		json_array_append_new(rules, json_pack("{s:s, s:s, s:i, s:I, s:o}", "rule", r->info.rules[i].name,
						       "action", act_name(rule.act), "fires", (int)rule.fires, "losses",
						       (json_int_t)read_losses(losses, len, i), "states",
						       why_rule_json(r, i)));
	}
	datamap_close(losses, len);
	for (uint32_t i = 0; i < r->info.nevents; i++) {
		const struct info_event *e = &r->info.events[i];
		json_t *j = json_pack("{s:s, s:s}", "rule", r->info.rules[e->rule].name, "event", e->name);

		stats_read(r->stats_fd, i, &stats);
		for (size_t c = 0; c < NCOUNTERS; c++)
			json_object_set_new(j, counters[c].name, json_integer((json_int_t)counter_of(&stats, c)));
		if (e->delay_ns)
			delay_json(j, &stats);
		json_object_set_new(j, "conditions", why_event_json(e, &stats));
		json_array_append_new(events, j);
	}
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:I, s:i, s:I, s:I, s:I, s:b, s:I, s:I, s:s?, s:o, s:o, s:o}", "set",
			 r->info.name, "pid", (int)r->pid, "armed", act_name(ctl.armed), "said", r->armed_text, "functions", (int)r->functions, "fires",
			 (int)ctl.fires, "recorded", (json_int_t)ctl.seq, "marks", (int)ctl.marks, "missed",
			 (json_int_t)ctl.missed, "notes_lost", (json_int_t)ctl.notes_lost, "braked", (json_int_t)ctl.braked,
			 "asleep", ctl.frozen == DF_FROZEN_PARTIAL, "memory", (json_int_t)r->memory, "nodes_left",
			 (json_int_t)ctl.nodes_left, "no_dump", no_dump(r, &ctl, &err), "modules", modules_json(r), "rules", rules, "events", events);
}

static void print_set(const struct running *r)
{
	size_t len;
	uint32_t *losses = datamap_open(r->losses_fd, &len);
	struct df_stats stats;
	struct df_rule rule;
	struct df_ctl ctl;
	char memory[32];

	read_ctl(r, &ctl);
	printf("%s (pid %u): %s\n", r->info.name, r->pid, r->armed_text);
	print_now(r, &ctl);
	printf("  kernel memory: %s at most\n", memory_size(memory, sizeof(memory), r->memory));
	print_modules(r);
	for (uint32_t i = 0; i < r->info.nrules; i++) {
		read_rule(r, i, &rule);
		printf("  rule %s: action %s, %u matches", r->info.rules[i].name, act_name(rule.act), rule.fires);
		if (read_losses(losses, len, i))
			printf(", %u events lost", read_losses(losses, len, i));
		putchar('\n');
		for (uint32_t e = 0; e < r->info.nevents; e++) {
			if (r->info.events[e].rule != i)
				continue;
			stats_read(r->stats_fd, e, &stats);
			printf("    %-20s", r->info.events[e].name);
			for (size_t c = 0; c < NCOUNTERS; c++) {
				if (counter_of(&stats, c) || c < 2)
					printf(" %s %" PRIu64, counters[c].name, counter_of(&stats, c));
			}
			putchar('\n');
			if (r->info.events[e].delay_ns)
				print_delay(&stats);
			why_print_event(&r->info.events[e], &stats);
		}
		why_print_rule(r, i);
	}
	datamap_close(losses, len);
}

static const char *armed_now(const struct df_ctl *ctl)
{
	if (ctl->braked || ctl->gone)
		return ctl->braked ? "braked" : "asleep";
	return ctl->armed == DF_ACT_PANIC ? "armed" : ctl->armed ? "dry run" : "disarmed";
}

/* When the set was attached, in UTC. */
static const char *since(const struct df_ctl *ctl, char *out, size_t size)
{
	time_t t = (time_t)(((int64_t)ctl->started_ns + ctl->wall_offset_ns) / 1000000000);
	struct tm tm;

	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	return out;
}

static json_t *line_json(const struct running *r)
{
	struct df_ctl ctl;
	char when[32];

	read_ctl(r, &ctl);
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:i}", "set", r->info.name, "pid", (int)r->pid, "since",
			 since(&ctl, when, sizeof(when)), "state", armed_now(&ctl), "rules", (int)r->info.nrules, "functions",
			 (int)r->functions);
}

static void print_line(const struct running *r)
{
	struct df_ctl ctl;
	char when[32];

	read_ctl(r, &ctl);
	printf("%-24s pid %-7u since %s  %-8s  %u rule%s, %u function%s\n", r->info.name, r->pid, since(&ctl, when, sizeof(when)),
	       armed_now(&ctl), r->info.nrules, r->info.nrules == 1 ? "" : "s", r->functions, r->functions == 1 ? "" : "s");
}

static json_t *waiting_json(const struct waiting *w, bool list_only)
{
	json_t *events;

	if (list_only)
		return json_pack("{s:s, s:i, s:s}", "set", w->set, "pid", (int)w->pid, "state", "waiting");
	events = json_array();
	for (uint32_t i = 0; i < w->nevents; i++)
		json_array_append_new(events, json_pack("{s:s, s:s}", "event", w->events[i].event, "probe", w->events[i].probe));
	return json_pack("{s:s, s:i, s:s, s:o, s:s*, s:[], s:[]}", "set", w->set, "pid", (int)w->pid, "armed", "waiting", "waits",
			 events, "problem", w->problem, "rules", "events");
}

static void print_waiting(const struct waiting *w, bool list_only)
{
	printf(list_only ? "%-24s pid %-7u waits for " : "%s (pid %u): waits for ", w->set, w->pid);
	for (uint32_t i = 0; i < w->nevents; i++)
		printf("%s%s (%s)", i ? ", " : "", w->events[i].probe, w->events[i].event);
	if (w->problem)
		printf("%sit could not be armed: %s", w->nevents ? "; " : "its module; ", w->problem);
	putchar('\n');
}

/* Sets that sleep until a module is there. Returns how many. */
static uint32_t show_waiting(struct arena *a, json_t *all, bool list_only)
{
	struct waiting *w = NULL;
	struct err err;
	uint32_t n = 0;

	if (waiting_read(a, &w, &n, &err))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		if (all)
			json_array_append_new(all, waiting_json(&w[i], list_only));
		else
			print_waiting(&w[i], list_only);
	}
	return n;
}

static int show(int argc, char **argv, bool list_only)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct arena *a = arena_create(NULL, NULL);
	struct running *sets = NULL;
	json_t *all = json_array();
	struct err err;
	uint32_t n = 0, nwaiting;

	if (argc > 1 + json)
		return command_usage(argv[0], "unexpected argument '%s'", argv[1 + json]);
	if (running_read(a, &sets, &n, &err)) {
		arena_destroy(a);
		return command_fail(argv[0], &err);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (json)
			json_array_append_new(all, list_only ? line_json(&sets[i]) : set_json(&sets[i]));
		else if (list_only)
			print_line(&sets[i]);
		else
			print_set(&sets[i]);
	}
	nwaiting = show_waiting(a, json ? all : NULL, list_only);
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (!n && !nwaiting) {
		puts("no set is loaded");
	}
	json_decref(all);
	running_close(sets, n);
	arena_destroy(a);
	return EXIT_OK;
}

int cmd_status(int argc, char **argv)
{
	return show(argc, argv, false);
}

int cmd_list(int argc, char **argv)
{
	return show(argc, argv, true);
}
