// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The differential test: random expressions of the rule language on random values, as bytecode in the kernel
 * (BPF_PROG_TEST_RUN, relocated to another layout than they were compiled for), by the reference evaluator, and, where
 * an expression is C too, as gcc compiles it. All must agree, unknown values included.
 *
 * usage: diff [--expressions N] [--inputs N] [--seed N (0: the time)] [--gcc no] [--folder DIR]
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "rules/compile.h"
#include "rules/eval.h"
#include "tests/diff/batch.h"
#include "tests/diff/generate.h"
#include "tests/diff/types.h"

#define NAME "df-diff"
#define DEPTH_MAX 6
#define ARGS 6

struct totals {
	unsigned long pairs, unknowns, with_c, skipped, refused, differences;
};

struct diff {
	uint64_t state;
	const char *folder;
	struct kbtf *here, *there;
	char there_path[512];
	struct subject subjects[BATCH];
	uint32_t n;
	struct batch batch;
	void *library;
	bool no_c;
	struct totals totals;
};

/* The values of one input: registers by argument, as a probe would find them. */
struct input {
	uint64_t args[ARGS];
	uint64_t base;
	const uint8_t *memory;
	bool escaped;		/* the evaluator read what only the kernel knows */
};

/* As C sees the arguments. */
struct c_args {
	void *t;
	uint32_t a;
	int32_t b;
	uint64_t c;
	int64_t d;
	int16_t e;
};

static const char c_head[] =
	"typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long u64;\n"
	"typedef signed char s8; typedef short s16; typedef int s32; typedef long s64;\n"
	"struct args { void *t; u32 a; s32 b; u64 c; s64 d; s16 e; };\n";

static struct rule_set *check(struct arena *a, struct kbtf *kbtf, const char *expr)
{
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	char *text = arena_printf(a, "deadfall: 1\nrule: r\nevents:\n  e:\n    probe: kprobe:subject\n    fields:\n"
				     "      x: |\n        %s\nmatch: {event: e}\non_match: [log: x]\n", expr);

	compile_check_text(a, "t", text, strlen(text), kbtf, &diags, &set);
	if (!set && getenv("DIFF_VERBOSE"))
		diags_print(&diags, stderr, false);
	return set;
}

static void make_subject(struct diff *d, struct arena *a, struct subject *s)
{
	for (;;) {
		struct buf rule = BUF_INIT, c = BUF_INIT;
		bool plain = random_next(&d->state) % 3 == 0;
		int depth = 1 + (int)(random_next(&d->state) % DEPTH_MAX);

		expression_random(&d->state, depth, plain, &rule, &c);
		memset(s, 0, sizeof(*s));
		if (rule.len < 3000) {
			s->text = arena_strdup(a, buf_str(&rule));
			s->c = plain ? arena_strdup(a, buf_str(&c)) : NULL;
			s->here = check(a, d->here, s->text);
			s->there = s->here ? check(a, d->there, s->text) : NULL;
		}
		buf_deinit(&rule);
		buf_deinit(&c);
		if (s->here && s->there && s->here->rules[0].events[0].fields[0].expr->type->kind != TYPE_STR)
			return;
		d->totals.refused++;
	}
}

/* What gcc makes of those that are C. */
static int compile_c(struct diff *d)
{
	char source[600], library[600], command[2000];
	FILE *f;

	if (d->no_c)
		return 0;
	snprintf(source, sizeof(source), "%s/plain.%d.c", d->folder, getpid());
	snprintf(library, sizeof(library), "%s/plain.%d.so", d->folder, getpid());
	f = fopen(source, "w");
	if (!f)
		return -1;
	fputs(c_head, f);
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->subjects[i].c)
			fprintf(f, "s64 f%u(struct args arg) { return (s64)(%s); }\n", i, d->subjects[i].c);
	}
	fclose(f);
	snprintf(command, sizeof(command), "gcc -std=gnu11 -O1 -w -fwrapv -shared -fPIC -o %s %s", library, source);
	if (!system(command))
		d->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	unlink(source);
	unlink(library);
	return d->library ? 0 : -1;
}

