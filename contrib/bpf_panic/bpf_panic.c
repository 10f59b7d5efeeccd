// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf_panic.c - a kfunc with which BPF programs panic, so that the kernel's log says why.
 *
 * deadfall does without it: its programs then call crash_kexec(), which takes the dump and logs nothing. With this
 * module loaded before the set, the log, and so the dump's dmesg and the console, end with
 *
 *	Kernel panic - not syncing: bpf_panic: rule NAME: REASON
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>

#define REASON_MAX 127

/* Before v6.7 nothing keeps the compiler from warning about a kfunc's missing prototype, nor from inlining it. */
void bpf_panic(const char *reason, u32 rule);

#ifdef __bpf_kfunc
#define KFUNC __bpf_kfunc
#else
#define KFUNC __used noinline
#endif

/* reason: "NAME: REASON", 0-terminated within REASON_MAX bytes; rule: its number in the set. */
KFUNC void bpf_panic(const char *reason, u32 rule)
{
	panic("bpf_panic: rule %.*s [%u]", REASON_MAX, reason, rule);
}

#ifdef BTF_KFUNCS_START	/* v6.9 */
BTF_KFUNCS_START(bpf_panic_ids)
BTF_ID_FLAGS(func, bpf_panic, KF_DESTRUCTIVE)
BTF_KFUNCS_END(bpf_panic_ids)
#else
BTF_SET8_START(bpf_panic_ids)
BTF_ID_FLAGS(func, bpf_panic, KF_DESTRUCTIVE)
BTF_SET8_END(bpf_panic_ids)
#endif

static const struct btf_kfunc_id_set bpf_panic_set = {.owner = THIS_MODULE, .set = &bpf_panic_ids};

static int __init bpf_panic_init(void)
{
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &bpf_panic_set);

	if (!err)
		err = register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &bpf_panic_set);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	/* A kernel that has no kfuncs for this type forgets those of TRACING when asked: so never on old ones. */
	if (!err)
		err = register_btf_kfunc_id_set(BPF_PROG_TYPE_KPROBE, &bpf_panic_set);
#endif
	return err;
}

static void __exit bpf_panic_exit(void)
{
}

module_init(bpf_panic_init);
module_exit(bpf_panic_exit);
MODULE_DESCRIPTION("kfunc bpf_panic(): panic from BPF with a message");
MODULE_LICENSE("GPL");
