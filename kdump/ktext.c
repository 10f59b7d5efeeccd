// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/ktext.h"
#include "lib/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 4096
#define KSYMS_MAX 65536
#define OPS_MAX 4096
#define MODULE_SYMS_MAX 200000
#define PAGE 4096

struct range {
	uint64_t start, end;
	uint64_t kallsyms;	/* struct mod_kallsyms, or 0: the range is one symbol */
	char name[128];		/* of the module, or of the symbol */
};

struct ktext {
	struct range *ranges;
	size_t count, room;
};

static int add_range(struct ktext *t, const struct range *r)
{
	struct range *grown;

	if (t->count == t->room) {
		grown = realloc(t->ranges, (t->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -1;
		t->ranges = grown;
		t->room = t->room * 2 + 16;
	}
	t->ranges[t->count++] = *r;
	return 0;
}

/* A C string, cut to size; a page that cannot be read ends it. */
static int read_string(struct kernel *k, uint64_t addr, char *text, size_t size, struct err *err)
{
	size_t n = 0, part;

	while (n + 1 < size) {
		part = PAGE - (addr + n) % PAGE;
		part = part < size - 1 - n ? part : size - 1 - n;
		if (kernel_read(k, addr + n, text + n, part, n ? NULL : err)) {
			text[n] = '\0';
			return n ? 0 : -1;
		}
		if (memchr(text + n, 0, part))
			return 0;
		n += part;
	}
	text[n] = '\0';
	return 0;
}

/*
 * Where a module's code lies. v6.4, ac3b43283923 "module: replace module_layout with module_memory", moved it from
 * core_layout to mem[MOD_TEXT], the first of them.
 */
static int module_text(struct kernel *k, uint64_t mod, uint64_t *base, uint64_t *size)
{
	struct kmember m;

	if (!kernel_member(k, "module", "mem", &m, NULL))
		return kernel_field(k, mod + m.offset, "module_memory", "base", base, NULL) ||
		       kernel_field(k, mod + m.offset, "module_memory", "size", size, NULL);
	return kernel_field(k, mod, "module", "core_layout.base", base, NULL) ||
	       kernel_field(k, mod, "module", "core_layout.text_size", size, NULL);
}

static int add_module(struct ktext *t, struct kernel *k, uint64_t mod)
{
	struct range r = { 0 };
	struct kmember name;
	uint64_t size;

	if (module_text(k, mod, &r.start, &size) || kernel_member(k, "module", "name", &name, NULL))
		return 0;
	if (kernel_field(k, mod, "module", "kallsyms", &r.kallsyms, NULL))
		r.kallsyms = 0;
	read_string(k, mod + name.offset, r.name, name.size < sizeof(r.name) ? name.size + 1 : sizeof(r.name), NULL);
	r.end = r.start + size;
	return r.end > r.start ? add_range(t, &r) : 0;
}

static int add_bpf(struct ktext *t, struct kernel *k, uint64_t ksym)
{
	struct range r = { 0 };
	struct kmember name;

	if (kernel_field(k, ksym, "bpf_ksym", "start", &r.start, NULL) ||
	    kernel_field(k, ksym, "bpf_ksym", "end", &r.end, NULL) ||
	    kernel_member(k, "bpf_ksym", "name", &name, NULL))
		return 0;
	read_string(k, ksym + name.offset, r.name, sizeof(r.name), NULL);
	return r.end > r.start ? add_range(t, &r) : 0;
}

/* Walk the list at symbol `head`, whose entries are linked at type.link. Fails only without memory. */
static int walk(struct ktext *t, struct kernel *k, const char *head, const char *type, const char *link, int max,
		int (*add)(struct ktext *t, struct kernel *k, uint64_t entry))
{
	struct kmember m;
	uint64_t at, p;

	if (kernel_symbol(k, head, &at, NULL) || kernel_member(k, type, link, &m, NULL))
		return 0;
	for (p = at; max-- > 0;) {
		if (kernel_u64(k, p, &p, NULL) || p == at || !p)
			return 0;
		if (add(t, k, p - m.offset))
			return -1;
	}
	return 0;
}

/* What ftrace wrote: a copy of its entry code for each ftrace_ops that has one. Fails only without memory. */
static int add_trampolines(struct ktext *t, struct kernel *k)
{
	struct range r = { .name = "ftrace_trampoline" };
	uint64_t p, end, at, size;

	if (kernel_symbol(k, "ftrace_ops_list", &at, NULL) || kernel_symbol(k, "ftrace_list_end", &end, NULL) ||
	    kernel_u64(k, at, &p, NULL))
		return 0;
	for (int i = 0; i < OPS_MAX && p && p != end; i++) {
		if (kernel_field(k, p, "ftrace_ops", "trampoline", &r.start, NULL) ||
		    kernel_field(k, p, "ftrace_ops", "trampoline_size", &size, NULL))
			return 0;
		r.end = r.start + size;
		if (r.start && r.end > r.start && add_range(t, &r))
			return -1;
		if (kernel_field(k, p, "ftrace_ops", "next", &p, NULL))
			return 0;
	}
	return 0;
}

struct ktext *ktext_create(struct kernel *k, struct err *err)
{
	struct ktext *t = calloc(1, sizeof(*t));

	if (t && !walk(t, k, "modules", "module", "list", MODULES_MAX, add_module) &&
	    !walk(t, k, "bpf_kallsyms", "bpf_ksym", "lnode", KSYMS_MAX, add_bpf) && !add_trampolines(t, k))
		return t;
	ktext_destroy(t);
	err_nomem(err);
	return NULL;
}

void ktext_destroy(struct ktext *t)
{
	if (!t)
		return;
	free(t->ranges);
	free(t);
}

/* The defined symbol nearest below or at addr; of several at one address the first. */
static const uint8_t *nearest_sym(const uint8_t *syms, uint64_t count, uint64_t addr, uint64_t *start, uint32_t *name)
{
	const uint8_t *best = NULL;
	uint64_t best_value = 0, value;
	struct cursor c;
	uint32_t str;

	for (uint64_t i = 0; i < count; i++) {
		c = cursor_init(syms + i * 24, 24);	/* Elf64_Sym */
		str = cursor_u32(&c);
		cursor_u16(&c);
		if (!cursor_u16(&c) || !str)		/* SHN_UNDEF, or no name */
			continue;
		value = cursor_u64(&c);
		if (value > addr || (best && value <= best_value))
			continue;
		best = syms + i * 24;
		best_value = value;
		*name = str;
	}
	*start = best_value;
	return best;
}

static int module_symbol(struct kernel *k, const struct range *r, uint64_t addr, struct ksym *ret, struct err *err)
{
	uint64_t symtab, strtab, count;
	uint32_t name = 0;
	uint8_t *syms;
	int rc = 0;

	if (kernel_field(k, r->kallsyms, "mod_kallsyms", "symtab", &symtab, err) ||
	    kernel_field(k, r->kallsyms, "mod_kallsyms", "strtab", &strtab, err) ||
	    kernel_field(k, r->kallsyms, "mod_kallsyms", "num_symtab", &count, err))
		return -1;
	if (count > MODULE_SYMS_MAX)
		return err_set(err, ERR_CORRUPT, "module %s has %llu symbols", r->name, (unsigned long long)count);
	syms = kernel_read_new(k, symtab, count * 24, err);
	if (!syms)
		return -1;
	if (!nearest_sym(syms, count, addr, &ret->start, &name))
		rc = err_set(err, ERR_ABSENT, "module %s has no symbol there", r->name);
	else
		rc = read_string(k, strtab + name, ret->name, sizeof(ret->name), err);
	free(syms);
	return rc;
}

/* Not a module: BPF's code, or ftrace's. */
static bool is_generated(const char *name)
{
	return !strncmp(name, "bpf_", 4) || !strcmp(name, "ftrace_trampoline");
}

int ktext_symbolize(struct ktext *t, struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	const struct range *r = t->ranges;

	for (size_t i = 0; i < t->count; i++, r++) {
		if (addr < r->start || addr >= r->end)
			continue;
		memset(ret, 0, sizeof(*ret));
		if (!r->kallsyms && !is_generated(r->name)) {
			/* A module without a symbol table: the module is better than nothing. */
			snprintf(ret->name, sizeof(ret->name), "%s", r->name);
			snprintf(ret->module, sizeof(ret->module), "%.63s", r->name);
			ret->start = r->start;
			return 0;
		}
		snprintf(ret->module, sizeof(ret->module), "%.63s",
			 r->kallsyms ? r->name : r->name[0] == 'f' ? "ftrace" : "bpf");
		if (r->kallsyms)
			return module_symbol(k, r, addr, ret, err);
		snprintf(ret->name, sizeof(ret->name), "%s", r->name);
		ret->start = r->start;
		return 0;
	}
	return err_set(err, ERR_ABSENT, "no code known at 0x%llx", (unsigned long long)addr);
}
