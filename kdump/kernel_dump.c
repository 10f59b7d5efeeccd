// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_dump.c - answers about a kernel from the memory of its dump.
 *
 * VMCOREINFO tells where kallsyms is (since v6.0, 5fd8fea935a1 "vmcoreinfo: include kallsyms symbols"); kallsyms
 * tells where BTF is (__start_BTF); BTF gives the layout of everything else. Each is read once, when first needed;
 * a failure is kept and given to everyone who asks.
 */
#include "kdump/kernel_dump.h"
#include "kdump/ktext.h"
#include "kdump/mem.h"
#include "kdump/vmcoreinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (4u << 20)
#define NAMES_MAX (32u << 20)
#define BTF_MAX (32u << 20)

struct kernel_dump {
	struct kernel kernel;
	struct mem *mem;
	struct dump_info info;
	struct kallsyms *symbols;
	struct ktypes *types;
	struct ktext *text;
	uint64_t image[2][2];		/* kernel code: text, init text */
	bool tried_symbols, tried_types;
	struct err symbols_err, types_err;
};

static int dump_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err)
{
	return mem_read(((struct kernel_dump *)k)->mem, addr, buf, len, err);
}

static int dump_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err)
{
	return vmcoreinfo_get(((struct kernel_dump *)k)->info.vmcoreinfo, key, value, size, err);
}

/* Where the parts of kallsyms are. */
struct kallsyms_places {
	uint64_t num, names, tokens, index, offsets, base;
};

static int find_kallsyms(const char *info, struct kallsyms_places *p, struct err *err)
{
	if (!vmcoreinfo_symbol(info, "kallsyms_num_syms", &p->num, err) &&
	    !vmcoreinfo_symbol(info, "kallsyms_names", &p->names, err) &&
	    !vmcoreinfo_symbol(info, "kallsyms_token_table", &p->tokens, err) &&
	    !vmcoreinfo_symbol(info, "kallsyms_token_index", &p->index, err) &&
	    !vmcoreinfo_symbol(info, "kallsyms_offsets", &p->offsets, err) &&
	    !vmcoreinfo_symbol(info, "kallsyms_relative_base", &p->base, err))
		return 0;
	return err_wrap(err, "symbols (kernels since 6.0 tell where theirs are)");
}

static int read_kallsyms(struct kernel_dump *d, struct kallsyms_raw *raw, struct err *err)
{
	struct kallsyms_places p;
	struct kernel *k = &d->kernel;

	if (find_kallsyms(d->info.vmcoreinfo, &p, err) || kernel_u32(k, p.num, &raw->num, err) ||
	    kernel_u64(k, p.base, &raw->relative_base, err) ||
	    kernel_read(k, p.index, raw->token_index, sizeof(raw->token_index), err))
		return -1;
	if (raw->num > SYMBOLS_MAX || p.names >= p.tokens || p.tokens - p.names > NAMES_MAX || p.tokens >= p.index ||
	    p.index - p.tokens > 65536)
		return err_set(err, ERR_CORRUPT, "the symbol tables are not where they could be (%u symbols)",
			       raw->num);
	raw->names_len = p.tokens - p.names;
	raw->token_table_len = p.index - p.tokens;
	raw->names = kernel_read_new(k, p.names, raw->names_len, err);
	raw->token_table = raw->names ? kernel_read_new(k, p.tokens, raw->token_table_len, err) : NULL;
	raw->offsets = raw->token_table ? kernel_read_new(k, p.offsets, 4 * (size_t)raw->num, err) : NULL;
	return raw->offsets ? 0 : -1;
}

/* The decoded table must agree with an address that VMCOREINFO gives by itself. */
static int check_kallsyms(struct kernel_dump *d, struct err *err)
{
	uint64_t want, have;

	if (vmcoreinfo_symbol(d->info.vmcoreinfo, "_stext", &want, NULL))
		return 0;
	if (kallsyms_find(d->symbols, "_stext", &have, err))
		return -1;
	if (have != want)
		return err_set(err, ERR_UNSUPPORTED, "symbols: _stext is 0x%llx in kallsyms, 0x%llx in VMCOREINFO",
			       (unsigned long long)have, (unsigned long long)want);
	return 0;
}

