// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * runtime.bpf.c - the kernel side that every set is linked with.
 *
 * A hook (generated) evaluates what is stateless, fills the record of its program in df_scratch and calls df_hit.
 * Hooks of kprobe type may not use lists or locks; a TRACING program attached to their copy of df_hit may, and runs
 * synchronously inside the call: the engine. One engine program attaches to one hook program, so there is one of
 * each flavour per hook; the agent loads those it needs.
 */
#include "bpf/control.h"
#include "bpf/engine_list.h"
#include "bpf/engine_ring.h"
#include "bpf/hook.h"

const volatile struct df_has df_has SEC(".rodata.df_has") = { .crash_kexec = 1 };
const volatile struct df_places_at df_places_at SEC(".rodata.df_places") = { 0 };
struct df_ctl df_ctl SEC(".data.df_ctl") = { .version = DF_VERSION };

#define ENGINE(n)                                                                                                  \
	SEC("?" DF_SEC_ENGINE) int BPF_PROG(df_list##n, __u32 prog)                                                 \
	{                                                                                                          \
		struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);                                        \
		if (r)                                                                                             \
			engine_list(r, prog);                                                                      \
		return 0;                                                                                          \
	}                                                                                                          \
	SEC("?" DF_SEC_ENGINE) int BPF_PROG(df_ring##n, __u32 prog)                                                 \
	{                                                                                                          \
		struct df_rec *r = bpf_map_lookup_elem(&df_scratch, &prog);                                        \
		if (r)                                                                                             \
			engine_ring(r, prog);                                                                      \
		return 0;                                                                                          \
	}

ENGINE(0)
ENGINE(1)
ENGINE(2)
ENGINE(3)
ENGINE(4)
ENGINE(5)
ENGINE(6)

/* Run by who wrote commands to df_in; returns how many were applied or refused, or a negative error. */
SEC("?syscall") int df_drain(void *ctx)
{
	return bpf_user_ringbuf_drain(&df_in, control_apply, NULL, BPF_RB_NO_WAKEUP);
}

/*
 * Run by the agent on each CPU before the set is attached. The kernel keeps one node of such a size ready on each CPU, and
 * makes more ready, a dozen, by an interrupt: too late for the second event of those that come while interrupts are off.
 */
SEC("?tc") int df_nodes_ready(void *ctx)
{
	struct df_node *n = bpf_obj_new_impl(bpf_core_type_id_local(struct df_node), NULL);

	if (n)
		bpf_obj_drop_impl(n, NULL);
	return 0;
}

/*
 * The agent dies, in order or by SIGKILL (of the OOM killer, say). The kernel then takes its probes away one after the
 * other, which may take a minute; this comes before (kernel/exit.c, do_exit: trace_sched_process_exit, exit_files).
 */
SEC("?tp_btf/sched_process_exit") int df_guardian(void *ctx)
{
	__u64 task = bpf_get_current_pid_tgid();

	if (df_ctl.tgid && task >> 32 == df_ctl.tgid && (__u32)task == df_ctl.tgid)
		df_ctl.frozen = DF_FROZEN_PARTIAL;
	return 0;
}

/* One element of df_modules: is it the module that goes? */
static long module_look(__u32 i, struct df_module *gone)
{
	const struct df_module *m = bpf_map_lookup_elem(&df_modules, &i);
	__u64 differs = 0;

	if (!m)
		return 1;
#pragma unroll
	for (int k = 0; k < DF_MODULE_NAME / 8; k++)
		differs |= m->name[k] ^ gone->name[k];
	if (differs)
		return 0;
	if (!__sync_val_compare_and_swap(&df_ctl.frozen, DF_FROZEN_NOT, DF_FROZEN_PARTIAL)) {
		df_ctl.gone = i + 1;
		note(DF_NOTE_GONE, i);
	}
	return 1;
}

/*
 * A module goes, and with it the probes that do not hold it: nothing of it happens any more, and what the others see would
 * be taken for all. The agent learns of it later.
 */
SEC("?tp_btf/module_free") int BPF_PROG(df_module_gone, struct module *mod)
{
	const __u64 *name = (const __u64 *)&mod->name;
	struct df_module gone;

#pragma unroll
	for (int k = 0; k < DF_MODULE_NAME / 8; k++)
		gone.name[k] = name[k];
	bpf_loop(DF_MODULES, module_look, &gone, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
