// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

const struct feature_info feature_infos[FEATURES] = {
	[FEATURE_KPROBE_MULTI] = { "kprobe_multi", "0dcac2725406 (\"bpf: Add multi kprobe link\", v5.18), CONFIG_FPROBE",
				   "one link for thousands of functions",
				   "a kprobe for each function, at most 1024" },
	[FEATURE_LISTS] = { "lists", "8cab76ec6349 (\"bpf: Introduce single ownership BPF linked list API\", v6.2), in tracing "
				     "programs v6.3",
			    "history of every key", "history in arrays, sized when the set is loaded" },
	[FEATURE_CRASH_KEXEC] = { "crash_kexec", "133790596406 (\"bpf: export crash_kexec() as destructive kfunc\", v6.1)",
				  "the panic action", "sysrq-c by the agent, later than the bug" },
};

static bool has_kfunc(const char *name)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Load a program that does nothing and attach it to one function. */
static bool try_kprobe_multi(void)
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
	if (fd >= 0)
		close(fd);
	close(prog);
	return fd >= 0;
}

bool feature_has(enum feature f)
{
	static signed char known[FEATURES];	/* 0: not asked, 1: yes, -1: no */
	bool has = false;

	if (known[f])
		return known[f] > 0;
	switch (f) {
	case FEATURE_KPROBE_MULTI:
		has = try_kprobe_multi();
		break;
	case FEATURE_LISTS:
		has = has_kfunc("bpf_list_push_back_impl") && has_kfunc("bpf_obj_new_impl");
		break;
	case FEATURE_CRASH_KEXEC:
		has = has_kfunc("crash_kexec");
		break;
	case FEATURES:
		break;
	}
	known[f] = has ? 1 : -1;
	return has;
}