static int load_symbols(struct kernel_dump *d, struct err *err)
{
	static const char *const bounds[2][2] = { { "_stext", "_etext" }, { "_sinittext", "_einittext" } };
	struct kallsyms_raw raw = { 0 };

	if (d->tried_symbols)
		goto out;
	d->tried_symbols = true;
	if (read_kallsyms(d, &raw, &d->symbols_err)) {
		kallsyms_raw_deinit(&raw);
		goto out;
	}
	d->symbols = kallsyms_create(&raw, &d->symbols_err);
	if (d->symbols && check_kallsyms(d, &d->symbols_err)) {
		kallsyms_destroy(d->symbols);
		d->symbols = NULL;
	}
	for (int i = 0; d->symbols && i < 4; i++)
		kallsyms_find(d->symbols, bounds[i / 2][i % 2], &d->image[i / 2][i % 2], NULL);
out:
	if (!d->symbols && err)
		*err = d->symbols_err;
	return d->symbols ? 0 : -1;
}

static int dump_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	struct kernel_dump *d = (struct kernel_dump *)k;

	if (!load_symbols(d, err))
		return kallsyms_find(d->symbols, name, ret, err);
	return vmcoreinfo_symbol(d->info.vmcoreinfo, name, ret, NULL);
}

static int dump_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	struct kernel_dump *d = (struct kernel_dump *)k;

	if (load_symbols(d, err))
		return -1;
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < 2; i++)
		if (addr >= d->image[i][0] && addr < d->image[i][1])
			return kallsyms_at(d->symbols, addr, ret->name, sizeof(ret->name), &ret->start, err);
	if (!d->text)
		d->text = ktext_create(k, err);
	return d->text ? ktext_symbolize(d->text, k, addr, ret, err) : -1;
}

static struct ktypes *read_types(struct kernel_dump *d, struct err *err)
{
	struct ktypes *types;
	uint64_t start, stop;
	void *data;

	if (dump_symbol(&d->kernel, "__start_BTF", &start, err) || dump_symbol(&d->kernel, "__stop_BTF", &stop, err))
		return NULL;
	if (stop <= start || stop - start > BTF_MAX) {
		err_set(err, ERR_CORRUPT, "type information (BTF) of %lld bytes", (long long)(stop - start));
		return NULL;
	}
	data = kernel_read_new(&d->kernel, start, stop - start, err);
	if (!data) {
		err_wrap(err, "type information (BTF)");
		return NULL;
	}
	types = ktypes_create(data, stop - start, err);
	free(data);
	return types;
}

static int load_types(struct kernel_dump *d, struct err *err)
{
	if (!d->tried_types) {
		d->tried_types = true;
		d->types = read_types(d, &d->types_err);
	}
	if (!d->types && err)
		*err = d->types_err;
	return d->types ? 0 : -1;
}

static int dump_member(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err)
{
	struct kernel_dump *d = (struct kernel_dump *)k;

	return load_types(d, err) ? -1 : ktypes_member(d->types, type, path, ret, err);
}

static bool dump_refresh(struct kernel *k)
{
	return mem_refresh(((struct kernel_dump *)k)->mem);
}

static void dump_destroy(struct kernel *k)
{
	struct kernel_dump *d = (struct kernel_dump *)k;

	ktext_destroy(d->text);
	ktypes_destroy(d->types);
	kallsyms_destroy(d->symbols);
	dump_info_deinit(&d->info);
	mem_destroy(d->mem);
	free(d);
}

static const struct kernel_ops dump_ops = {
	.read = dump_read,
	.vmcoreinfo = dump_vmcoreinfo,
	.symbol = dump_symbol,
	.symbolize = dump_symbolize,
	.member = dump_member,
	.refresh = dump_refresh,
	.destroy = dump_destroy,
};

static struct kernel_dump *from_dump(struct kernel *k, struct err *err)
{
	if (k->ops == &dump_ops)
		return (struct kernel_dump *)k;
	err_set(err, ERR_UNSUPPORTED, "this needs a dump, not a capsule");
	return NULL;
}

const struct kallsyms *kernel_dump_symbols(struct kernel *k, struct err *err)
{
	struct kernel_dump *d = from_dump(k, err);

	return d && !load_symbols(d, err) ? d->symbols : NULL;
}

const struct ktypes *kernel_dump_types(struct kernel *k, struct err *err)
{
	struct kernel_dump *d = from_dump(k, err);

	return d && !load_types(d, err) ? d->types : NULL;
}

struct kernel *kernel_from_dump(struct mem *mem, struct dump_info *info, struct err *err)
{
	struct kernel_dump *d = calloc(1, sizeof(*d));

	if (!d) {
		mem_destroy(mem);
		dump_info_deinit(info);
		err_nomem(err);
		return NULL;
	}
	d->kernel.ops = &dump_ops;
	d->mem = mem;
	d->info = *info;
	memset(info, 0, sizeof(*info));
	return &d->kernel;
}
