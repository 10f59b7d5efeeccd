/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - what generated conditions ask about strings and stacks: text at an address against a literal, a pattern or
 * other text; a function in the kernel stack.
 *
 * Text is read once, into per-CPU memory: more than a program's stack holds. A program may be preempted by another
 * while it uses it, so each call takes a slot that is free, and gives it back.
 *
 * Results: 1 yes, 0 no, -1 unknown (it cannot be read, or no slot is free).
 */
#ifndef BPF_TEXT_H
#define BPF_TEXT_H

#include "bpf/runtime.h"

#define TEXT_BYTES 256			/* of a string, its NUL included (rules/check_expr.c, STR_MAX) */
#define TEXT_WORDS (TEXT_BYTES / 8 + 1)	/* with a word of zeros behind it */
#define TEXT_FRAMES 127			/* the kernel's own limit: sysctl perf_event_max_stack */
#define TEXT_SLOTS 8

/*
 * A pattern's match under way: text from i on against pattern from j on. It is kept in the slot and not on the stack:
 * 6.1's verifier takes a callback to run once, and drops what it then knows of the stack to be impossible (v6.8,
 * commit ab5cfac139ab "bpf: verify callbacks as if they are called unknown number of times").
 */
struct df_glob {
	__u32 i, j;
	__u32 star, mark;	/* after the last '*' seen: where the pattern goes on, and the text that it may take */
	__u32 matched;
	__u32 pad;
};

/* Parts of one function's code: GCC splits it (NAME.cold, NAME.part.0), and static functions share names. */
#define STACK_RANGES 8

struct df_text {
	__u32 busy;
	__u32 pad;
	struct df_glob glob;
	__u64 code[1 + 2 * STACK_RANGES];	/* rules/late.h, LATE_CODE */
	__u64 found;
	__u64 w[2 * TEXT_WORDS > TEXT_FRAMES ? 2 * TEXT_WORDS : TEXT_FRAMES + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TEXT_SLOTS);
	__type(key, __u32);
	__type(value, struct df_text);
} df_text SEC(".maps");

static __always_inline struct df_text *text_take_slot(__u32 *slot)
{
	for (__u32 i = 0; i < TEXT_SLOTS; i++) {
		struct df_text *t;

		*slot = i;
		t = bpf_map_lookup_elem(&df_text, slot);
		if (t && !__sync_lock_test_and_set(&t->busy, 1))
			return t;
	}
	return NULL;
}

static __always_inline struct df_text *text_take(void)
{
	__u32 slot;

	return text_take_slot(&slot);
}

static __always_inline void text_give(struct df_text *t)
{
	barrier();
	t->busy = 0;
}

/* Where text is: bytes to read at most (with the NUL), and whether the address is a user's. */
#define WHERE_USER (1U << 31)

static __always_inline long text_read(__u64 *to, __u64 addr, __u32 where)
{
	__u32 size = where & ~WHERE_USER;

#pragma unroll
	for (int i = 0; i < TEXT_WORDS; i++)
		to[i] = 0;
	if (size > TEXT_BYTES)
		return -1;
	if (where & WHERE_USER)
		return bpf_probe_read_user_str(to, size, (void *)addr);
	return bpf_probe_read_str(to, size, (void *)addr);	/* the user's or the kernel's: by the address */
}

/* Is the text at addr that literal? It stands in nwords words, the last of them filled up with zeros. */
__hidden __attribute__((noinline)) int df_text_is(__u64 addr, __u32 where, void *literal, __u32 nwords)
{
	struct df_text *t = text_take();
	const __u64 *want = literal;
	int same = 1;

	if (!t)
		return -1;
	if (text_read(t->w, addr, where) < 0)
		same = -1;
	for (__u32 i = 0; same > 0 && i < nwords && i < TEXT_WORDS; i++)
		same = t->w[i] == want[i];
	text_give(t);
	return same;
}

/* Are the texts at two addresses the same? */
__hidden __attribute__((noinline)) int df_text_same(__u64 a, __u32 where_a, __u64 b, __u32 where_b)
{
	struct df_text *t = text_take();
	int same = 1;

	if (!t)
		return -1;
	if (text_read(t->w, a, where_a) < 0 || text_read(t->w + TEXT_WORDS, b, where_b) < 0)
		same = -1;
	for (int i = 0; same > 0 && i < TEXT_WORDS; i++)
		same = t->w[i] == t->w[TEXT_WORDS + i];
	text_give(t);
	return same;
}

