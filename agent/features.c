// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/features.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/features_try.h"

#define CAP(name) (1ULL << CAP_##name)
#define PROGRAMS (CAP(BPF) | CAP(PERFMON))

const struct feature_info feature_infos[FEATURES] = {
	[FEATURE_TRACING] = { "tracing", "fec56f5890d9 (\"bpf: Introduce BPF trampoline\", v5.5)",
			      "fentry, fexit and rawtp probes", NULL, PROGRAMS, try_tracing },
	[FEATURE_ENGINES] = { "tracing_programs",
			      "5b92a28aae4d (\"bpf: Support attaching tracing BPF program to other BPF programs\", v5.5)",
			      "engines, which run inside of hooks", NULL, PROGRAMS, try_engines },
	[FEATURE_COOKIES] = { "cookies", "7adfc6c9b315 (\"bpf: Add bpf_get_attach_cookie() BPF helper to access "
			      "bpf_cookie value\", v5.15)",
			      "one program for the probes of all rules", NULL, PROGRAMS, try_cookies },
	[FEATURE_LOOPS] = { "loops", "e6f2dd0f8067 (\"bpf: Add bpf_loop helper\", v5.17)",
			    "several events at one function, any() and count()", NULL, PROGRAMS, try_loops },
	[FEATURE_TIMERS] = { "timers", "b00628b1c7d5 (\"bpf: Introduce bpf timers.\", v5.15)",
			     "deadlines", NULL, PROGRAMS, try_timers },
	[FEATURE_TASK_STORAGE] = { "task_storage", "a10787e6d58c (\"bpf: Enable task local storage for tracing programs\", "
				   "v5.12)",
				   "values of the entry at the return", NULL, PROGRAMS, try_task_storage },
	[FEATURE_RINGBUF] = { "ringbuf", "457f44363a88 (\"bpf: Implement BPF ring buffer and verifier support for it\", "
			      "v5.8)",
			      "what `run` says of a match", NULL, CAP(BPF), try_ringbuf },
	[FEATURE_BLOOM] = { "bloom_filter", "9330986c0300 (\"bpf: Add bloom filter map implementation\", v5.16)",
			    "large sets of values", NULL, CAP(BPF), try_bloom },
	[FEATURE_KPROBE_MULTI] = { "kprobe_multi", "0dcac2725406 (\"bpf: Add multi kprobe link\", v5.18), CONFIG_FPROBE",
				   "one link for thousands of functions", "a kprobe for each function, at most 1024",
				   PROGRAMS, try_kprobe_multi },
	[FEATURE_MISSED] = { "link_missed", "7ac8d0d26192 (\"bpf: Add missed value to kprobe_multi link info\", v6.7)",
			     "calls that probes missed are known", "only those that met another BPF program are", PROGRAMS,
			     try_missed },
	[FEATURE_SESSION] = { "kprobe_session", "535a3692ba72 (\"bpf: Add support for kprobe session attach\", v6.10)",
			      "values of the entry at the return of many functions", "fexit, at most 256 functions",
			      PROGRAMS, try_session },
	[FEATURE_ADDRESSES] = { "function_addresses", "83f74441bcb1 (\"ftrace: Show all functions with addresses in "
				"available_filter_functions_addrs\", v6.5)",
				"functions of equal names told apart", "addresses by name, from kallsyms",
				CAP(DAC_READ_SEARCH), try_addresses },
	[FEATURE_LISTS] = { "lists", "8cab76ec6349 (\"bpf: Introduce single ownership BPF linked list API\", v6.2), in tracing "
			    "programs v6.3",
			    "history of every key, in memory taken when it is needed",
			    "history in arrays, taken whole when the set is loaded", PROGRAMS, try_lists },
	[FEATURE_USER_RINGBUF] = { "user_ringbuf", "20571567384428 (\"bpf: Add bpf_user_ringbuf_drain() helper\", v6.1)",
				   "commands to a running set: set, arm, disarm, mark",
				   "plain stores for set, arm and disarm; no mark", CAP(BPF), try_user_ringbuf },
	[FEATURE_STATS] = { "run_time_stats", "d46edd671a14 (\"bpf: Sharing bpf runtime stats with BPF_ENABLE_STATS\", v5.8)",
			    "the brake: a set that takes too much of a CPU lets go of its probes", "no brake",
			    CAP(SYS_ADMIN), try_stats },
	[FEATURE_CRASH_KEXEC] = { "crash_kexec", "133790596406 (\"bpf: export crash_kexec() as destructive kfunc\", v6.1)",
				  "the panic action", "sysrq-c by the agent, later than the bug", PROGRAMS | CAP(SYS_BOOT),
				  try_crash_kexec },
	[FEATURE_BPF_PANIC] = { "bpf_panic", "the module in contrib/bpf_panic, loaded before the set",
				"a panic message that names the rule, in the kernel log",
				"crash_kexec, which logs nothing", PROGRAMS | CAP(SYS_ADMIN) | CAP(SYS_BOOT), try_bpf_panic },
	[FEATURE_BRANCHES] = { "branch_records", "856c02dbce4f (\"bpf: Introduce helper bpf_get_branch_snapshot\", v5.16), a "
			       "CPU that has them",
			       "keep: [lbr]", "nothing is kept for it", PROGRAMS, try_branches },
	[FEATURE_CASTS] = { "casts", "a35b9af4ec2c (\"bpf: Add a kfunc for generic type cast\", v6.2)",
			    "fields are read by plain loads", "a helper is called for each", PROGRAMS, try_casts },
};

