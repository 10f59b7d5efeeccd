// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "agent/features.h"
#include "lib/arena.h"

/* Without kprobe_multi each function is a link of its own: attaching takes 8 ms, detaching 70 ms a function. */
#define SINGLE_KPROBES_MAX 1024

void attach_prepare(struct bpf_program *p, const char *hook)
{
	bool multi = feature_has(FEATURE_KPROBE_MULTI);

	bpf_program__set_type(p, BPF_PROG_TYPE_KPROBE);
	if (!strcmp(hook, "kprobe") || !strcmp(hook, "kretprobe"))
		bpf_program__set_expected_attach_type(p, multi ? BPF_TRACE_KPROBE_MULTI : 0);
}

static void keep_link(struct arena *a, struct loaded *s, struct bpf_link *link)
{
	s->links = arena_grow(a, s->links, s->nlinks, sizeof(*s->links));
	s->links[s->nlinks++] = link;
}

static int attach_multi(struct arena *a, struct loaded *s, struct bpf_program *p, bool is_return,
			const struct hook_plan *plan, struct err *err)
{
	unsigned long *addrs = arena_array(a, plan->n, sizeof(*addrs));
	uint64_t *cookies = arena_array(a, plan->n, sizeof(*cookies));
	struct bpf_link *link;

	for (uint32_t i = 0; i < plan->n; i++) {
		addrs[i] = plan->targets[i].func->addr;
		cookies[i] = plan->targets[i].cookie;
	}
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .addrs = addrs, .cookies = (const __u64 *)cookies, .cnt = plan->n,
		    .retprobe = is_return);
	link = bpf_program__attach_kprobe_multi_opts(p, NULL, &opts);
	if (!link)
		return err_sys(err, errno, "attach to %u functions, the first is %s", plan->n,
			       plan->targets[0].func->name);
	keep_link(a, s, link);
	return 0;
}

static int attach_single(struct arena *a, struct loaded *s, struct bpf_program *p, bool is_return,
			 const struct hook_plan *plan, struct err *err)
{
	if (plan->n > SINGLE_KPROBES_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "the rules probe %u functions; this kernel has no kprobe_multi (CONFIG_FPROBE), so at most "
			       "%u can be probed", plan->n, SINGLE_KPROBES_MAX);
	for (uint32_t i = 0; i < plan->n; i++) {
		const struct target *t = &plan->targets[i];
		LIBBPF_OPTS(bpf_kprobe_opts, opts, .bpf_cookie = t->cookie, .retprobe = is_return);
		struct bpf_link *link = bpf_program__attach_kprobe_opts(p, t->func->name, &opts);

		if (!link)
			return err_sys(err, errno, "attach to %s", t->func->name);
		keep_link(a, s, link);
	}
	return 0;
}

/* One uprobe a site; pid -1: every process that runs the program, now or later. */
static int attach_sites(struct arena *a, struct loaded *s, struct bpf_program *p, uint32_t h,
			const struct attach_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->nsites; i++) {
		const struct site_target *t = &plan->sites[i];
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = i, .ref_ctr_offset = t->note.semaphore);
		struct bpf_link *link;

		if (t->hook != h)
			continue;
		link = bpf_program__attach_uprobe_opts(p, -1, t->path, t->note.offset, &opts);
		if (!link)
			return err_sys(err, errno, "attach to %s:%s:%s", t->path, t->note.provider, t->note.name);
		keep_link(a, s, link);
		s->functions++;
	}
	return 0;
}

int attach_hook(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	const struct info_hook *hook = &s->info->hooks[h];
	struct bpf_program *p = bpf_object__find_program_by_name(s->hooks, hook->program);
	bool is_return = !strcmp(hook->name, "kretprobe");

	if (!strcmp(hook->name, "usdt"))
		return attach_sites(a, s, p, h, plan, err);
	s->functions += plan->hooks[h].n;
	if (feature_has(FEATURE_KPROBE_MULTI))
		return attach_multi(a, s, p, is_return, &plan->hooks[h], err);
	return attach_single(a, s, p, is_return, &plan->hooks[h], err);
}
