/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ktext.h - code outside the kernel image: modules, BPF programs and trampolines, and their symbols.
 *
 * Reads the kernel's own lists (`modules`, `bpf_kallsyms`); struct layouts by BTF.
 */
#ifndef KDUMP_KTEXT_H
#define KDUMP_KTEXT_H

#include "kdump/kernel.h"

struct ktext;

/*
 * Walk both lists of the kernel. A list that cannot be read is left out, a damaged one ends where the damage is.
 * NULL only without memory.
 */
struct ktext *ktext_create(struct kernel *k, struct err *err);
void ktext_destroy(struct ktext *t);

/* As kernel_symbolize(), for what lies in a module, BPF program or trampoline. */
int ktext_symbolize(struct ktext *t, struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err);

#endif