static bool read_memory(void *arg, uint64_t addr, void *buf, size_t len, bool user)
{
	struct input *in = arg;

	if (user && addr >= (uint64_t)memory_user && addr - (uint64_t)memory_user <= sizeof(memory_user) - len) {
		memcpy(buf, (void *)addr, len);
		return true;
	}
	if (!user && addr >= in->base && addr - in->base <= MEMORY_SIZE - len) {
		memcpy(buf, in->memory + (addr - in->base), len);
		return true;
	}
	/* the kernel's half is readable or not; a user's address may be one of ours */
	if (user ? addr >= 65536 && addr < 1ull << 57 : addr >= 0xff00000000000000)
		in->escaped = true;
	return false;
}

/* Registers hold more than the argument's width. */
static void make_input(struct diff *d, struct input *in)
{
	static const uint8_t reg_of[ARGS] = { 14, 13, 12, 11, 9, 8 };
	struct shared *s = d->batch.shared;

	memory_fill(&d->state, (uint8_t *)s->memory, s->base);
	in->base = s->base;
	in->memory = (const uint8_t *)s->memory;
	for (int i = 0; i < ARGS; i++)
		in->args[i] = random_number(&d->state);
	in->args[0] = memory_thing(&d->state, s->base);
	if (random_next(&d->state) % 3 == 0)
		in->args[3] = memory_thing(&d->state, s->base);
	if (random_next(&d->state) % 2)
		in->args[4] = memory_user_text(&d->state);
	for (int i = 0; i < ARGS; i++)
		s->regs[reg_of[i]] = in->args[i];
}

static struct eval_value evaluate(const struct subject *s, struct input *in)
{
	const struct event *e = &s->there->rules[0].events[0];
	struct eval_env env = { .arg = in, .read = read_memory, .comm = NAME };
	uint64_t slots[16] = { 0 };

	for (uint32_t i = 0; i < e->nargs; i++)
		slots[i] = in->args[e->args[i].name[0] == 't' ? 0 : 1 + e->args[i].name[0] - 'a'];
	env.args = slots;
	env.builtins[BUILTIN_PID] = (uint64_t)getpid();
	env.builtins[BUILTIN_TID] = (uint64_t)gettid();
	env.builtins[BUILTIN_UID] = getuid();
	in->escaped = false;
	return eval_expr(&env, e->fields[0].expr);
}

static void difference(struct diff *d, const struct subject *s, const struct input *in, const char *who, bool unknown,
		       uint64_t got, const struct eval_value *want)
{
	if (d->totals.differences++ > 20)
		return;
	printf("# %s\n#   ", s->text);
	for (int i = 0; i < ARGS; i++)
		printf(" %c=0x%llx", i ? 'a' + i - 1 : 't', (unsigned long long)in->args[i]);
	printf("\n#   %s: ", who);
	printf(unknown ? "unknown" : "0x%llx", (unsigned long long)got);
	printf(", evaluator: ");
	printf(want->unknown ? "unknown\n" : "0x%llx\n", (unsigned long long)want->num);
}

static void compare_c(struct diff *d, uint32_t i, const struct input *in, const struct eval_value *want)
{
	const uint64_t *v = in->args;
	struct c_args args = { (void *)v[0], (uint32_t)v[1], (int32_t)v[2], v[3], (int64_t)v[4], (int16_t)v[5] };
	int64_t (*fn)(struct c_args);
	char name[16];

	snprintf(name, sizeof(name), "f%u", i);
	*(void **)&fn = dlsym(d->library, name);
	d->totals.with_c++;
	if (!fn || want->unknown || (uint64_t)fn(args) != want->num)
		difference(d, &d->subjects[i], in, "gcc", !fn, fn ? (uint64_t)fn(args) : 0, want);
}

