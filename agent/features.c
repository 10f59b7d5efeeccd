// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "agent/session.h"

#include "agent/losses.h"

const struct feature_info feature_infos[FEATURES] = {
	[FEATURE_KPROBE_MULTI] = { "kprobe_multi", "0dcac2725406 (\"bpf: Add multi kprobe link\", v5.18), CONFIG_FPROBE",
				   "one link for thousands of functions",
				   "a kprobe for each function, at most 1024" },
	[FEATURE_LISTS] = { "lists", "8cab76ec6349 (\"bpf: Introduce single ownership BPF linked list API\", v6.2), in tracing "
				     "programs v6.3",
			    "history of every key", "history in arrays, sized when the set is loaded" },
	[FEATURE_CRASH_KEXEC] = { "crash_kexec", "133790596406 (\"bpf: export crash_kexec() as destructive kfunc\", v6.1)",
				  "the panic action", "sysrq-c by the agent, later than the bug" },
	[FEATURE_BPF_PANIC] = { "bpf_panic", "the module in contrib/bpf_panic, loaded before the set",
				"a panic message that names the rule, in the kernel log", "crash_kexec, which logs nothing" },
	[FEATURE_USER_RINGBUF] = { "user_ringbuf", "20571567384428 (\"bpf: Add bpf_user_ringbuf_drain() helper\", v6.1)",
				   "commands to a running set: set, arm, disarm, mark",
				   "plain stores for set, arm and disarm; no mark" },
	[FEATURE_STATS] = { "run_time_stats", "d46edd671a14 (\"bpf: Sharing bpf runtime stats with BPF_ENABLE_STATS\", v5.8)",
			    "the brake: a set that takes too much of a CPU lets go of its probes", "no brake" },
	[FEATURE_MISSED] = { "link_missed", "7ac8d0d26192 (\"bpf: Add missed value to kprobe_multi link info\", v6.7)",
			     "calls that probes missed are known", "only those that met another BPF program are" },
	[FEATURE_SESSION] = { "kprobe_session", "535a3692ba72 (\"bpf: Add support for kprobe session attach\", v6.10)",
			      "values of the entry at the return of many functions", "fexit, at most 256 functions" },
};

/* The bpf_panic kfunc is in the BTF of its module. */
static bool has_bpf_panic(void)
{
	struct btf *vmlinux, *module;
	bool has;

	if (access("/sys/kernel/btf/bpf_panic", R_OK))
		return false;
	vmlinux = btf__load_vmlinux_btf();
	module = vmlinux ? btf__load_module_btf("bpf_panic", vmlinux) : NULL;
	has = module && btf__find_by_name_kind(module, "bpf_panic", BTF_KIND_FUNC) > 0;
	btf__free(module);
	btf__free(vmlinux);
	return has;
}

static bool try_user_ringbuf(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_USER_RINGBUF, "df_try", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool try_stats(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_kfunc(const char *name)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/*
 * Load a program that does nothing and attach it to one function. missed: whether the link's information has the
 * number of calls it missed.
 */
static bool try_kprobe_multi(bool *missed)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const char *syms[] = { "vfs_read" };
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, link, .kprobe_multi.syms = syms, .kprobe_multi.cnt = 1);
	int prog, fd;

	prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "df_try", "GPL", insns, 2, &load);
	if (prog < 0)
		return false;
	fd = bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &link);
	*missed = fd >= 0 && link_missed(fd) >= 0;
	if (fd >= 0)
		close(fd);
	close(prog);
	return fd >= 0;
}

static bool try_session(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const char *syms[] = { "vfs_read" };
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = (enum bpf_attach_type)TRACE_KPROBE_SESSION);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "df_try", "GPL", insns, 2, &load), fd;

	if (prog < 0)
		return false;
	fd = session_attach(prog, syms, NULL, NULL, 1);
	if (fd >= 0)
		close(fd);
	close(prog);
	return fd >= 0;
}

bool feature_has(enum feature f)
{
	static signed char known[FEATURES];	/* 0: not asked, 1: yes, -1: no */
	bool has = false, missed;

	if (known[f])
		return known[f] > 0;
	switch (f) {
	case FEATURE_KPROBE_MULTI:
		has = try_kprobe_multi(&missed);
		break;
	case FEATURE_MISSED:
		has = try_kprobe_multi(&missed) && missed;
		break;
	case FEATURE_LISTS:
		has = has_kfunc("bpf_list_push_back_impl") && has_kfunc("bpf_obj_new_impl");
		break;
	case FEATURE_CRASH_KEXEC:
		has = has_kfunc("crash_kexec");
		break;
	case FEATURE_BPF_PANIC:
		has = has_bpf_panic();
		break;
	case FEATURE_USER_RINGBUF:
		has = try_user_ringbuf();
		break;
	case FEATURE_STATS:
		has = try_stats();
		break;
	case FEATURE_SESSION:
		has = has_kfunc("bpf_session_is_return") && has_kfunc("bpf_session_cookie") && try_session();
		break;
	case FEATURES:
		break;
	}
	known[f] = has ? 1 : -1;
	return has;
}
