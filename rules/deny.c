// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * deny.c - functions that must not be trapped, each with its reason.
 *
 * What an engine, a hook, or the machinery that calls them runs cannot itself be trapped: a hook on
 * bpf_list_push_back_impl whose engine takes the lock that the trapped caller holds spins with interrupts off for
 * ever, and the verifier does not see it. Patterns: a name, or a beginning with '*'.
 */
#include "rules/deny.h"

#include <stddef.h>
#include <string.h>

static const char bpf[] = "it is part of BPF, which every trap runs: a trap there can lock up the machine";
static const char map[] = "BPF maps use it, which every trap does: a trap there can lock up the machine";
static const char lock[] = "traps take locks themselves: a trap in a lock function can lock up the machine";
static const char rcu[] = "traps run under RCU: a trap in its bookkeeping recurses";
static const char trace[] = "it calls the traps: a trap there recurses";
static const char crash[] = "it is on the way to the crash dump, which a trap must not disturb";
static const char nmi[] = "it runs in or around NMIs, where a trap may take no lock";
static const char alloc[] = "traps allocate through it: a trap there recurses";
static const char timer[] = "deadlines of rules run on it: a trap there recurses";
static const char context[] = "it runs where the kernel is not ready for a trap: entry and exit of the kernel";
static const char text[] = "it patches code while traps are placed";