/* The number of a text (DF_HASH_WORD) into a u64: texts of other events are kept as that. */
__hidden __attribute__((noinline)) int df_text_hash(__u64 addr, __u32 where, void *to)
{
	struct df_text *t = text_take();
	__u64 *ret = to, h = 0;
	int known = 0;

	if (!t)
		return -1;
	if (text_read(t->w, addr, where) < 0)
		known = -1;
	/* no word before the last is 0, and a word of zeros follows */
	for (__u32 i = 0; i < TEXT_WORDS && t->w[i]; i++)
		h = DF_HASH_WORD(h, t->w[i]);
	text_give(t);
	*ret = DF_HASH_END(h);
	return known;
}

struct glob {
	struct df_text *text;
	const char *pattern;	/* 256 bytes are readable */
};

/* One character; 1 when the outcome is known. */
static long glob_step(__u32 n, struct glob *ctx)
{
	struct df_text *t = ctx->text;
	struct df_glob *g = &t->glob;
	char c = ((const char *)t->w)[g->i & (TEXT_BYTES - 1)], p = ctx->pattern[g->j & (TEXT_BYTES - 1)];
	char escaped = p == '\\' ? ctx->pattern[(g->j + 1) & (TEXT_BYTES - 1)] : 0;

	if (p == '*') {
		g->star = ++g->j;
		g->mark = g->i;
		return 0;
	}
	if (!c) {
		g->matched = !p;
		return 1;
	}
	if (escaped ? escaped == c : p && (p == '?' || p == c)) {
		g->i++;
		g->j += escaped ? 2 : 1;
		return 0;
	}
	if (!g->star)
		return 1;
	g->i = ++g->mark;
	g->j = g->star;
	return 0;
}

/* Does the text match the pattern? '*' stands for any text, '?' for any one character, '\' before one for itself. */
__hidden __attribute__((noinline)) int df_text_like(__u64 addr, __u32 where, void *pattern)
{
	struct df_text *t = text_take();
	struct glob ctx = { .text = t, .pattern = pattern };
	int matched = -1;

	if (!t)
		return -1;
	if (text_read(t->w, addr, where) >= 0) {
		__builtin_memset(&t->glob, 0, sizeof(t->glob));
		bpf_loop(TEXT_BYTES * TEXT_BYTES, glob_step, &ctx, 0);
		matched = t->glob.matched;
	}
	text_give(t);
	return matched;
}

/* The name of the current task: its address, for the functions above. */
__hidden __attribute__((noinline)) __u64 df_comm(void)
{
	return (__u64)&bpf_get_current_task_btf()->comm;
}

/* Does an address lie in one of the ranges? The highest bit is the answer: no branch. */
static __always_inline __u64 in_ranges(__u64 at, const __u64 *code)
{
	__u64 found = 0;

	for (__u32 r = 0; r < STACK_RANGES; r++) {
		__u64 off = at - code[1 + 2 * r], len = code[2 + 2 * r] - code[1 + 2 * r];

		found |= (off - len) & ~off;	/* the sign: off < len, both far below 2^63 */
	}
	return found;
}

/* Does an address lie in a function's code? code: as for df_stack_has. */
__hidden __attribute__((noinline)) int df_in_code(__u64 at, void *code)
{
	return in_ranges(at, code) >> 63;
}

static long stack_step(__u32 i, struct df_text **ctx)
{
	struct df_text *t = *ctx;

	/* all but the first are return addresses, maybe just behind a function's end */
	t->found |= in_ranges(t->w[i & TEXT_FRAMES] - !!i, t->code);
	return 0;
}
_Static_assert(!(TEXT_FRAMES & (TEXT_FRAMES + 1)), "a mask");

/*
 * Does a stack that was taken, w, have an address in one of the ranges behind it? Global, so that it is verified once and
 * not for each question of a set.
 */
__attribute__((noinline)) int df_stack_scan(__u32 slot, __u32 frames)
{
	struct df_text *t = bpf_map_lookup_elem(&df_text, &slot);

	if (!t)
		return 0;
	t->found = 0;
	bpf_loop(frames < TEXT_FRAMES ? frames : TEXT_FRAMES, stack_step, &t, 0);
	return t->found >> 63;
}

/*
 * Does the kernel stack hold a function's frame? code: the number of its parts, then begin and end of each; constants
 * in read-only data. Where a probe or timer came in user mode the stack has no frames, which is size 0.
 */
__hidden __attribute__((noinline)) int df_stack_has(void *ctx, void *code)
{
	__u32 slot;
	struct df_text *t = text_take_slot(&slot);
	int found;
	long size;

	if (!t)
		return -1;
	size = bpf_get_stack(ctx, t->w, TEXT_FRAMES * 8, 0);
	bpf_probe_read_kernel(t->code, sizeof(t->code), code);
	found = size > 0 && df_stack_scan(slot, size / 8);
	text_give(t);
	return found || (size >= 0 && size < TEXT_FRAMES * 8) ? found : -1;
}

#endif
