// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/features.h"
#include "agent/session.h"
#include "agent/tracing.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

void keep_link(struct arena *a, struct loaded *s, struct bpf_link *link)
{
	s->links = arena_grow(a, s->links, s->nlinks, sizeof(*s->links));
	s->links[s->nlinks++] = link;
}

void keep_link_fd(struct arena *a, struct loaded *s, int fd)
{
	s->link_fds = arena_grow(a, s->link_fds, s->nlink_fds, sizeof(*s->link_fds));
	s->link_fds[s->nlink_fds++] = fd;
}

static struct bpf_program *hook_program(struct loaded *s, uint32_t h)
{
	return bpf_object__find_program_by_name(s->hooks, s->info->hooks[h].program);
}

/* One uprobe a place. */
static int attach_sites(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->nsites; i++) {
		const struct site_target *t = &plan->sites[i];
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = t->is_usdt ? i : t->cookie, .ref_ctr_offset = t->semaphore,
			    .retprobe = t->is_return);
		struct bpf_link *link;

		if (t->hook != h)
			continue;
		link = bpf_program__attach_uprobe_opts(hook_program(s, h), t->pid, t->path, t->offset, &opts);
		if (!link)
			return err_sys(err, errno, "attach to %s:%s", t->path, t->what);
		keep_link(a, s, link);
		s->functions++;
	}
	return 0;
}

static int attach_records(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->nrecords; i++) {
		const struct record_target *t = &plan->records[i];
		LIBBPF_OPTS(bpf_tracepoint_opts, opts, .bpf_cookie = t->cookie);
		struct bpf_link *link = bpf_program__attach_tracepoint_opts(hook_program(s, h), t->category, t->name, &opts);

		if (!link)
			return err_sys(err, errno, "attach to tracepoint %s:%s", t->category, t->name);
		keep_link(a, s, link);
		s->functions++;
	}
	return 0;
}

/* The kernel's own clock (a timer in its interrupt handler, no NMI): it ticks in virtual machines as well. */
static int open_clock(const struct timer_target *t, int cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };

	attr.freq = t->each_cpu;
	if (t->each_cpu)
		attr.sample_freq = t->rate;
	else
		attr.sample_period = t->rate;
	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int attach_timers(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->ntimers; i++) {
		const struct timer_target *t = &plan->timers[i];
		int ncpus = libbpf_num_possible_cpus(), on = 0;

		for (int cpu = 0; cpu < ncpus && (t->each_cpu || !on); cpu++) {
			LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = t->body);
			int fd = open_clock(t, cpu);
			struct bpf_link *link;

			if (fd < 0 && (errno == ENODEV || errno == ENXIO))
				continue;	/* this CPU is off */
			link = fd < 0 ? NULL : bpf_program__attach_perf_event_opts(hook_program(s, h), fd, &opts);
			if (!link) {
				err_sys(err, errno, "start a timer on CPU %d", cpu);
				if (fd >= 0)
					close(fd);
				return -1;
			}
			keep_link(a, s, link);
			on++;
		}
		s->functions++;
	}
	return 0;
}

/* What is done with the program of a hook before loading, and after. */
static const struct {
	const char *name;
	enum bpf_prog_type type;
	int (*attach)(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err);
} hooks[] = {
	{ "kprobe", BPF_PROG_TYPE_KPROBE, attach_functions },
	{ "kretprobe", BPF_PROG_TYPE_KPROBE, attach_functions },
	{ "session", BPF_PROG_TYPE_KPROBE, attach_functions },
	{ "usdt", BPF_PROG_TYPE_KPROBE, attach_sites },
	{ "uprobe", BPF_PROG_TYPE_KPROBE, attach_sites },
	{ "tracepoint", BPF_PROG_TYPE_TRACEPOINT, attach_records },
	{ "perf", BPF_PROG_TYPE_PERF_EVENT, attach_timers },
	{ "fentry", BPF_PROG_TYPE_TRACING, attach_tracing },
	{ "fexit", BPF_PROG_TYPE_TRACING, attach_tracing },
	{ "rawtp", BPF_PROG_TYPE_TRACING, attach_tracing },
};
#define NHOOKS (sizeof(hooks) / sizeof(hooks[0]))

void attach_prepare(struct bpf_program *p, const char *hook)
{
	enum bpf_attach_type expected = 0;

	if (!strcmp(hook, "session"))
		expected = (enum bpf_attach_type)TRACE_KPROBE_SESSION;
	else if ((!strcmp(hook, "kprobe") || !strcmp(hook, "kretprobe")) && feature_has(FEATURE_KPROBE_MULTI))
		expected = BPF_TRACE_KPROBE_MULTI;
	for (size_t i = 0; i < NHOOKS; i++) {
		if (!strcmp(hooks[i].name, hook))
			bpf_program__set_type(p, hooks[i].type);
	}
	bpf_program__set_expected_attach_type(p, expected);
}

int attach_hook(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	for (size_t i = 0; i < NHOOKS; i++) {
		if (!strcmp(hooks[i].name, s->info->hooks[h].name))
			return hooks[i].attach(a, s, h, plan, err);
	}
	return err_set(err, ERR_UNSUPPORTED, "the object has probes of a kind '%s' that this program does not know",
		       s->info->hooks[h].name);
}
