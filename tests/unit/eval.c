// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * eval: checked expressions over a made-up memory. Every expression here is also C: what gcc makes of it is the
 * expected value, so that widths, signs and conversions are C's and not ours.
 */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/compile.h"
#include "rules/eval.h"
#include "rules/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* submit(u32 len, u16 small, s64 big, bool flag) of tests/data/kernel.c */
struct args {
	uint32_t len;
	uint16_t small;
	int64_t big;
	_Bool flag;
};

struct fixture {
	struct kbtf *kbtf;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->arena = arena_create(NULL, NULL);
	return kbtf_open("tests/data/kernel.btf", &f->kbtf, &(struct err){ 0 });
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kbtf_close(f->kbtf);
	arena_destroy(f->arena);
	free(f);
	return 0;
}

/* The expression as field x of an event, checked. */
static const struct event *compile(struct fixture *f, const char *probe, const char *expr)
{
	struct diags diags = diags_init(f->arena);
	struct rule_set *set = NULL;
	char text[2000];
	int n = snprintf(text, sizeof(text), "deadfall: 1\nrule: r\nevents:\n  e:\n    probe: %s\n    fields:\n      x: |\n"
			 "        %s\nmatch: {event: e}\non_match: [log: x]\n", probe, expr);

	compile_check_text(f->arena, "t", text, (size_t)n, f->kbtf, &diags, &set);
	if (!set) {
		diags_print(&diags, stderr, false);
		fail_msg("%s", expr);
	}
	return &set->rules[0].events[0];
}

static struct eval_value evaluate(const struct event *ev, struct eval_env *env, const struct args *a)
{
	uint64_t slots[8] = { 0 };

	for (uint32_t i = 0; a && i < ev->nargs; i++) {
		const char *n = ev->args[i].name;

		slots[i] = !strcmp(n, "len") ? a->len : !strcmp(n, "small") ? a->small :
			   !strcmp(n, "big") ? (uint64_t)a->big : a->flag;
	}
	if (a)
		env->args = slots;
	return eval_expr(env, ev->fields[0].expr);
}

/* Signed overflow wraps in rules; so it must in the C that they are compared with. */
#pragma GCC optimize("wrapv")
#define NO_UB __attribute__((no_sanitize("undefined")))

/* Each is C with a struct args called arg, and an expression of a rule, letter by letter. */
#define EXPRESSIONS(X) \
	X(arg.len - 1 > 0) X(arg.small - 1 > 0) X(-arg.len) X(-arg.small) X(~arg.small) X(~arg.len) \
	X(arg.len * arg.len) X(arg.small * arg.small) X(arg.big + arg.len) X(arg.big * arg.small) \
	X(arg.len << 3) X((int8_t)arg.len) X((uint8_t)arg.big) X((int16_t)arg.big >> 2) X(arg.big >> 3) \
	X(arg.len >> 3) X((int32_t)arg.len >> 3) X((int32_t)arg.len / 3) X(arg.len / 3) X(arg.big / 7) \
	X(arg.big % 7) X(arg.len % 7) X(arg.small % 7) X(arg.flag + arg.flag) X(arg.flag == 1) \
	X(!arg.len) X(!!arg.big) X(arg.len ? arg.small : arg.big) X(arg.flag ? arg.len : -1) \
	X(arg.len < arg.big) X(arg.len == arg.big) X(arg.small < -1) X(arg.len < -1) \
	X((int32_t)arg.len < -1) X(arg.big < arg.len && arg.small > 3) X(arg.big < 0 || arg.small) \
	X(arg.len & arg.small) X(arg.len | arg.big) X(arg.big ^ arg.small) X((arg.len & 7) == 3) \
	X(arg.small - 5 < arg.len) X(arg.small - 5 < arg.big) X(arg.len + 0x80000000) \
	X(arg.len - 0x80000000 > 5) X(arg.len * 4294967296) X(arg.big - 1u) X(arg.small << 16) \
	X(arg.small << 15 >> 3) X(-7 / 2 + arg.len) X((uint32_t)arg.big * (uint32_t)arg.big) \
	X((int64_t)arg.len * -1) X(-(int64_t)arg.len) X(arg.flag * arg.big) X('a' + arg.small) \
	X((_Bool)arg.big) X((_Bool)(arg.len & 2)) X(010 + arg.len) X((uint16_t)(arg.small + 65535)) \
	X(arg.len > 4096 ? 1 : arg.big > 4096 ? 2 : 3)