/* What each costs the process that lacks it, in the order in which they are named. */
static const struct {
	uint64_t cap;
	const char *name;
} cap_names[] = {
	{ CAP(BPF), "CAP_BPF" },
	{ CAP(PERFMON), "CAP_PERFMON" },
	{ CAP(SYS_ADMIN), "CAP_SYS_ADMIN" },
	{ CAP(SYS_BOOT), "CAP_SYS_BOOT" },
	{ CAP(DAC_READ_SEARCH), "CAP_DAC_READ_SEARCH" },
};

static uint64_t effective_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t caps;

	if (syscall(SYS_capget, &head, data))
		return 0;
	caps = (uint64_t)data[1].effective << 32 | data[0].effective;
	if (caps & CAP(SYS_ADMIN))	/* which once was all of these */
		caps |= CAP(BPF) | CAP(PERFMON);
	if (caps & CAP(DAC_OVERRIDE))
		caps |= CAP(DAC_READ_SEARCH);
	return caps;
}

struct answer {
	bool asked;
	enum feature_state state;
	char needs[96];
};

static struct answer answers[FEATURES];

static void name_caps(uint64_t caps, char *text, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++) {
		if (caps & cap_names[i].cap && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", cap_names[i].name);
	}
}

/* A failure says "no" only if it cannot have been for want of a privilege. */
static void ask(enum feature f, struct answer *answer)
{
	uint64_t lacks = feature_infos[f].caps & ~effective_caps();
	int e = feature_infos[f].try();

	answer->asked = true;
	answer->state = !e ? FEATURE_YES : FEATURE_NO;
	if (!e)
		return;
	if (lacks)
		name_caps(lacks, answer->needs, sizeof(answer->needs));
	else if (e == TRY_NO_TRACEFS)
		snprintf(answer->needs, sizeof(answer->needs), "tracefs, mounted on /sys/kernel/tracing");
	else if (e == -EPERM)
		snprintf(answer->needs, sizeof(answer->needs), "a system that allows it (lockdown, seccomp?)");
	if (answer->needs[0])
		answer->state = FEATURE_UNKNOWN;
}

static const struct answer *answer_of(enum feature f)
{
	if (!answers[f].asked)
		ask(f, &answers[f]);
	return &answers[f];
}

enum feature_state feature_state(enum feature f)
{
	return answer_of(f)->state;
}

const char *feature_needs(enum feature f)
{
	return answer_of(f)->needs;
}

bool feature_has(enum feature f)
{
	return feature_state(f) == FEATURE_YES;
}

int features_suffice(struct err *err)
{
	for (int f = 0; f < FEATURES; f++) {
		const struct feature_info *i = &feature_infos[f];
		enum feature_state state = feature_state((enum feature)f);

		if (f == FEATURE_ADDRESSES)	/* functions_read tells, of sets that probe functions */
			continue;
		if (state == FEATURE_UNKNOWN)
			return err_set(err, ERR_ENVIRONMENT, "whether this kernel has %s cannot be told: that takes %s", i->name,
				       feature_needs((enum feature)f));
		if (state == FEATURE_NO && !i->without)
			return err_set(err, ERR_UNSUPPORTED, "this kernel has no %s, which is for %s: %s", i->name, i->used_for,
				       i->since);
	}
	return 0;
}
