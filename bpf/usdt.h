/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usdt.h - arguments of USDT probes: fetched by the operands of the site's note, decoded by the agent.
 *
 * libbpf 1.1 refuses %rip-relative and base-index-scale operands, which compilers emit for globals and array
 * elements; here all of x86's addressing modes work.
 */
#ifndef BPF_USDT_H
#define BPF_USDT_H

#include "bpf/runtime.h"

#define REGS_IP 128	/* offset of ip in struct pt_regs, x86-64 */

static __always_inline struct df_usdt_site *usdt_site(void *ctx)
{
	__u32 site = bpf_get_attach_cookie(ctx);

	return bpf_map_lookup_elem(&df_usdt, &site);
}

static __always_inline long read_reg(void *ctx, __u16 reg, __u64 *value)
{
	return bpf_probe_read_kernel(value, sizeof(*value), ctx + reg);
}

/* Where a memory operand points. */
static __always_inline long usdt_address(void *ctx, const struct df_usdt_arg *arg, __u64 *addr)
{
	__u64 index = 0;
	long err = read_reg(ctx, arg->kind == DF_USDT_IP ? REGS_IP : arg->reg, addr);

	if (!err && arg->index != DF_USDT_NO_REG)
		err = read_reg(ctx, arg->index, &index);
	*addr += index * arg->scale + arg->value;
	return err;
}

static __always_inline __u64 usdt_extend(__u64 value, const struct df_usdt_arg *arg)
{
	__u32 shift = (64 - arg->size * 8) & 63;

	value <<= shift;
	return arg->is_signed ? (__u64)((__s64)value >> shift) : value >> shift;
}

/* Argument `number` of the site that was hit, into a u64; 0, or an error when it cannot be read. */
__hidden __attribute__((noinline)) int df_usdt_arg(void *ctx, __u32 number, void *to)
{
	struct df_usdt_site *site = usdt_site(ctx);
	const struct df_usdt_arg *arg;
	__u64 value = 0, addr = 0, *ret = to;
	long err = 0;

	if (!site || number >= site->nargs || number >= DF_USDT_ARGS)
		return -1;
	arg = &site->args[number];
	if (arg->kind == DF_USDT_CONST) {
		*ret = arg->value;
		return 0;
	}
	if (arg->kind == DF_USDT_REG) {
		err = read_reg(ctx, arg->reg, &value);
	} else {
		/* no more than there is: what follows may be on a page that cannot be read */
		__u32 size = arg->size;

		err = usdt_address(ctx, arg, &addr);
		barrier_var(size);
		if (!err && size <= sizeof(value))
			err = bpf_probe_read_user(&value, size, (void *)addr);
	}
	if (err)
		return -1;
	*ret = usdt_extend(value, arg);
	return 0;
}

#endif
