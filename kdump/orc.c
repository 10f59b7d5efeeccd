// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/orc.h"

#include <string.h>

#define BLOCK 256		/* bytes of code for one entry of orc_lookup (LOOKUP_BLOCK_SIZE) */
#define ENTRIES_MAX (8u << 20)
#define MODULES_MAX 4096
#define OPS_MAX 4096
#define SAVE_REGS (1u << 2)	/* FTRACE_OPS_FL_SAVE_REGS */

/* One table: sorted places of code, as offsets from where they stand, and an entry for each. */
struct table {
	uint64_t from, to;	/* code */
	uint64_t ips, entries;
	uint32_t count;
};

/* Code that ftrace copied. */
struct copy {
	uint64_t from, to, original;
};

struct orc {
	struct kernel *k;
	struct kmember size, sp_offset, bp_offset, sp_reg, bp_reg, type;
	bool has_end;
	struct kmember end;
	struct table kernel, *modules;
	uint64_t init_from, init_to;	/* code of the boot: the first task's outermost frames; same table */
	size_t nmodules;
	struct copy *copies;
	size_t ncopies;
	uint64_t lookup;	/* orc_lookup, or 0 */
};

static int find_layout(struct orc *o, struct err *err)
{
	struct kernel *k = o->k;

	if (kernel_member(k, "orc_entry", "", &o->size, err) ||
	    kernel_member(k, "orc_entry", "sp_offset", &o->sp_offset, err) ||
	    kernel_member(k, "orc_entry", "bp_offset", &o->bp_offset, err) ||
	    kernel_member(k, "orc_entry", "sp_reg", &o->sp_reg, err) ||
	    kernel_member(k, "orc_entry", "bp_reg", &o->bp_reg, err) ||
	    kernel_member(k, "orc_entry", "type", &o->type, err))
		return -1;
	/* fb799447ae29 "x86,objtool: Split UNWIND_HINT_EMPTY in two" (v6.4): `end` became a type, and types moved. */
	o->has_end = !kernel_member(k, "orc_entry", "end", &o->end, NULL);
	return o->size.size >= 4 && o->size.size <= 16 ? 0 :
	       err_set(err, ERR_CORRUPT, "an ORC entry of %u bytes", o->size.size);
}

static int find_kernel(struct orc *o, struct err *err)
{
	struct table *t = &o->kernel;
	uint64_t end;

	if (kernel_symbol(o->k, "_stext", &t->from, err) || kernel_symbol(o->k, "_etext", &t->to, err) ||
	    kernel_symbol(o->k, "__start_orc_unwind_ip", &t->ips, err) ||
	    kernel_symbol(o->k, "__stop_orc_unwind_ip", &end, err) ||
	    kernel_symbol(o->k, "__start_orc_unwind", &t->entries, err))
		return -1;
	if (end <= t->ips || (end - t->ips) / 4 > ENTRIES_MAX)
		return err_set(err, ERR_CORRUPT, "the unwind table (ORC) has %lld entries", (long long)(end - t->ips) / 4);
	t->count = (uint32_t)((end - t->ips) / 4);
	if (kernel_symbol(o->k, "orc_lookup", &o->lookup, NULL))
		o->lookup = 0;
	if (kernel_symbol(o->k, "_sinittext", &o->init_from, NULL) || kernel_symbol(o->k, "_einittext", &o->init_to, NULL))
		o->init_from = o->init_to = 0;
	return 0;
}

/* A module's code: v6.4, ac3b43283923 "module: replace module_layout with module_memory". */
static int module_code(struct kernel *k, uint64_t mod, struct table *t)
{
	struct kmember m;
	uint64_t size;

	if (!kernel_member(k, "module", "mem", &m, NULL)) {
		if (kernel_field(k, mod + m.offset, "module_memory", "base", &t->from, NULL) ||
		    kernel_field(k, mod + m.offset, "module_memory", "size", &size, NULL))
			return -1;
	} else if (kernel_field(k, mod, "module", "core_layout.base", &t->from, NULL) ||
		   kernel_field(k, mod, "module", "core_layout.text_size", &size, NULL)) {
		return -1;
	}
	t->to = t->from + size;
	return t->to > t->from ? 0 : -1;
}

static void find_modules(struct orc *o, struct arena *a)
{
	struct kernel *k = o->k;
	struct kmember link;
	uint64_t head, p, mod, count;
	struct table t;

	if (kernel_symbol(k, "modules", &head, NULL) || kernel_member(k, "module", "list", &link, NULL))
		return;
	p = head;
	for (int i = 0; i < MODULES_MAX && !kernel_u64(k, p, &p, NULL) && p && p != head; i++) {
		mod = p - link.offset;
		if (module_code(k, mod, &t) || kernel_field(k, mod, "module", "arch.num_orcs", &count, NULL) ||
		    kernel_field(k, mod, "module", "arch.orc_unwind_ip", &t.ips, NULL) ||
		    kernel_field(k, mod, "module", "arch.orc_unwind", &t.entries, NULL))
			continue;
		if (!count || count > ENTRIES_MAX)
			continue;
		t.count = (uint32_t)count;
		o->modules = arena_grow(a, o->modules, o->nmodules, sizeof(t));
		o->modules[o->nmodules++] = t;
	}
}

