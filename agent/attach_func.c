// SPDX-License-Identifier: GPL-2.0-or-later
/* attach_func.c - programs of kprobe type to kernel functions. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "agent/attach.h"
#include "agent/features.h"
#include "agent/session.h"
#include "lib/arena.h"

/* Without kprobe_multi each function is a link of its own: attaching takes 8 ms, detaching 70 ms a function. */
#define SINGLE_KPROBES_MAX 1024

struct lists {
	unsigned long *addrs;
	uint64_t *cookies;	/* NULL: hooks find all functions in df_places, and the kernel need not sort them */
};

static struct lists make_lists(struct arena *a, const struct loaded *s, const struct hook_plan *plan)
{
	struct lists l = { arena_array(a, plan->n, sizeof(*l.addrs)), NULL };

	if (s->places.at.left_out)
		l.cookies = arena_array(a, plan->n, sizeof(*l.cookies));
	for (uint32_t i = 0; i < plan->n; i++) {
		l.addrs[i] = plan->targets[i].func->addr;
		if (l.cookies)
			l.cookies[i] = plan->targets[i].cookie;
	}
	return l;
}

static int attach_multi(struct arena *a, struct loaded *s, struct bpf_program *p, bool is_return,
			const struct hook_plan *plan, struct err *err)
{
	struct lists l = make_lists(a, s, plan);
	struct bpf_link *link;

	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .addrs = l.addrs, .cookies = (const __u64 *)l.cookies, .cnt = plan->n,
		    .retprobe = is_return);
	link = bpf_program__attach_kprobe_multi_opts(p, NULL, &opts);
	if (!link)
		return err_sys(err, errno, "attach to %u functions, the first is %s", plan->n,
			       plan->targets[0].func->name);
	keep_link(a, s, link);
	return 0;
}

static int attach_session(struct arena *a, struct loaded *s, struct bpf_program *p, const struct hook_plan *plan,
			  struct err *err)
{
	struct lists l = make_lists(a, s, plan);
	int fd = session_attach(bpf_program__fd(p), NULL, l.addrs, l.cookies, plan->n);

	if (fd < 0)
		return err_sys(err, errno, "attach to entry and return of %u functions, the first is %s", plan->n,
			       plan->targets[0].func->name);
	keep_link_fd(a, s, fd);
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

int attach_functions(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	const struct info_hook *hook = &s->info->hooks[h];
	struct bpf_program *p = bpf_object__find_program_by_name(s->hooks, hook->program);
	bool is_return = !strcmp(hook->name, "kretprobe");

	s->functions += plan->hooks[h].n;
	if (!strcmp(hook->name, "session"))
		return attach_session(a, s, p, &plan->hooks[h], err);
	if (feature_has(FEATURE_KPROBE_MULTI))
		return attach_multi(a, s, p, is_return, &plan->hooks[h], err);
	return attach_single(a, s, p, is_return, &plan->hooks[h], err);
}
