/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kbtf.h - the kernel's types and function prototypes, from BTF.
 *
 * Of the running kernel (/sys/kernel/btf/vmlinux and its modules, opened when first asked for), or of a file: raw
 * BTF, an ELF vmlinux with .BTF, or a compressed kernel image (bzImage: gzip, xz, zstd, lz4 payload). Names are found
 * through an index built once: libbpf's own search is linear.
 */
#ifndef RULES_KBTF_H
#define RULES_KBTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct btf;
struct kbtf;

/* A function that BTF knows. */
struct kbtf_func {
	const char *name;		/* lives as long as the kbtf */
	const char *module;		/* NULL: vmlinux */
	const struct btf *btf;
	uint32_t id;			/* BTF_KIND_FUNC */
	uint32_t proto_id;		/* BTF_KIND_FUNC_PROTO */
};

/*
 * path NULL: the running kernel. The caller owns *ret and frees it with kbtf_close.
 * Errors: ERR_ABSENT (no BTF there), ERR_CORRUPT, ERR_UNSUPPORTED (compression), ERR_SYSTEM, ERR_NOMEM.
 */
int kbtf_open(const char *path, struct kbtf **ret, struct err *err);
void kbtf_close(struct kbtf *k);

/* Of several files, as --btf names them: the first is the kernel, the others are modules. n 0: the running kernel. */
int kbtf_open_all(const char *const paths[], int n, struct kbtf **ret, struct err *err);

/* Is it the running kernel's, so that what that tells of itself is of the same? */
bool kbtf_is_running(const struct kbtf *k);

/* Add the BTF of a module: raw BTF or a .ko (also .ko.xz, .zst, .gz), named after the file. Errors as kbtf_open. */
int kbtf_add_module(struct kbtf *k, const char *path, struct err *err);

/* Is the BTF of this module known, or the module loaded? '-' and '_' are the same. */
bool kbtf_has_module(struct kbtf *k, const char *module);
uint32_t kbtf_nmodules(struct kbtf *k);

/* Some lookup said "not there" only because memory ran out. */
bool kbtf_nomem(const struct kbtf *k);

const struct btf *kbtf_vmlinux(const struct kbtf *k);

/* A named struct, union, enum, typedef or int: its id and BTF; 0 if there is none. kind is a BTF_KIND_*. */
uint32_t kbtf_find(struct kbtf *k, const char *name, uint32_t kind, const struct btf **btf);

/* The same in one small BTF, not in what it is built on; by looking at all of its types. */
uint32_t kbtf_find_in(const struct btf *btf, const char *name, uint32_t kind);

/*
 * BTF bytes on top of vmlinux's, for the caller to free; NULL without memory. (libbpf's own way, btf__new_empty_split
 * and btf__add_*, takes the base apart to index its strings: slow, and every name handed out before would dangle.)
 */
struct btf *kbtf_new_split(struct kbtf *k, const void *data, size_t len);

/* Length of vmlinux's string section: where the strings of a BTF on top of it begin. */
uint32_t kbtf_str_len(const struct kbtf *k);

/* The prototype of a function; module NULL: vmlinux first, then loaded modules. false: not known. */
bool kbtf_find_func(struct kbtf *k, const char *module, const char *name, struct kbtf_func *ret);

/* A constant of some enum: how many different values that name has; *value and the enum are those of the first. */
uint32_t kbtf_find_enumerator(struct kbtf *k, const char *name, int64_t *value, const struct btf **btf, uint32_t *id);

/* Call fn for every function whose name matches the glob (fnmatch), in vmlinux and modules; stop when it is non-zero. */
int kbtf_each_func(struct kbtf *k, const char *module, const char *glob,
		   int (*fn)(const struct kbtf_func *f, void *arg), void *arg);

/* The function name nearest to a misspelt one, or NULL. */
const char *kbtf_nearest_func(struct kbtf *k, const char *name);

/* Offer the names of all types of a kind (BTF_KIND_*; enumerators: BTF_KIND_ENUM64) as the nearest. */
struct nearest;
void kbtf_offer_names(struct kbtf *k, uint32_t kind, struct nearest *n);

#endif
