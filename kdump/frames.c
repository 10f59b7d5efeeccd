// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/frames.h"

#include <string.h>

/* Name prefixes of the machinery between a probed function and its handler, on x86-64 and arm64, 6.1 to 6.12. */
static const char *const tools[] = {
	"bpf_prog_", "bpf_trampoline_", "bpf_dispatcher_", "bpf_get_stack", "____bpf_get_stack", "__bpf_get_stack",
	"bpf_get_task_stack", "__bpf_prog_", "bpf_ksym_", "bpf_overflow_handler", "bpf_trace_run", "__bpf_trace_",
	"trace_call_bpf", "kprobe_multi_link_", "uprobe_multi_link_", "fprobe_", "__fprobe_", "ftrace_", "__ftrace_",
	"arch_ftrace_", "kprobe_ftrace_", "kprobe_perf_func", "kprobe_dispatcher", "kretprobe_", "__kretprobe_",
	"aggr_pre_handler", "opt_pre_handler", "optimized_callback", "kprobe_int3_handler", "rethook_",
	"arch_rethook_", "uprobe_", "crash_kexec", "__crash_kexec", "crash_save_cpu", "machine_kexec", "exc_int3",
	"asm_exc_int3", "return_to_handler", "bpf_raw_event_", "perf_trace_", "__traceiter_", "bpf_timer_cb",
};

bool frame_is_tool(const char *symbol)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++)
		if (!strncmp(symbol, tools[i], strlen(tools[i])))
			return true;
	return false;
}

static struct report_frame ask(struct frames *f, uint64_t addr, bool after_call)
{
	struct report_frame frame = { .addr = addr, .module = "" };
	struct ksym sym;

	/* A call that never returns may end its function: the address after it is the next one's first. */
	if (kernel_symbolize(f->k, addr - after_call, &sym, NULL)) {
		frame.symbol = arena_printf(f->arena, "0x%llx", (unsigned long long)addr);
		return frame;
	}
	frame.symbol = arena_printf(f->arena, "%s+0x%llx", sym.name, (unsigned long long)(addr - sym.start));
	frame.module = *sym.module ? arena_strdup(f->arena, sym.module) : "";
	frame.tool = frame_is_tool(sym.name);
	return frame;
}

static size_t slot_of(uint64_t addr, size_t cap)
{
	return (size_t)((addr * 0x9e3779b97f4a7c15ull) >> 32) & (cap - 1);
}

static void grow(struct frames *f)
{
	struct report_frame *old = f->seen;
	size_t n = f->cap;

	f->cap = n ? n * 2 : 256;
	f->seen = arena_array(f->arena, f->cap, sizeof(*f->seen));
	for (size_t i = 0; i < n; i++) {
		size_t s;

		if (!old[i].symbol)
			continue;
		for (s = slot_of(old[i].addr, f->cap); f->seen[s].symbol; s = (s + 1) & (f->cap - 1))
			;
		f->seen[s] = old[i];
	}
}

struct report_frame frames_lookup(struct frames *f, uint64_t addr, bool after_call)
{
	size_t s;

	if (!after_call)
		return ask(f, addr, false);
	if (2 * f->count >= f->cap)
		grow(f);
	for (s = slot_of(addr, f->cap); f->seen[s].symbol; s = (s + 1) & (f->cap - 1))
		if (f->seen[s].addr == addr)
			return f->seen[s];
	f->seen[s] = ask(f, addr, true);
	f->count++;
	return f->seen[s];
}