static int try_input(struct diff *d)
{
	struct input in = { 0 };

	make_input(d, &in);
	if (batch_run(&d->batch))
		return -1;
	for (uint32_t i = 0; i < d->n; i++) {
		const uint64_t *result = &d->batch.shared->results[2 * i];
		struct eval_value want = evaluate(&d->subjects[i], &in);

		if (in.escaped) {
			d->totals.skipped++;
			continue;
		}
		d->totals.pairs++;
		d->totals.unknowns += want.unknown;
		if (want.unknown != (result[1] == UNKNOWN) || (!want.unknown && want.num != result[0]))
			difference(d, &d->subjects[i], &in, "bytecode", result[1] == UNKNOWN, result[0], &want);
		if (d->library && d->subjects[i].c)
			compare_c(d, i, &in, &want);
	}
	return 0;
}

static int try_batch(struct diff *d, uint32_t n, uint32_t inputs)
{
	struct arena *a = arena_create(NULL, NULL);
	int ret = 0;

	d->n = n;
	for (uint32_t i = 0; i < n; i++)
		make_subject(d, a, &d->subjects[i]);
	if (batch_load(a, d->here, d->there_path, d->subjects, n, &d->batch) || compile_c(d) || batch_run(&d->batch))
		ret = -1;
	for (uint32_t i = 0; i < inputs && !ret; i++)
		ret = try_input(d);
	batch_unload(&d->batch);
	if (d->library)
		dlclose(d->library);
	d->library = NULL;
	arena_destroy(a);
	return ret;
}

static int parse(int argc, char **argv, uint64_t *expressions, uint64_t *inputs, struct diff *d)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--expressions"))
			*expressions = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--inputs"))
			*inputs = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--seed"))
			d->state = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--gcc"))
			d->no_c = !strcmp(argv[i + 1], "no");
		else if (!strcmp(argv[i], "--folder"))
			d->folder = argv[i + 1];
		else
			return -1;
	}
	return 0;
}

static int report(const struct diff *d, bool failed)
{
	const struct totals *t = &d->totals;

	printf("# %lu pairs, %lu of them unknown, %lu also by gcc; %lu went where only the kernel can read, %lu texts "
	       "were no rules\n", t->pairs, t->unknowns, t->with_c, t->skipped, t->refused);
	printf("%s 1 - every batch of expressions loads and runs\n", failed ? "not ok" : "ok");
	printf("%s 2 - bytecode, evaluator and gcc agree: %lu differences\n", t->differences || failed ? "not ok" : "ok",
	       t->differences);
	printf("1..2\n");
	return failed || t->differences;
}

static int open_types(struct diff *d, int which, struct kbtf **ret)
{
	char from[512];
	struct err err = { 0 };

	snprintf(from, sizeof(from), "%s/subject%d.btf", d->folder, which);
	snprintf(d->there_path, sizeof(d->there_path), "%s/types%d.%d.btf", d->folder, which, getpid());
	if (types_make(from, d->there_path) || kbtf_open(d->there_path, ret, &err)) {
		fprintf(stderr, "%s: %s\n", from, err.msg);
		return -1;
	}
	if (which == 1)
		unlink(d->there_path);
	return 0;
}

int main(int argc, char **argv)
{
	static struct diff d = { .state = 20240229, .folder = "build/tests/diff" };
	uint64_t expressions = 2000, inputs = 60;
	bool failed = false;

	if (parse(argc, argv, &expressions, &inputs, &d)) {
		fprintf(stderr, "usage: diff [--expressions N] [--inputs N] [--seed N] [--gcc no] [--folder DIR]\n");
		return 2;
	}
	if (!d.state)
		d.state = (uint64_t)time(NULL);
	prctl(PR_SET_NAME, NAME);
	printf("# seed %llu\n", (unsigned long long)d.state);
	if (open_types(&d, 1, &d.here) || open_types(&d, 2, &d.there))
		return 2;
	for (uint64_t done = 0; done < expressions && !failed; done += BATCH)
		failed = try_batch(&d, (uint32_t)(expressions - done < BATCH ? expressions - done : BATCH),
				   (uint32_t)inputs) != 0;
	kbtf_close(d.here);
	kbtf_close(d.there);
	unlink(d.there_path);
	return report(&d, failed);
}