struct case_ {
	const char *text;
	int64_t (*fn)(struct args arg);
};

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Values at the edges are likelier to differ. */
static uint64_t pick(uint64_t *s)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff,
					  0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, ~0ull };
	uint64_t r = next_random(s);

	return r & 1 ? edges[(r >> 8) % (sizeof(edges) / sizeof(edges[0]))] : next_random(s) >> (r >> 8 & 63);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wbool-compare"

#define CASE(e) \
	{ #e, __extension__ ({ int64_t NO_UB fn(struct args arg) { (void)arg; return (int64_t)(e); } fn; }) },

static void expressions_mean_what_gcc_makes_of_them(void **state)
{
	const struct case_ cases[] = { EXPRESSIONS(CASE) };
	struct fixture *f = *state;
	uint64_t seed = 88172645463325252ull;
	struct eval_env env = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct event *ev = compile(f, "kprobe:submit", cases[i].text);

		for (int j = 0; j < 2000; j++) {
			struct args a = { (uint32_t)pick(&seed), (uint16_t)pick(&seed), (int64_t)pick(&seed),
					  pick(&seed) & 1 };
			struct eval_value v = evaluate(ev, &env, &a);
			int64_t want = cases[i].fn(a);

			if (v.unknown || v.num != (uint64_t)want)
				fail_msg("%s with len %u small %u big %lld flag %d: %lld, C says %lld", cases[i].text, a.len,
					 a.small, (long long)a.big, a.flag, (long long)v.num, (long long)want);
		}
	}
}
#pragma GCC diagnostic pop

/* Memory at 0x1000 ... 0x1fff; all else faults. */
static uint8_t memory[4096];

static bool read_memory(void *arg, uint64_t addr, void *buf, size_t len, bool user)
{
	(void)arg, (void)user;
	if (addr < 0x1000 || addr >= 0x2000 || len > 0x2000 - addr)
		return false;
	memcpy(buf, memory + addr - 0x1000, len);
	return true;
}

static struct eval_value of_inode(struct fixture *f, const char *expr, uint64_t inode)
{
	struct eval_env env = { .read = read_memory, .args = &inode, .comm = "bash" };

	return eval_expr(&env, compile(f, "kprobe:inode_put", expr)->fields[0].expr);
}

static void reads_members_and_faults(void **state)
{
	struct fixture *f = *state;

	memset(memory, 0, sizeof(memory));
	memcpy(memory + 8, &(uint64_t){ 0x1122334455667788 }, 8);		/* i_ino */
	memcpy(memory + 32, &(uint64_t){ 0x1200 }, 8);				/* i_sb */
	memcpy(memory + 0x208, "sda1", 5);					/* s_id */
	assert_int_equal(of_inode(f, "arg.inode->i_ino", 0x1000).num, 0x1122334455667788);
	assert_true(of_inode(f, "arg.inode->i_ino", 0).unknown);
	assert_int_equal(of_inode(f, "arg.inode->i_sb->s_id == \"sda1\"", 0x1000).num, 1);
	assert_int_equal(of_inode(f, "arg.inode->i_sb->s_id like \"sd?1*\"", 0x1000).num, 1);
	assert_int_equal(of_inode(f, "arg.inode->i_sb->s_id in [\"sdb\", \"sdc\"]", 0x1000).num, 0);
	assert_int_equal(of_inode(f, "&arg.inode->i_sb->s_id", 0x1000).num, 0x1208);
	assert_int_equal(of_inode(f, "container_of(&arg.inode->i_list, struct inode, i_list) == arg.inode", 0x1000).num, 1);
}