/* kernel/trace/ftrace.c: each ftrace_ops may have a trampoline, a copy of ftrace_caller or ftrace_regs_caller. */
static void find_copies(struct orc *o, struct arena *a)
{
	struct kernel *k = o->k;
	uint64_t p, end, at, size, flags, caller[2];
	struct copy c;

	if (kernel_symbol(k, "ftrace_ops_list", &at, NULL) || kernel_symbol(k, "ftrace_list_end", &end, NULL) ||
	    kernel_symbol(k, "ftrace_caller", &caller[0], NULL) ||
	    kernel_symbol(k, "ftrace_regs_caller", &caller[1], NULL) || kernel_u64(k, at, &p, NULL))
		return;
	for (int i = 0; i < OPS_MAX && p && p != end; i++) {
		if (!kernel_field(k, p, "ftrace_ops", "trampoline", &c.from, NULL) && c.from &&
		    !kernel_field(k, p, "ftrace_ops", "trampoline_size", &size, NULL) &&
		    !kernel_field(k, p, "ftrace_ops", "flags", &flags, NULL)) {
			c.to = c.from + size;
			c.original = caller[(flags & SAVE_REGS) != 0];
			o->copies = arena_grow(a, o->copies, o->ncopies, sizeof(c));
			o->copies[o->ncopies++] = c;
		}
		if (kernel_field(k, p, "ftrace_ops", "next", &p, NULL))
			return;
	}
}

struct orc *orc_open(struct kernel *k, struct arena *a, struct err *err)
{
	struct orc *o = arena_new(a, struct orc);

	o->k = k;
	if (find_layout(o, err) || find_kernel(o, err))
		return NULL;
	find_modules(o, a);
	find_copies(o, a);
	return o;
}

/* Narrow [*lo, *hi) of the kernel's table down to one block of code. */
static void narrow(struct orc *o, uint64_t ip, uint32_t *lo, uint32_t *hi)
{
	uint64_t block = (ip - o->kernel.from) / BLOCK;
	uint32_t start, stop;

	if (!o->lookup || ip < o->kernel.from || ip >= o->kernel.to || kernel_u32(o->k, o->lookup + 4 * block, &start, NULL) ||
	    kernel_u32(o->k, o->lookup + 4 * block + 4, &stop, NULL) || start > stop || stop >= o->kernel.count)
		return;
	*lo = start;
	*hi = stop + 1;
}

/* The last entry at or below ip. */
static int search(struct orc *o, const struct table *t, uint64_t ip, uint32_t *ret, struct err *err)
{
	uint32_t lo = 0, hi = t->count, mid, offset;

	if (t == &o->kernel)
		narrow(o, ip, &lo, &hi);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (kernel_u32(o->k, t->ips + 4ull * mid, &offset, err))
			return err_wrap(err, "unwind table (ORC)");
		if (t->ips + 4ull * mid + (uint64_t)(int64_t)(int32_t)offset <= ip)
			lo = mid;
		else
			hi = mid;
	}
	*ret = lo;
	return 0;
}

static uint32_t bits(const uint8_t *bytes, const struct kmember *m)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < m->size && i < 4; i++)
		v |= (uint32_t)bytes[m->offset + i] << (8 * i);
	return m->bits && m->bits < 32 ? v >> m->bit & ((1u << m->bits) - 1) : v;
}

static enum orc_type type_of(const struct orc *o, uint32_t type, bool end, enum orc_reg sp_reg)
{
	static const enum orc_type now[] = { ORC_NONE, ORC_END, ORC_CALL, ORC_REGS, ORC_REGS_PARTIAL };
	static const enum orc_type before[] = { ORC_CALL, ORC_REGS, ORC_REGS_PARTIAL };

	if (!o->has_end)
		return type < 5 ? now[type] : ORC_NONE;
	if (sp_reg == ORC_UNDEFINED)
		return end ? ORC_END : ORC_NONE;
	return type < 3 ? before[type] : ORC_NONE;
}

static int decode(struct orc *o, uint64_t at, struct orc_entry *ret, struct err *err)
{
	uint8_t b[32] = { 0 };	/* bit-fields are looked up as whole words: room behind the entry */

	if (o->sp_offset.offset + 4 > 16 || o->bp_offset.offset + 4 > 16 || o->sp_reg.offset + 4 > 16 ||
	    o->bp_reg.offset + 4 > 16 || o->type.offset + 4 > 16 || (o->has_end && o->end.offset + 4 > 16))
		return err_set(err, ERR_CORRUPT, "the members of struct orc_entry lie outside of it");
	if (kernel_read(o->k, at, b, o->size.size, err))
		return err_wrap(err, "unwind table (ORC)");
	ret->sp_offset = (int16_t)bits(b, &o->sp_offset);
	ret->bp_offset = (int16_t)bits(b, &o->bp_offset);
	ret->sp_reg = (enum orc_reg)bits(b, &o->sp_reg);
	ret->bp_reg = (enum orc_reg)bits(b, &o->bp_reg);
	ret->type = type_of(o, bits(b, &o->type), o->has_end && bits(b, &o->end), ret->sp_reg);
	return 0;
}

int orc_find(struct orc *o, uint64_t ip, struct orc_entry *ret, struct err *err)
{
	const struct table *t = NULL;
	uint32_t n = 0;

	for (size_t i = 0; i < o->ncopies; i++)
		if (ip >= o->copies[i].from && ip < o->copies[i].to) {
			ip = o->copies[i].original + (ip - o->copies[i].from);
			break;
		}
	if ((ip >= o->kernel.from && ip < o->kernel.to) || (ip >= o->init_from && ip < o->init_to))
		t = &o->kernel;
	for (size_t i = 0; !t && i < o->nmodules; i++)
		if (ip >= o->modules[i].from && ip < o->modules[i].to)
			t = &o->modules[i];
	if (!t)
		return err_set(err, ERR_ABSENT, "no unwind table covers 0x%llx", (unsigned long long)ip);
	if (search(o, t, ip, &n, err))
		return -1;
	return decode(o, t->entries + (uint64_t)o->size.size * n, ret, err);
}