static const struct {
	const char *pattern;
	const char *reason;
} denied[] = {
	{ "bpf_*", bpf }, { "__bpf_*", bpf }, { "___bpf_*", bpf }, { "btf_*", bpf }, { "__btf_*", bpf },
	{ "cgroup_bpf_*", bpf }, { "trace_call_bpf", bpf }, { "__sys_bpf", bpf }, { "___migrate_*", bpf },
	{ "migrate_disable", bpf }, { "migrate_enable", bpf }, { "crash_kexec", crash },
	{ "htab_*", map }, { "__htab_*", map }, { "array_map_*", map }, { "percpu_array_map_*", map },
	{ "alloc_htab_*", map }, { "free_htab_*", map }, { "lookup_elem_*", map }, { "lookup_nulls_*", map },
	{ "pcpu_freelist_*", map }, { "__pcpu_freelist_*", map }, { "___pcpu_freelist_*", map },
	{ "ringbuf_map_*", map }, { "__htab", map }, { "stack_map_*", map }, { "jhash*", map },
	{ "check_and_free_fields", map }, { "check_and_init_map_value", map }, { "copy_map_value*", map },
	{ "rhashtable_*", map }, { "local_storage_*", map }, { "bloom_map_*", map }, { "user_ringbuf_*", map },
	{ "_raw_spin_*", lock }, { "__raw_spin_*", lock }, { "_raw_read_*", lock }, { "_raw_write_*", lock },
	{ "do_raw_spin_*", lock }, { "queued_spin_lock_slowpath", lock }, { "__pv_queued_spin_*", lock },
	{ "native_queued_spin_*", lock }, { "resilient_*", lock }, { "rqspinlock_*", lock }, { "lock_acquire", lock },
	{ "lock_release", lock }, { "lockdep_*", lock }, { "__lock_*", lock }, { "pv_*", lock }, { "__pv_*", lock },
	{ "rcu_read_*", rcu }, { "__rcu_read_*", rcu }, { "rcu_is_watching", rcu }, { "rcu_nmi_*", rcu },
	{ "rcu_irq_*", rcu }, { "ct_nmi_*", rcu }, { "ct_irq_*", rcu }, { "ct_idle_*", rcu }, { "ct_kernel_*", rcu },
	{ "call_rcu*", rcu }, { "__call_rcu*", rcu }, { "rcu_lockdep_*", rcu }, { "rcu_read_unlock_special", rcu },
	{ "ftrace_*", trace }, { "__ftrace_*", trace }, { "function_graph_*", trace }, { "arch_ftrace_*", trace },
	{ "kprobe_*", trace }, { "__kprobe*", trace }, { "kretprobe_*", trace }, { "__kretprobe_*", trace },
	{ "arch_kprobe*", trace }, { "optimized_callback", trace }, { "opt_pre_handler", trace },
	{ "aggr_*_handler", trace }, { "pre_handler_kretprobe", trace }, { "setup_singlestep", trace },
	{ "fprobe_*", trace }, { "__fprobe_*", trace }, { "rethook_*", trace }, { "arch_rethook_*", trace },
	{ "unwind_*", trace }, { "__unwind_*", trace }, { "get_perf_callchain", trace }, { "perf_callchain_*", trace },
	{ "perf_trace_*", trace }, { "perf_tp_event", trace }, { "trace_event_*", trace }, { "__trace_*", trace },
	{ "ring_buffer_*", trace }, { "rb_*", trace }, { "trace_clock*", trace }, { "uprobe_dispatcher", trace },
	{ "in_gate_area_no_mm", trace }, { "kernel_text_address", trace }, { "__kernel_text_address", trace },
	{ "is_bpf_text_address", trace }, { "is_ftrace_trampoline", trace }, { "is_module_text_address", trace },
	{ "ftrace_graph_*", trace }, { "copy_from_kernel_nofault*", trace }, { "copy_from_user_nofault", trace },
	{ "strncpy_from_kernel_nofault", trace }, { "strncpy_from_user_nofault", trace },
	{ "__crash_kexec", crash }, { "crash_*", crash }, { "__crash_*", crash }, { "panic", crash },
	{ "vpanic", crash }, { "nmi_panic*", crash }, { "panic_*", crash }, { "native_machine_crash_*", crash },
	{ "machine_crash_*", crash }, { "machine_kexec*", crash }, { "relocate_kernel*", crash },
	{ "nmi_shootdown_*", crash }, { "kdump_nmi_*", crash }, { "emergency_restart", crash },
	{ "exc_nmi*", nmi }, { "default_do_nmi", nmi }, { "nmi_handle", nmi }, { "nmi_*", nmi }, { "do_nmi", nmi },
	{ "perf_event_nmi_*", nmi }, { "irq_work_*", nmi }, { "__irq_work_*", nmi }, { "in_nmi", nmi },
	{ "pcpu_alloc*", alloc }, { "free_percpu", alloc }, { "unit_alloc", alloc }, { "unit_free", alloc },
	{ "alloc_bulk", alloc }, { "irq_work_raise", alloc }, { "refill_work", alloc },
	{ "ktime_get_mono_fast_ns", timer }, { "ktime_get_boot_fast_ns", timer }, { "__ktime_get_fast_ns", timer },
	{ "hrtimer_start_range_ns", timer }, { "hrtimer_cancel", timer }, { "hrtimer_try_to_cancel", timer },
	{ "__hrtimer_*", timer }, { "hrtimer_init*", timer }, { "hrtimer_interrupt", timer },
	{ "sched_clock*", timer }, { "native_sched_clock", timer }, { "read_tsc", timer },
	{ "asm_*", context }, { "irqentry_*", context }, { "syscall_enter_from_user_mode*", context },
	{ "exit_to_user_mode*", context }, { "enter_from_user_mode", context }, { "do_int3", context },
	{ "exc_int3", context }, { "exc_debug*", context }, { "fixup_exception", context },
	{ "search_exception_tables", context }, { "search_extable", context }, { "error_entry", context },
	{ "text_poke*", text }, { "poke_int3_handler", text }, { "smp_text_poke*", text }, { "static_call_*", text },
};

const char *deny_reason(const char *function)
{
	/* What the compiler made of a function ("free_one.constprop.0") is that function. */
	const char *end = function + strcspn(function, ".");

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		const char *p = denied[i].pattern, *f = function;

		while (f < end && *p == *f) {
			p++;
			f++;
		}
		if (*p == '\0' && f == end)
			return denied[i].reason;
		if (*p != '*')
			continue;
		/* "begin*" or "begin*end" */
		p++;
		if (!*p || ((size_t)(end - f) >= strlen(p) && !strncmp(end - strlen(p), p, strlen(p))))
			return denied[i].reason;
	}
	return NULL;
}