static void unknown_follows_kleene(void **state)
{
	static const struct {
		const char *expr;
		int want;		/* -1: unknown */
	} cases[] = {
		{ "U && F", 0 }, { "U && T", -1 }, { "U && U", -1 }, { "T && U", -1 }, { "F && U", 0 },
		{ "U || F", -1 }, { "U || T", 1 }, { "U || U", -1 }, { "T || U", 1 }, { "F || U", -1 },
		{ "!U", -1 }, { "!!T", 1 }, { "U ? T : T", -1 }, { "T ? F : U", 0 }, { "(U) == (U)", -1 },
		{ "arg.inode in [1, 4096, *(u64 *)0]", 1 }, { "arg.inode in [1, *(u64 *)0]", -1 },
		{ "1 / *(u64 *)0x1800 == 3", -1 }, { "task.comm == \"bash\" || U", 1 },
	};
	struct fixture *f = *state;
	char text[400];

	memset(memory, 0, sizeof(memory));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = 0;

		for (const char *p = cases[i].expr; *p; p++) {
			const char *word = *p == 'U' ? "*(int *)0 == 3" : *p == 'T' ? "(arg.inode != 0)" :
					   *p == 'F' ? "(arg.inode == 0)" : NULL;

			if (word)
				n += (size_t)sprintf(text + n, "(%s)", word);
			else
				text[n++] = *p;
		}
		/* the u in (u64 ...) stays as it is: only capitals are replaced */
		text[n] = '\0';
		struct eval_value v = of_inode(f, text, 0x1000);

		if ((v.unknown ? -1 : (int)v.num) != cases[i].want)
			fail_msg("%s: %s %d", cases[i].expr, v.unknown ? "unknown" : "known", (int)v.num);
	}
}

static void loops_go_over_lists_and_arrays(void **state)
{
	struct fixture *f = *state;
	uint64_t list = 0x1000 + 80;		/* inode->i_list */

	memset(memory, 0, sizeof(memory));
	memcpy(memory + 96, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(of_inode(f, "sizeof(struct inode)", 0).num, 128);
	assert_int_equal(of_inode(f, "any(b, arg.inode->i_bytes, b == 4)", 0x1000).num, 1);
	assert_int_equal(of_inode(f, "count(b, arg.inode->i_bytes, b > 4)", 0x1000).num, 4);
	assert_true(of_inode(f, "count(b, arg.inode->i_bytes, b > 4, 3)", 0x1000).unknown);
	/* the list of its own head alone, then of two inodes at 0x1000 and 0x1400, head at 0x1800 */
	memcpy(memory + 0x800, &(uint64_t){ 0x1800 }, 8);
	assert_int_equal(of_inode(f, "len(list((struct list_head *)0x1800, struct inode, i_list))", 0x1000).num, 0);
	memcpy(memory + 0x800, &list, 8);
	memcpy(memory + 80, &(uint64_t){ 0x1400 + 80 }, 8);
	memcpy(memory + 0x400 + 80, &(uint64_t){ 0x1800 }, 8);
	memcpy(memory + 0x400 + 8, &(uint64_t){ 77 }, 8);
	assert_int_equal(of_inode(f, "len(list((struct list_head *)0x1800, struct inode, i_list))", 0x1000).num, 2);
	assert_int_equal(of_inode(f, "any(x, list((struct list_head *)0x1800, struct inode, i_list), x->i_ino == 77)",
				  0x1000).num, 1);
	memcpy(memory + 0x400 + 80, &(uint64_t){ 0 }, 8);
	assert_true(of_inode(f, "len(list((struct list_head *)0x1800, struct inode, i_list))", 0x1000).unknown);
}

static void patterns(void **state)
{
	assert_true(eval_like("", ""));
	assert_true(eval_like("*", ""));
	assert_true(eval_like("a*b*c", "axxbyyc"));
	assert_false(eval_like("a*b*c", "axxbyyd"));
	assert_true(eval_like("k?orker/*", "kworker/0:1"));
	assert_true(eval_like("a\\*b", "a*b"));
	assert_false(eval_like("a\\*b", "axb"));
	assert_false(eval_like("abc", "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_mean_what_gcc_makes_of_them),
		cmocka_unit_test(reads_members_and_faults),
		cmocka_unit_test(unknown_follows_kleene),
		cmocka_unit_test(loops_go_over_lists_and_arrays),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
