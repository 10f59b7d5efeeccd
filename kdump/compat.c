// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/compat.h"

const struct compat_alias compat_aliases[] = {
	/*
	 * e57ef2ed97c1 "x86: Put hot per CPU variables into a struct", 64701838bf05 "x86/percpu: Move preempt_count
	 * next to current", c063a217bc07 "x86/percpu: Move current_top_of_stack next to current_task" and others (v6.2)
	 * moved these per-CPU variables into struct pcpu_hot; v6.15 moved them out again. Without them crash sees one
	 * CPU and no tasks.
	 */
	{ "current_task", "pcpu_hot", "pcpu_hot", "current_task", "struct task_struct *" },
	{ "cpu_number", "pcpu_hot", "pcpu_hot", "cpu_number", "int" },
	{ "hardirq_stack_ptr", "pcpu_hot", "pcpu_hot", "hardirq_stack_ptr", "long unsigned int" },
	/*
	 * crash recognizes a kernel with KASLR by this symbol; v6.10, 223b5e57d0d5 "mm/execmem, arch: convert remaining
	 * overrides of module_alloc to execmem", dropped it. Without it the user has to say --kaslr=auto.
	 */
	{ "module_load_offset", "kaslr_regions", NULL, NULL, NULL },
	/*
	 * crash takes HZ from a constant in the scope of this function; 3e9a99eba058 "block/mq-deadline: Rename
	 * dd_init_queue() and dd_exit_queue()" (v5.14) renamed it, and mostly it is in a module that is not loaded. Code
	 * through which no backtrace leads stands in for it (compat_hz()).
	 */
	{ "dd_init_queue", "_sinittext", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

const struct compat_global compat_globals[] = {
	{ "runqueues", "struct rq" },
	{ "init_task", "struct task_struct" },
	{ "cpu_info", "struct cpuinfo_x86" },
	{ "boot_cpu_data", "struct cpuinfo_x86" },
	{ "__per_cpu_offset", "long unsigned int [8192]" },
	{ "modules", "struct list_head" },
	{ "node_data", "struct pglist_data * [1024]" },
	{ "init_mm", "struct mm_struct" },
	{ "init_pid_ns", "struct pid_namespace" },
	{ "init_uts_ns", "struct uts_namespace" },
	{ "slab_caches", "struct list_head" },
	{ "cpu_tss_rw", "struct tss_struct" },
	{ "__cpu_online_mask", "struct cpumask" },
	{ "__cpu_possible_mask", "struct cpumask" },
	{ "__cpu_present_mask", "struct cpumask" },
	{ "__cpu_active_mask", "struct cpumask" },
	{ "prb", "struct printk_ringbuffer *" },
	{ "page_offset_base", "long unsigned int" },
	{ "vmalloc_base", "long unsigned int" },
	{ "vmemmap_base", "long unsigned int" },
	{ "phys_base", "long unsigned int" },
	{ "super_blocks", "struct list_head" },
	{ "console_printk", "int [4]" },
	{ "jiffies_64", "long unsigned int" },
	{ "jiffies", "long unsigned int" },
	{ "shadow_timekeeper", "struct timekeeper" },
	{ "tk_core", NULL },
	{ "mem_section", "struct mem_section * *" },
	{ "vmap_area_list", "struct list_head" },
	{ "nr_cpu_ids", "unsigned int" },
	{ "avenrun", "long unsigned int [3]" },
	{ "irq_desc", "struct irq_desc [1]" },
	{ "map_idr", "struct idr" },
	{ "prog_idr", "struct idr" },
	{ "link_idr", "struct idr" },
	{ "btf_idr", "struct idr" },
	{ "init_top_pgt", "pgd_t [512]" },
	{ "init_files", "struct files_struct" },
	{ "root_task_group", "struct task_group" },
	{ "linux_banner", "char [256]" },
	{ "crashing_cpu", "int" },
	{ "current_task", "struct task_struct *" },
	{ "cpu_number", "int" },
	{ "pcpu_hot", "struct pcpu_hot" },
	{ NULL, NULL },
};

/*
 * f1a7941243c1 "mm: convert mm's rss stats into percpu_counter" (v6.2) made rss_stat an array; crash takes a member of
 * that name to be the old struct and finds it invalid in `ps`.
 */
static size_t patch_rss(struct kernel *k, struct dwarf_patch *ret)
{
	struct kmember m;

	if (!kernel_member(k, "mm_rss_stat", "count", &m, NULL) || kernel_member(k, "mm_struct", "rss_stat", &m, NULL))
		return 0;
	*ret = (struct dwarf_patch){ DWARF_RENAME, "mm_struct", "rss_stat", "rss_stat_counters", 0 };
	return 1;
}

/*
 * b69f0aeb0689 "pid: Replace struct pid 1-element array with flex-array" (v6.5, and stable 6.1): crash reads
 * sizeof(struct pid) bytes and looks for the first number in them, which is behind them now; then `ps` has no tasks
 * but the running ones.
 */
static size_t patch_pid(struct kernel *k, struct dwarf_patch *ret)
{
	struct kmember numbers, upid, whole;

	if (kernel_member(k, "pid", "numbers", &numbers, NULL) || kernel_member(k, "upid", "", &upid, NULL) ||
	    kernel_member(k, "pid", "", &whole, NULL) || whole.size >= numbers.offset + upid.size)
		return 0;
	*ret = (struct dwarf_patch){ DWARF_RESIZE, "pid", NULL, NULL, numbers.offset + upid.size };
	return 1;
}

/*
 * ac3b43283923 "module: replace module_layout with module_memory" (v6.4): crash 8.0.2 knows two areas of a module, one that
 * stays and one that goes when it is initialized, in one piece each. Text (mem[0]) stands in for the first; for the second
 * data (mem[1]), with the symbol table that crash reads and that must lie in one of the two. It goes through the tables of
 * exported symbols as well, which are in neither, and computes sizes below zero: their numbers are shown as other members,
 * and where crash looks is the module's state, 0 for one that lives.
 */
static size_t patch_module(struct kernel *k, struct dwarf_patch *ret)
{
	static const struct {
		const char *name, *type, *member;
		uint32_t index;
	} old[] = {
		{ "module_core", "long unsigned int", "base", 0 }, { "core_size", "unsigned int", "size", 0 },
		{ "core_text_size", "unsigned int", "size", 0 },   { "module_init", "long unsigned int", "base", 1 },
		{ "init_size", "unsigned int", "size", 1 },	    { "init_text_size", "unsigned int", "size", 4 },
	};
	struct kmember mem, one, m;
	size_t n = 0;

	if (kernel_member(k, "module", "mem", &mem, NULL) || kernel_member(k, "module_memory", "", &one, NULL))
		return 0;
	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++)
		if (!kernel_member(k, "module_memory", old[i].member, &m, NULL))
			ret[n++] = (struct dwarf_patch){ DWARF_ADD, "module", old[i].name, old[i].type,
							 mem.offset + old[i].index * one.size + m.offset };
	if (kernel_member(k, "module", "state", &m, NULL))
		return n;
	ret[n++] = (struct dwarf_patch){ DWARF_RENAME, "module", "num_syms", "num_exported", 0 };
	ret[n++] = (struct dwarf_patch){ DWARF_RENAME, "module", "num_gpl_syms", "num_gpl_exported", 0 };
	ret[n++] = (struct dwarf_patch){ DWARF_ADD, "module", "num_syms", "unsigned int", m.offset };
	ret[n++] = (struct dwarf_patch){ DWARF_ADD, "module", "num_gpl_syms", "unsigned int", m.offset };
	return n;
}

void compat_patches(struct kernel *k, struct dwarf_patch ret[COMPAT_PATCHES_MAX])
{
	size_t n = 0;

	n += patch_rss(k, ret + n);
	n += patch_pid(k, ret + n);
	n += patch_module(k, ret + n);
	ret[n] = (struct dwarf_patch){ DWARF_RENAME, NULL, NULL, NULL, 0 };
}

uint32_t compat_thread_size(struct kernel *k)
{
	uint64_t from, to;

	/* The first task's stack lies between these (include/asm-generic/vmlinux.lds.h, INIT_TASK_DATA). */
	if (!kernel_symbol(k, "__start_init_stack", &from, NULL) && !kernel_symbol(k, "__end_init_stack", &to, NULL) &&
	    to - from >= 4096 && to - from <= 65536)
		return (uint32_t)(to - from);
	return 16384;		/* x86-64 without KASAN */
}

struct dwarf_scoped compat_hz(struct kernel *k)
{
	struct dwarf_scoped none = { NULL, 0, 0 }, hz = { "write_expire", 0, 0 };
	uint64_t tick, addr;

	/* Nanoseconds of a tick as NTP has adjusted them. */
	if (kernel_symbol(k, "tick_nsec", &tick, NULL) || kernel_u64(k, tick, &tick, NULL) || tick < 500000 ||
	    tick > 20000000 || kernel_symbol(k, "_sinittext", &addr, NULL))
		return none;
	hz.value = (int32_t)(5 * ((1000000000 + tick / 2) / tick));
	hz.addr = addr;
	return hz;
}

/* What scripts/orc_hash.sh makes of v6.3's arch/x86/include/asm/orc_types.h. */
const uint8_t compat_orc_header[20] = { 0xdb, 0x84, 0xae, 0xd4, 0x10, 0x3b, 0x31, 0xdd, 0x51, 0xe0,
					0x17, 0xf8, 0xf7, 0x97, 0x83, 0xca, 0x98, 0x5c, 0x2c, 0x51 };

/*
 * fb799447ae29 "x86,objtool: Split UNWIND_HINT_EMPTY in two" (v6.4) made the flag `end` a type and moved the others; drgn
 * 0.0.22 knows the encoding before. They are shown as ffb1b4a41016 "x86/unwind/orc: Add 'signal' field to ORC metadata"
 * (v6.3) had them, with the flag `end` where it had been before, too: where a stack ends, nobody asks for `signal`.
 */
bool compat_orc_changed(struct kernel *k)
{
	struct kmember type, whole;

	return !kernel_member(k, "orc_entry", "", &whole, NULL) && whole.size == COMPAT_ORC_ENTRY &&
	       !kernel_member(k, "orc_entry", "type", &type, NULL) && type.bits == 3;
}

void compat_orc_entry(uint8_t entry[COMPAT_ORC_ENTRY])
{
	enum { NONE, END, CALL };	/* since v6.4; two kinds of registers follow */
	unsigned int flags = entry[4] | entry[5] << 8, type = flags >> 8 & 7, signal = flags >> 11 & 1, end = 0;

	if (type < CALL) {
		flags &= ~0xfu;		/* no register to start from */
		end = type == END ? 0xc00 : 0;
		type = CALL;
		signal = 0;
	}
	flags = (flags & 0xff) | (type - CALL) << 8 | signal << 10 | end;
	entry[4] = (uint8_t)flags;
	entry[5] = (uint8_t)(flags >> 8);
}
